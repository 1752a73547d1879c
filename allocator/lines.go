package allocator

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/clickcollect/clickcollect/allocator/internal/goods"
	"github.com/clickcollect/clickcollect/allocator/internal/plan"
	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/reservation"
)

// wantsGoods tells the orders that the hot path does not serve for their goods: of
// bundles, and of SKUs with lots.
func (a *Allocator) wantsGoods(lines []Line) bool {
	if a.goods.Plain() {
		return false
	}
	for i := range lines {
		if !a.goods.IsPlain(lines[i].SKU) {
			return true
		}
	}
	return false
}

// formLine is what an order wants of one SKU, in one form.
type formLine = goods.Line[sourcing.Form]

// takenApart is the lines of an order checked, with bundles taken apart and the same
// SKUs summed, ascending by SKU. A part of a bundle goes the way that forms has for it,
// else that of the bundle.
func (a *Allocator) takenApart(lines []Line, forms map[string]sourcing.Form, form sourcing.Form) ([]formLine, error) {
	out, err := a.summed(lines, forms, form)
	if err != nil {
		return nil, err
	}
	out, err = goods.TakeApart(a.goods, out, forms, a.options.MaxLines)
	return out, a.linesFault(err)
}

// linesFault words what the lines of an order have wrong together.
func (a *Allocator) linesFault(err error) error {
	var way *goods.WayError
	var lines *goods.LinesError
	switch {
	case errors.As(err, &way):
		return &InvalidError{Field: fmt.Sprintf("Forms[%s]", quoted(way.SKU)), Value: "",
			Why: "must say how the SKU goes: its line goes another way than a bundle that it is in, or two bundles do"}
	case errors.As(err, &lines):
		return &InvalidError{Field: "Lines", Value: lines.Lines,
			Why: fmt.Sprintf("has more lines than the %d of Options.MaxLines, with bundles taken apart", a.options.MaxLines)}
	}
	return err
}

// summed checks the lines of an order and sums those of the same SKU, ascending by
// SKU, bundles as they are.
func (a *Allocator) summed(lines []Line, forms map[string]sourcing.Form, form sourcing.Form) ([]formLine, error) {
	out := make([]formLine, 0, len(lines))
	over := -1
	for i, line := range lines {
		if line.Quantity < 1 {
			return nil, &InvalidError{Field: fmt.Sprintf("Lines[%d].Quantity", i), Value: line.Quantity, Why: "must be 1 or more"}
		}
		if err := a.checkSKU(fmt.Sprintf("Lines[%d].SKU", i), line.SKU); err != nil {
			return nil, err
		}
		if line.Quantity > reservation.MaxQuantity && over < 0 {
			over = i
		}
		f := form
		if own, ok := forms[line.SKU]; ok {
			f = own
		}
		out = append(out, formLine{SKU: line.SKU, Units: line.Quantity, Way: f})
	}
	if over >= 0 {
		return nil, fmt.Errorf("%d units of SKU %s in Lines[%d]: %w", lines[over].Quantity, quoted(lines[over].SKU), over, ErrOverflow)
	}
	out, err := goods.Sum(out)
	return out, a.linesFault(err)
}

// product is a SKU with the cells an order may take it from: what is set aside for
// its channel, then lots, the first to expire in front, then what has no date.
func (p *planned) product(sku uint32, name string) goods.Product {
	quota, ok := p.engine.channels.Quota(p.order.Channel, sku)
	return p.engine.goods.Product(sku, name, quota, ok, p.ask.Now)
}

// wantOf is the place of a SKU among the wants; below 0: it is not there.
func (p *planned) wantOf(sku string) int {
	at, ok := slices.BinarySearchFunc(p.ask.Wants, sku, func(w plan.Want, sku string) int { return cmp.Compare(w.Name, sku) })
	if !ok {
		return -1
	}
	return at
}
