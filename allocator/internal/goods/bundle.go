package goods

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/clickcollect/clickcollect/reservation"
	"github.com/clickcollect/clickcollect/reservation/excerpt"
	"github.com/clickcollect/clickcollect/reservation/lock"
)

// Part is so many units of a SKU in one unit of a bundle.
type Part struct {
	SKU      string
	Quantity int64 // 1 to reservation.MaxQuantity
}

// Bundle is a SKU that is sold as one and picked as its parts, which may be bundles;
// without parts it is none any more.
type Bundle struct {
	SKU   string
	Parts []Part
}

// MaxNesting is how deep bundles may be in one another.
const MaxNesting = 16

// BundleError says why a bundle cannot be taken apart. Exactly one of the cases holds.
type BundleError struct {
	SKU     string
	Path    []string // from the bundle back to itself
	TooDeep bool     // it has more than MaxNesting in one another
	Parts   int      // it comes to so many SKUs, which are too many
}

// Error says it in words.
func (e *BundleError) Error() string {
	switch {
	case len(e.Path) > 0:
		return fmt.Sprintf("bundle %s leads back to itself", excerpt.Cut(strings.Join(e.Path, " > ")))
	case e.TooDeep:
		return fmt.Sprintf("bundle %s has bundles in one another more than %d deep", excerpt.Quote(e.SKU), MaxNesting)
	}
	return fmt.Sprintf("bundle %s comes to %d SKUs", excerpt.Quote(e.SKU), e.Parts)
}

// bundles is what every bundle is made of. nil has none. It is immutable.
type bundles struct {
	given map[string][]Part // as they were set
	flat  map[string][]Part // down to SKUs that are no bundles, ascending
}

func (b *bundles) has(sku string) bool {
	if b == nil {
		return false
	}
	_, ok := b.flat[sku]
	return ok
}

// SetBundles begins to set what bundles are made of, all of them or none. No bundle may
// come to more SKUs than most. End must follow.
//
// Errors: *BundleError; reservation.ErrOverflow. Nothing was changed.
func (g *Goods) SetBundles(set []Bundle, most int) (*Change, error) {
	g.setting.Lock(lock.Goods)
	given := map[string][]Part{}
	if in := g.bundles.Load(); in != nil {
		given = maps.Clone(in.given)
	}
	ch := &Change{goods: g, notes: make([]reservation.Note, len(set))}
	for i := range set {
		b := &set[i]
		ch.notes[i] = reservation.Note{Key: bundleArea + b.SKU, Value: appendParts(b.Parts)}
		if delete(given, b.SKU); len(b.Parts) > 0 {
			given[strings.Clone(b.SKU)] = slices.Clone(b.Parts)
		}
	}
	var err error
	if ch.bundles, err = newBundles(given, most); err != nil {
		ch.End()
		return nil, err
	}
	return ch, nil
}

// newBundles takes bundles apart; nil if there are none. most: so many SKUs each may
// come to; 0: no matter.
func newBundles(given map[string][]Part, most int) (*bundles, error) {
	if len(given) == 0 {
		return nil, nil
	}
	f := flattening{most: most, bundles: &bundles{given: given, flat: make(map[string][]Part, len(given))}, depth: map[string]int{}}
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
		return &BundleError{SKU: sku, Path: append(f.path[at:], sku)}
	}
	if f.path = append(f.path, sku); len(f.path) > MaxNesting {
		return &BundleError{SKU: f.path[0], TooDeep: true}
	}
	f.depth[sku] = 1
	sums := map[string]int64{}
	for _, part := range f.given[sku] {
		inside := []Part{{SKU: part.SKU, Quantity: 1}}
		if _, is := f.given[part.SKU]; is {
			if err := f.flatten(part.SKU); err != nil {
				return err
			}
			if f.depth[sku] = max(f.depth[sku], 1+f.depth[part.SKU]); f.depth[sku] > MaxNesting {
				return &BundleError{SKU: sku, TooDeep: true}
			}
			inside = f.flat[part.SKU]
		}
		for _, c := range inside {
			units := c.Quantity * part.Quantity // both are below 2^31, so it is in range
			if units > reservation.MaxQuantity || sums[c.SKU]+units > reservation.MaxQuantity {
				return fmt.Errorf("bundle %s: units of SKU %s: %w", excerpt.Quote(sku), excerpt.Quote(c.SKU), reservation.ErrOverflow)
			}
			sums[c.SKU] += units
		}
	}
	f.path = f.path[:len(f.path)-1]
	if f.most > 0 && len(sums) > f.most {
		return &BundleError{SKU: sku, Parts: len(sums)}
	}
	flat := make([]Part, 0, len(sums))
	for part, units := range sums {
		flat = append(flat, Part{SKU: part, Quantity: units})
	}
	slices.SortFunc(flat, func(x, y Part) int { return cmp.Compare(x.SKU, y.SKU) })
	f.flat[sku] = flat
	return nil
}

// IsBundle reports whether a SKU is a bundle. It takes no lock.
func (g *Goods) IsBundle(sku string) bool { return g.bundles.Load().has(sku) }

// PartsOf is the SKUs, none of them a bundle, that one unit of a bundle comes to,
// ascending; false: it is none. The caller must not change them.
func (g *Goods) PartsOf(sku string) ([]Part, bool) {
	b := g.bundles.Load()
	if b == nil {
		return nil, false
	}
	parts, ok := b.flat[sku]
	return parts, ok
}

// Bundles walks the bundles by SKU, with their parts as they were set, which are the
// caller's.
func (g *Goods) Bundles() iter.Seq[Bundle] {
	return func(yield func(Bundle) bool) {
		b := g.bundles.Load()
		if b == nil {
			return
		}
		for _, sku := range slices.Sorted(maps.Keys(b.given)) {
			if !yield(Bundle{SKU: sku, Parts: slices.Clone(b.given[sku])}) {
				return
			}
		}
	}
}
