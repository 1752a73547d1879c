package allocator

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"

	"github.com/clickcollect/clickcollect/allocator/internal/goods"
	"github.com/clickcollect/clickcollect/reservation"
)

// Component is a part of a bundle: so many units of a SKU in one unit of it.
type Component struct {
	SKU      string `json:"sku"`
	Quantity int64  `json:"quantity"` // 1 to 2^31 − 1
}

// Bundle is a SKU that is sold as one and picked as its parts. It has no stock of
// its own: what is received under its SKU is not sold as long as it is a bundle.
// A part may be a bundle itself; none leads back to the bundle it is in.
type Bundle struct {
	SKU   string      `json:"sku"`
	Parts []Component `json:"parts,omitempty"` // at most 256; none: the SKU is no bundle any more
}

const (
	// maxBundleParts is how many parts a bundle may have itself; with its bundles
	// taken apart it has at most Options.MaxLines.
	maxBundleParts = 256
)

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
	t, err := a.writeBundles(ctx, c.Now(), set)
	if err != nil {
		return err
	}
	return c.Wait(ctx, t)
}

// writeBundles is setBundles up to the ticket that is to be waited for.
func (a *Allocator) writeBundles(ctx context.Context, now int64, set []Bundle) (t reservation.Ticket, err error) {
	if err := a.checkBundles(set); err != nil || len(set) == 0 {
		return t, err
	}
	list := make([]goods.Bundle, len(set))
	for i := range set {
		list[i].SKU = set[i].SKU
		for _, part := range set[i].Parts {
			list[i].Parts = append(list[i].Parts, goods.Part(part))
		}
	}
	change, err := a.goods.SetBundles(list, a.options.MaxLines)
	if err != nil {
		return t, a.bundleFault(err)
	}
	defer change.End()
	return a.writeSettings(ctx, now, change)
}

// bundleFault words why a bundle cannot be taken apart.
func (a *Allocator) bundleFault(err error) error {
	var fault *goods.BundleError
	switch {
	case !errors.As(err, &fault):
		return err
	case len(fault.Path) > 0:
		return &InvalidError{Field: "Parts", Value: strings.Join(fault.Path, " > "), Why: "is a bundle that leads back to itself"}
	case fault.TooDeep:
		return &InvalidError{Field: "Parts", Value: fault.SKU, Why: fmt.Sprintf("has bundles in one another more than %d deep", goods.MaxNesting)}
	}
	return &InvalidError{Field: "Parts", Value: fault.SKU,
		Why: fmt.Sprintf("has %d SKUs with its bundles taken apart, more than the %d of Options.MaxLines", fault.Parts, a.options.MaxLines)}
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

// madeOf is the SKUs that one unit of a SKU comes to: itself, or the parts of the bundle
// that it is.
func madeOf(a *Allocator, sku string) []goods.Part {
	if parts, is := a.goods.PartsOf(sku); is {
		return parts
	}
	return []goods.Part{{SKU: sku, Quantity: 1}}
}

// levelOf is the units of a SKU at a location, of a bundle those that its parts make. False:
// nobody knows the SKU.
func (a *Allocator) levelOf(sku string, slot uint32) (level Availability, known bool) {
	parts, is := a.goods.PartsOf(sku)
	if !is {
		handle, known := a.goodsSKU(sku)
		if known {
			level = a.stockOf(handle, slot)
		}
		return level, known
	}
	onHand, sold, available := int64(math.MaxInt64), int64(math.MaxInt64), int64(math.MaxInt64)
	for _, part := range parts {
		var of Availability
		if handle, known := a.goodsSKU(part.SKU); known { // it need never have been in stock
			of = a.stockOf(handle, slot)
		}
		onHand = min(onHand, wholes(of.OnHand, part.Quantity))
		sold = min(sold, wholes(of.OnHand-of.Safety, part.Quantity))
		available = min(available, wholes(of.Available, part.Quantity))
	}
	return Availability{OnHand: onHand, Held: sold - available, Safety: onHand - sold, Available: available}, true
}

// wholes is how many times some units have others in them; units that are wanting count
// as a whole.
func wholes(units, each int64) int64 {
	if units < 0 {
		return -((each - 1 - units) / each)
	}
	return units / each
}

// partsAmong is the SKUs that a line of a SKU comes to: itself, or, if it is a
// bundle that is among the lines, its parts.
func (a *Allocator) partsAmong(lines []Line, sku string) []string {
	is, ok := a.goods.PartsOf(sku)
	if !ok || !slices.ContainsFunc(lines, func(l Line) bool { return l.SKU == sku }) {
		return []string{sku}
	}
	parts := make([]string, len(is))
	for i := range parts {
		parts[i] = is[i].SKU
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
		all := a.goods.Bundles()
		if c.LeaveSettled() != nil {
			return
		}
		for is := range all {
			b := Bundle{SKU: is.SKU, Parts: make([]Component, len(is.Parts))}
			for i, part := range is.Parts {
				b.Parts[i] = Component(part)
			}
			if !yield(b) {
				return
			}
		}
	}
}
