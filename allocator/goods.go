package allocator

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/reservation"
	"github.com/clickcollect/clickcollect/reservation/lock"
)

// wares is what is set for SKUs: of what bundles are made, and how long goods must
// last. The tables are replaced as a whole; orders read them without a lock.
type wares struct {
	setting lock.Mutex // one change at a time
	bundles atomic.Pointer[bundles]
	lives   atomic.Pointer[map[string]int64] // by SKU, in milliseconds; nil: none
	lotted  atomic.Bool                      // there are lots of some SKU
	lots    sync.Map                         // lotList by handle of the SKU, made when first needed
}

// wantsGoods tells the orders that the hot path does not serve for their goods: of
// bundles, and of SKUs with lots.
func (a *Allocator) wantsGoods(lines []Line) bool {
	b, lotted := a.wares.bundles.Load(), a.wares.lotted.Load()
	if b == nil && !lotted {
		return false
	}
	for i := range lines {
		if b.has(lines[i].SKU) {
			return true
		}
		if sku, ok := a.ledger.SKU(lines[i].SKU); ok && lotted && a.hasLots(sku) {
			return true
		}
	}
	return false
}

// exploded is what an order wants of one SKU, in one form.
type exploded struct {
	sku   string
	units int64
	form  sourcing.Form
}

// explode takes bundles apart and sums the lines of the same SKU, ascending by
// SKU. A part of a bundle goes the way that forms has for it, else that of the
// bundle.
func (a *Allocator) explode(lines []Line, forms map[string]sourcing.Form, form sourcing.Form) ([]exploded, error) {
	out, err := a.summed(lines, forms, form)
	if err != nil {
		return nil, err
	}
	b := a.wares.bundles.Load()
	if b == nil || !slices.ContainsFunc(out, func(e exploded) bool { return b.has(e.sku) }) {
		return out, nil
	}
	all := make([]exploded, 0, len(out))
	for _, e := range out {
		parts, is := b.flat[e.sku]
		if !is {
			all = append(all, e)
			continue
		}
		if len(all)+len(parts) > 2*a.options.MaxLines {
			return nil, a.tooManyParts(len(all) + len(parts))
		}
		for _, part := range parts {
			f := e.form
			if own, ok := forms[part.SKU]; ok {
				f = own
			}
			// Both are below 2^31, so the product is in range.
			all = append(all, exploded{part.SKU, part.Quantity * e.units, f})
		}
	}
	slices.SortStableFunc(all, func(x, y exploded) int { return cmp.Compare(x.sku, y.sku) })
	if out, err = addedUp(all); err == nil && len(out) > a.options.MaxLines {
		err = a.tooManyParts(len(out))
	}
	return out, err
}

func (a *Allocator) tooManyParts(n int) error {
	return &InvalidError{Field: "Lines", Value: n,
		Why: fmt.Sprintf("has more lines than the %d of Options.MaxLines, with bundles taken apart", a.options.MaxLines)}
}

// summed checks the lines of an order and sums those of the same SKU, ascending by
// SKU, bundles as they are.
func (a *Allocator) summed(lines []Line, forms map[string]sourcing.Form, form sourcing.Form) ([]exploded, error) {
	out := make([]exploded, 0, len(lines))
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
		out = append(out, exploded{line.SKU, line.Quantity, f})
	}
	if over >= 0 {
		return nil, fmt.Errorf("%d units of SKU %s in Lines[%d]: %w", lines[over].Quantity, quoted(lines[over].SKU), over, ErrOverflow)
	}
	slices.SortFunc(out, func(x, y exploded) int { return cmp.Compare(x.sku, y.sku) })
	return addedUp(out)
}

// addedUp adds up neighbours of the same SKU.
func addedUp(all []exploded) ([]exploded, error) {
	out := all[:0]
	for _, e := range all {
		if e.units > reservation.MaxQuantity {
			return nil, fmt.Errorf("%d units of SKU %s over all lines: %w", e.units, quoted(e.sku), ErrOverflow)
		}
		n := len(out)
		if n == 0 || out[n-1].sku != e.sku {
			out = append(out, e)
			continue
		}
		last := &out[n-1]
		if last.form != e.form {
			return nil, &InvalidError{Field: fmt.Sprintf("Forms[%s]", quoted(e.sku)), Value: "",
				Why: "must say how the SKU goes: its line goes another way than a bundle that it is in, or two bundles do"}
		}
		if last.units += e.units; last.units > reservation.MaxQuantity {
			return nil, fmt.Errorf("%d units of SKU %s over all lines: %w", last.units, quoted(e.sku), ErrOverflow)
		}
	}
	return out, nil
}

// product is a SKU with the cells an order may take it from: what is set aside for
// its channel, then lots, the first to expire in front, then what has no date.
func (p *plan) product(sku uint32) product {
	lots := p.engine.lotsOf(sku).since(p.now)
	from := make([]source, 0, 2+len(lots))
	if quota, ok := p.engine.channels.Quota(p.order.Channel, sku); ok {
		from = append(from, source{sku: quota, quota: true})
	}
	from = append(from, lots...)
	return product{sku: sku, from: append(from, source{sku: sku})}
}

