package allocator

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/clickcollect/clickcollect/reservation"
	"github.com/clickcollect/clickcollect/reservation/lock"
)

// Component is a part of a bundle: so many units of a SKU in one unit of it.
type Component struct {
	SKU      string
	Quantity int64 // 1 to 2^31 − 1
}

// Bundle is a SKU that is sold as one and picked as its parts. It has no stock of
// its own: what is received under its SKU is not sold as long as it is a bundle.
// A part may be a bundle itself; none leads back to the bundle it is in.
type Bundle struct {
	SKU   string
	Parts []Component // at most 256; none: the SKU is no bundle any more
}

const (
	// maxBundleParts is how many parts a bundle may have itself; with its bundles
	// taken apart it has at most Options.MaxLines.
	maxBundleParts = 256
	// maxNesting is how deep bundles may be in one another.
	maxNesting = 16
)

// bundles is what every bundle is made of. nil has none. It is immutable.
type bundles struct {
	given map[string][]Component // as they were set
	flat  map[string][]Component // down to SKUs that are no bundles, ascending
}

func (b *bundles) has(sku string) bool {
	if b == nil {
		return false
	}
	_, ok := b.flat[sku]
	return ok
}

// SetBundles sets what bundles are made of, all of them or none; one without parts
// is no bundle any more. An order for a bundle is one for its parts, summed with
// the other lines before anything is chosen: Allocation.Lines, Lookup and events
// name the parts, and of the bundle's own SKU nothing is taken. Parts count as
// lines for Options.MaxLines. Order.Forms and Order.Together may name bundles; a part
// goes the way Forms has for its own SKU, if it has one. Substitutes are those of
// parts.
//
// When it returns, no order is still being served by what was set before; what is
// reserved stays as it is. A repeat of an order gets the answer of the first call,
// whatever the bundles are made of by then. A call costs as much as there are
// bundles, so that many are set in one.
//
// Errors: *InvalidError, also for a bundle that would lead back to itself;
// ErrOverflow, a bundle would have more than 2^31 − 1 units of a SKU; ErrClosed,
// ErrNoSpace: nothing was changed. ErrJournal, or the end of ctx: whether it lasts
// is unknown; repeat the call.
func (a *Allocator) SetBundles(ctx context.Context, set ...Bundle) error {
	if err := a.setBundles(ctx, set); err != nil {
		return fmt.Errorf("allocator: set bundles: %w", err)
	}
	return nil
}

func (a *Allocator) setBundles(ctx context.Context, set []Bundle) error {
	c, err := a.gate.AdmitSetting(ctx)
	if err != nil {
		return err
	}
	defer c.End()
	t, err := a.bundle(ctx, c.Now(), set)
	if err != nil {
		return err
	}
	return c.Wait(ctx, t)
}

// bundle is setBundles up to the ticket that is to be waited for.
func (a *Allocator) bundle(ctx context.Context, now int64, set []Bundle) (t reservation.Ticket, err error) {
	if err := a.checkBundles(set); err != nil || len(set) == 0 {
		return t, err
	}
	a.wares.setting.Lock(lock.Goods)
	defer a.wares.setting.Unlock()
	given := map[string][]Component{}
	if in := a.wares.bundles.Load(); in != nil {
		given = maps.Clone(in.given)
	}
	notes := make([]reservation.Note, len(set))
	for i := range set {
		b := &set[i]
		notes[i] = reservation.Note{Key: bundleArea + b.SKU, Value: appendParts(b.Parts)}
		if delete(given, b.SKU); len(b.Parts) > 0 {
			given[strings.Clone(b.SKU)] = slices.Clone(b.Parts)
		}
	}
	next, err := newBundles(given, a.options.MaxLines)
	if err != nil {
		return t, err
	}
	return a.publishSettings(ctx, now, notes, func() { a.wares.bundles.Store(next) })
}

// checkBundles validates each bundle by itself.
func (a *Allocator) checkBundles(set []Bundle) error {
	if err := a.checkBatch("bundles", len(set)); err != nil {
		return err
	}
	seen := make(map[string]bool, len(set))
	for i := range set {
		b := &set[i]
		field := fmt.Sprintf("bundles[%d]", i)
		if err := a.checkSKU(field+".SKU", b.SKU); err != nil {
			return err
		}
		if seen[b.SKU] {
			return &InvalidError{Field: field + ".SKU", Value: b.SKU, Why: "is in the list twice"}
		}
		seen[b.SKU] = true
		if len(b.Parts) > maxBundleParts {
			return &InvalidError{Field: field + ".Parts", Value: len(b.Parts), Why: fmt.Sprintf("must be at most %d", maxBundleParts)}
		}
		for j := range b.Parts {
			part := &b.Parts[j]
			at := fmt.Sprintf("%s.Parts[%d]", field, j)
			if err := a.checkSKU(at+".SKU", part.SKU); err != nil {
				return err
			}
			if slices.ContainsFunc(b.Parts[:j], func(c Component) bool { return c.SKU == part.SKU }) {
				return &InvalidError{Field: at + ".SKU", Value: part.SKU, Why: "is in the bundle twice"}
			}
			if part.Quantity < 1 || part.Quantity > reservation.MaxQuantity {
				return &InvalidError{Field: at + ".Quantity", Value: part.Quantity, Why: "must be 1 to 2147483647"}
			}
		}
	}
	return nil
}

