package allocator

import (
	"fmt"
	"slices"

	"github.com/clickcollect/clickcollect/allocator/internal/goods"
)

// maxSubstitutes is how many substitutes an order may have for one SKU.
const maxSubstitutes = 64

// choicesOf is the SKU of a line and its substitutes, the best first, as far as
// they are known. A SKU counts once.
func (p *planned) choicesOf(sku string) (choices []goods.Product, err error) {
	a, names := p.engine, p.order.Substitutes[sku]
	for i, name := range append([]string{sku}, names...) {
		if i > 0 && a.goods.IsBundle(name) {
			if p.reserved { // it became one since
				continue
			}
			return nil, &InvalidError{Field: fmt.Sprintf("Substitutes[%s]", quoted(sku)), Value: name, Why: "is a bundle"}
		}
		handle, ok := a.ledger.SKU(name)
		if ok && !slices.ContainsFunc(choices, func(g goods.Product) bool { return g.SKU == handle }) {
			choices = append(choices, p.product(handle, name))
			p.ask.Mixed = p.ask.Mixed || i > 0
		}
	}
	if len(choices) == 0 {
		return nil, fmt.Errorf("%w: %s", ErrUnknownSKU, quoted(sku))
	}
	return choices, nil
}

// checkSubstitutes refuses substitutes for a bundle, which is ordered as its parts.
func (p *planned) checkSubstitutes() error {
	for _, sku := range sorted(p.order.Substitutes) {
		if p.engine.goods.IsBundle(sku) {
			return &InvalidError{Field: "Substitutes", Value: sku, Why: "is a bundle: name the substitutes of its parts"}
		}
	}
	return nil
}

// Substituted is what an order gets instead of SKUs of its lines, by these. It is
// nil for a repeat, of which only Lines are known.
func (g Allocation) Substituted() map[string][]Line {
	if g.why == nil {
		return nil
	}
	if g.why.plan == nil {
		return g.why.instead
	}
	p := g.why.plan
	var out map[string][]Line
	for i := range p.Shares {
		if g.why.number > 0 && i != g.why.number-1 {
			continue
		}
		for _, t := range p.Shares[i].Lines {
			w := &p.Wants[t.Want]
			if sku := w.Choices[t.Choice].Name; sku != w.Name {
				if out == nil {
					out = map[string][]Line{}
				}
				out[w.Name] = addLine(out[w.Name], sku, t.Units)
			}
		}
	}
	return out
}