// there is how many units of a SKU an order could have from a candidate, of a
// bundle as many as its parts make.
func (p *plan) there(sku string, c *sourcing.Candidate) int64 {
	parts := []Component{{SKU: sku, Quantity: 1}}
	if b := p.engine.wares.bundles.Load(); b.has(sku) {
		parts = b.flat[sku]
	}
	slot, least := p.topology.Slot(c.Number), int64(-1)
	for _, part := range parts {
		units := int64(0)
		for i := range p.wants {
			w := &p.wants[i]
			if w.name != part.SKU {
				continue
			}
			if g := &w.choices[0]; p.engine.ledger.SKUName(g.sku) == w.name {
				units, _ = p.has(g, c.Number, slot, millis(c.Ready), reservation.MaxQuantity)
			}
		}
		if units /= part.Quantity; least < 0 || units < least {
			least = units
		}
	}
	return max(least, 0)
}

// life is how long goods of a SKU must last after they are ready, in
// milliseconds.
func (p *plan) life(sku uint32) int64 {
	lives := p.engine.wares.lives.Load()
	if lives == nil {
		return 0
	}
	return (*lives)[p.engine.ledger.SKUName(sku)]
}

// recoverGoods finds what was set for SKUs before the engine was closed.
func (a *Allocator) recoverGoods() error {
	given := map[string][]Component{}
	for note := range a.ledger.Notes(bundleArea) {
		parts, err := takeParts(note.Value)
		if err != nil {
			return fmt.Errorf("note %s: %w", quoted(note.Key), err)
		}
		given[note.Key[len(bundleArea):]] = parts
	}
	next, err := newBundles(given, 0)
	if err != nil {
		return fmt.Errorf("bundles: %w: %w", err, ErrCorrupt)
	}
	a.wares.bundles.Store(next)
	lives := map[string]int64{}
	for note := range a.ledger.Notes(lifeArea) {
		ms, err := takeLife(note.Value)
		if err != nil {
			return fmt.Errorf("note %s: %w", quoted(note.Key), err)
		}
		lives[note.Key[len(lifeArea):]] = ms
	}
	if len(lives) > 0 {
		a.wares.lives.Store(&lives)
	}
	for sku := range uint32(a.ledger.SKUs()) {
		if _, _, ok := reservation.LotOf(a.ledger.SKUName(sku)); ok {
			a.wares.lotted.Store(true)
			break
		}
	}
	return nil
}

// The notes of SKUs have the SKU behind the area as their key.
//
//	bundle  1 byte version, 1
//	        for each part: its SKU's length, its SKU, its quantity
//	life    1 byte version, 1; milliseconds
//
// Numbers are uvarints.
const (
	bundleArea   = "goods/bundle/"
	lifeArea     = "goods/life/"
	goodsVersion = 1
)

// appendParts is a bundle's note; empty for none.
func appendParts(parts []Component) []byte {
	if len(parts) == 0 {
		return nil
	}
	b := []byte{goodsVersion}
	for _, part := range parts {
		b = binary.AppendUvarint(b, uint64(len(part.SKU)))
		b = append(b, part.SKU...)
		b = binary.AppendUvarint(b, uint64(part.Quantity))
	}
	return b
}

var errMalformed = errors.New("malformed")

// takeParts reads what appendParts wrote.
func takeParts(b []byte) (parts []Component, err error) {
	if len(b) > 0 && b[0] > goodsVersion {
		return nil, ErrNewer
	}
	if len(b) < 2 {
		return nil, fmt.Errorf("%w: %w", errMalformed, ErrCorrupt)
	}
	for b = b[1:]; len(b) > 0; {
		size, n := binary.Uvarint(b)
		if n <= 0 || size > uint64(len(b)-n) {
			return nil, fmt.Errorf("%w: %w", errMalformed, ErrCorrupt)
		}
		part := Component{SKU: string(b[n : n+int(size)])}
		b = b[n+int(size):]
		units, n := binary.Uvarint(b)
		if n <= 0 || units == 0 || units > reservation.MaxQuantity {
			return nil, fmt.Errorf("%w: %w", errMalformed, ErrCorrupt)
		}
		part.Quantity, b = int64(units), b[n:]
		parts = append(parts, part)
	}
	return parts, nil
}

// appendLife is the note of a shelf life; empty for none.
func appendLife(ms int64) []byte {
	if ms == 0 {
		return nil
	}
	return binary.AppendUvarint([]byte{goodsVersion}, uint64(ms))
}

// takeLife reads what appendLife wrote.
func takeLife(b []byte) (int64, error) {
	if len(b) > 0 && b[0] > goodsVersion {
		return 0, ErrNewer
	}
	if len(b) < 2 {
		return 0, fmt.Errorf("%w: %w", errMalformed, ErrCorrupt)
	}
	ms, n := binary.Uvarint(b[1:])
	if n <= 0 || 1+n != len(b) || ms > uint64(maxShelf.Milliseconds()) {
		return 0, fmt.Errorf("%w: %w", errMalformed, ErrCorrupt)
	}
	return int64(ms), nil
}