// newBundles takes all bundles apart; nil if there are none. most is how many parts
// one may have then; 0: any number.
func newBundles(given map[string][]Component, most int) (*bundles, error) {
	if len(given) == 0 {
		return nil, nil
	}
	f := flattening{most: most, bundles: &bundles{given: given, flat: make(map[string][]Component, len(given))}, depth: map[string]int{}}
	for _, sku := range slices.Sorted(maps.Keys(given)) {
		if err := f.flatten(sku); err != nil {
			return nil, err
		}
	}
	return f.bundles, nil
}

// flattening is bundles being taken apart.
type flattening struct {
	*bundles
	most  int
	path  []string       // the bundles that are being taken apart, each in the one before
	depth map[string]int // of a bundle taken apart: how many are in one another
}

// flatten fills in what a bundle comes to, after the bundles in it.
func (f *flattening) flatten(sku string) error {
	if _, done := f.flat[sku]; done {
		return nil
	}
	if at := slices.Index(f.path, sku); at >= 0 {
		return &InvalidError{Field: "Parts", Value: strings.Join(append(f.path[at:], sku), " > "), Why: "is a bundle that leads back to itself"}
	}
	tooDeep := func(sku string) error {
		return &InvalidError{Field: "Parts", Value: sku, Why: fmt.Sprintf("has bundles in one another more than %d deep", maxNesting)}
	}
	if f.path = append(f.path, sku); len(f.path) > maxNesting {
		return tooDeep(f.path[0])
	}
	f.depth[sku] = 1
	sums := map[string]int64{}
	for _, part := range f.given[sku] {
		inside := []Component{{SKU: part.SKU, Quantity: 1}}
		if _, is := f.given[part.SKU]; is {
			if err := f.flatten(part.SKU); err != nil {
				return err
			}
			if f.depth[sku] = max(f.depth[sku], 1+f.depth[part.SKU]); f.depth[sku] > maxNesting {
				return tooDeep(sku)
			}
			inside = f.flat[part.SKU]
		}
		for _, c := range inside {
			// Both are below 2^31, so the product is in range.
			sum, fits := addUnits(sums[c.SKU], c.Quantity*part.Quantity)
			if !fits {
				return fmt.Errorf("bundle %s: units of SKU %s: %w", quoted(sku), quoted(c.SKU), ErrOverflow)
			}
			sums[c.SKU] = sum
		}
	}
	f.path = f.path[:len(f.path)-1]
	if f.most > 0 && len(sums) > f.most {
		return &InvalidError{Field: "Parts", Value: sku, Why: fmt.Sprintf("has %d SKUs with its bundles taken apart, more than the %d of Options.MaxLines", len(sums), f.most)}
	}
	flat := make([]Component, 0, len(sums))
	for part, units := range sums {
		flat = append(flat, Component{SKU: part, Quantity: units})
	}
	slices.SortFunc(flat, func(x, y Component) int { return cmp.Compare(x.SKU, y.SKU) })
	f.flat[sku] = flat
	return nil
}

// partsAmong is the SKUs that a line of a SKU comes to: itself, or, if it is a
// bundle that is among the lines, its parts.
func (a *Allocator) partsAmong(lines []Line, sku string) []string {
	b := a.wares.bundles.Load()
	if !b.has(sku) || !slices.ContainsFunc(lines, func(l Line) bool { return l.SKU == sku }) {
		return []string{sku}
	}
	parts := make([]string, len(b.flat[sku]))
	for i := range parts {
		parts[i] = b.flat[sku][i].SKU
	}
	return parts
}

// Bundles walks the bundles by SKU, with their parts as they were set.
func (a *Allocator) Bundles() iter.Seq[Bundle] {
	return func(yield func(Bundle) bool) {
		c, err := a.gate.Enter()
		if err != nil {
			return
		}
		defer c.End()
		b := a.wares.bundles.Load()
		if c.LeaveSettled() != nil || b == nil {
			return
		}
		for _, sku := range slices.Sorted(maps.Keys(b.given)) {
			if !yield(Bundle{SKU: sku, Parts: slices.Clone(b.given[sku])}) {
				return
			}
		}
	}
}
