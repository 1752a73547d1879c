package allocator

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/clickcollect/clickcollect/allocator/walk"
)

// stockSource walks, reads and sums units.
type stockSource struct{ walker }

// AvailableTo is what a channel could take.
func (s stockSource) AvailableTo(channel, sku, location string) (int64, error) {
	return s.a.availableTo(channel, sku, location)
}

// Cells is the walk of the cells of a SKU, of a location, or of all.
func (s stockSource) Cells(of walk.Key) walk.Walk[walk.Cell] {
	return walk.New(func(ctx context.Context, cursor string, limit int) (walk.Page[walk.Cell], error) {
		p, err := s.page(ctx, of, cursor, limit)
		if err != nil {
			return walk.Page[walk.Cell]{}, fmt.Errorf("allocator: walk of stock: %w", err)
		}
		return p, nil
	})
}

func (s stockSource) page(ctx context.Context, of walk.Key, cursor string, limit int) (p walk.Page[walk.Cell], err error) {
	err = s.settled(ctx, func() error {
		at, err := s.begin("stock", of, cursor, &limit)
		if err != nil {
			return err
		}
		r := cellRange{source: s, ctx: ctx, limit: limit, number: s.ledger.Journal().Last}
		if err := r.bound(of); err != nil {
			return err
		}
		p.Sequence = at.sequence
		next, err := r.from(at.at)
		if p.Items = r.cells; next != nil {
			at.at = next
			p.Next = s.cursor(&at)
		}
		return err
	})
	return p, err
}

// settled reads, and returns when what was read lasts.
func (s stockSource) settled(ctx context.Context, read func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c, err := s.gate.Enter()
	if err != nil {
		return err
	}
	defer c.End()
	if err := read(); err != nil {
		c.Leave()
		return err
	}
	return c.LeaveSettled()
}

// cellRange collects a page: by SKU, and of one SKU by location, in the order in which
// they were first named.
type cellRange struct {
	source stockSource
	ctx    context.Context
	limit  int
	number uint64 // everything up to it is in what is read

	sku, skus uint32 // from, and how far
	slot      uint32 // the one location, if there is one
	one       bool
	looked    int
	cells     []walk.Cell
}

// bound says of which SKU, and of which location.
func (r *cellRange) bound(of walk.Key) error {
	s := r.source
	ok := false
	r.skus = uint32(s.ledger.SKUs())
	if of.SKU != "" {
		if r.sku, ok = s.a.goodsSKU(of.SKU); !ok {
			return fmt.Errorf("%w: %s", ErrUnknownSKU, quoted(of.SKU))
		}
		r.skus = r.sku + 1
	}
	if of.Location != "" {
		if r.slot, ok = s.ledger.Slot(of.Location); !ok {
			return fmt.Errorf("%w: %s", ErrUnknownLocation, quoted(of.Location))
		}
		r.one = true
	}
	return nil
}

// from collects what comes from a place on, and returns the place to go on from, nil at
// the end.
func (r *cellRange) from(at []byte) (next []byte, err error) {
	slot := uint32(0)
	if len(at) > 0 {
		sku, n := binary.Uvarint(at)
		first, _ := binary.Uvarint(at[max(n, 0):])
		r.sku, slot = uint32(sku), uint32(first)
	}
	for ; r.sku < r.skus; r.sku, slot = r.sku+1, 0 {
		if goOn, err := r.look(r.sku, 0, false); !goOn {
			return binary.AppendUvarint(binary.AppendUvarint(nil, uint64(r.sku)), uint64(slot)), err
		}
		if r.source.ledger.Resource(r.sku) || r.source.ledger.Base(r.sku) != r.sku {
			continue
		}
		for slot, ok := range r.slots(slot) {
			if goOn, err := r.look(r.sku, slot, ok); !goOn {
				return binary.AppendUvarint(binary.AppendUvarint(nil, uint64(r.sku)), uint64(slot)), err
			}
		}
	}
	return nil, nil
}

// slots is the locations of the SKU from one on; each with true.
func (r *cellRange) slots(from uint32) func(yield func(slot uint32, ok bool) bool) {
	return func(yield func(slot uint32, ok bool) bool) {
		t := r.source.ledger.Table()
		if r.one {
			if t.HasCell(r.sku, r.slot) {
				yield(r.slot, true)
			}
			return
		}
		const some = 256
		for more := true; more; {
			found := t.SlotsFrom(r.sku, from, some, nil)
			for _, slot := range found {
				if !yield(slot, true) {
					return
				}
				from = slot + 1
			}
			more = len(found) == some
		}
	}
}

// look reads a cell, unless it is only time to look at the clock: false ends the page,
// before that cell.
func (r *cellRange) look(sku, slot uint32, cell bool) (goOn bool, err error) {
	if r.looked++; r.looked%256 == 0 {
		if err := r.ctx.Err(); err != nil {
			return false, err
		}
	}
	if len(r.cells) == r.limit || r.looked > mostLooked {
		return false, nil
	}
	if cell {
		if c, some := r.source.cell(sku, slot, r.number); some {
			r.cells = append(r.cells, c)
		}
	}
	return true, nil
}

// cell reads a cell; some: there are units on hand, or held.
func (s stockSource) cell(sku, slot uint32, number uint64) (c walk.Cell, some bool) {
	var few [8]Availability
	all := s.ledger.AvailableAll(sku, slot, few[:0]) // under the floor: whatever was recorded before shows
	for i := range all {
		v := &all[i]
		c.OnHand += v.OnHand
		c.Held += v.Held
		c.Safety += v.Safety
		c.Available += v.Available
		some = some || v.OnHand != 0 || v.Held != 0
	}
	if !some {
		return c, false
	}
	c.SKU, c.Location, c.Sequence = s.ledger.SKUName(sku), s.ledger.SlotName(slot), number
	if len(all) == 1 {
		return c, true
	}
	for i, v := range all {
		if v.OnHand == 0 {
			continue
		}
		shelf := walk.Shelf{OnHand: v.OnHand}
		if i > 0 {
			shelf.Mark = markOf(s.ledger.SKUName(s.ledger.Subs(sku)[i-1]))
		}
		c.Shelves = append(c.Shelves, shelf)
	}
	return c, true
}

// Read reads many cells.
func (s stockSource) Read(ctx context.Context, keys []walk.Key) (cells []walk.Cell, err error) {
	err = s.settled(ctx, func() error {
		if len(keys) > largestPage {
			return &InvalidError{Field: "keys", Value: len(keys), Why: fmt.Sprintf("must be %d at most", largestPage)}
		}
		number := s.ledger.Journal().Last
		cells = make([]walk.Cell, len(keys))
		for i, k := range keys {
			if i%256 == 255 && ctx.Err() != nil {
				return ctx.Err()
			}
			sku, known := s.a.goodsSKU(k.SKU)
			slot, there := s.ledger.Slot(k.Location)
			if known && there {
				cells[i], _ = s.cell(sku, slot, number)
			}
			cells[i].Key, cells[i].Sequence, cells[i].Unknown = k, number, !known || !there
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("allocator: read stock: %w", err)
	}
	return cells, nil
}

// mostSums is how many SKUs one call adds up.
const mostSums = 1000

// Sum adds up.
func (s stockSource) Sum(ctx context.Context, of walk.Sums) (sums []walk.Sum, err error) {
	err = s.settled(ctx, func() error {
		if len(of.SKUs) > mostSums {
			return &InvalidError{Field: "SKUs", Value: len(of.SKUs), Why: fmt.Sprintf("must be %d at most", mostSums)}
		}
		if err := s.a.checkListed("Groups", len(of.Groups)); err != nil {
			return err
		}
		var adding adder
		adding, err = s.adder(ctx, &of)
		if err == nil {
			err = adding.confirmed()
		}
		sums = adding.sums
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("allocator: sum of stock: %w", err)
	}
	return sums, nil
}

// adder adds up the units of SKUs.
type adder struct {
	source stockSource
	ctx    context.Context
	groups []string
	sums   []walk.Sum
	of     map[uint32][]int // where the first sum of a SKU is; a SKU may be asked for twice
}

// adder adds up what is in the cells.
func (s stockSource) adder(ctx context.Context, of *walk.Sums) (a adder, err error) {
	a = adder{source: s, ctx: ctx, groups: of.Groups, of: map[uint32][]int{}}
	for _, name := range of.SKUs {
		first := len(a.sums)
		sku, known := s.a.goodsSKU(name)
		for _, group := range a.groups {
			a.sums = append(a.sums, walk.Sum{SKU: name, Group: group, Unknown: !known})
		}
		if len(a.groups) == 0 {
			a.sums = append(a.sums, walk.Sum{SKU: name, Unknown: !known})
		}
		if !known {
			continue
		}
		a.of[sku] = append(a.of[sku], first)
		r := cellRange{source: s, ctx: ctx, limit: 1, sku: sku}
		for slot := range r.slots(0) {
			if r.looked++; r.looked%256 == 0 && ctx.Err() != nil {
				return a, ctx.Err()
			}
			c, some := s.cell(sku, slot, 0)
			for at := range a.at(first, slot) {
				if sum := &a.sums[at]; some {
					sum.Locations++
					sum.OnHand += c.OnHand
					sum.Held += c.Held
					sum.Safety += c.Safety
					sum.Available += c.Available
				}
			}
		}
	}
	return a, nil
}

// at is the sums of a SKU, of which the first is there, to which a location adds.
func (a *adder) at(first int, slot uint32) func(yield func(at int) bool) {
	return func(yield func(at int) bool) {
		if len(a.groups) == 0 {
			yield(first)
			return
		}
		places := a.source.places.Load()
		if slot >= places.Slots() {
			return
		}
		terms := places.Place(slot).Terms
		for i, group := range a.groups {
			if terms != nil && slices.Contains(terms.Groups, group) && !yield(first+i) {
				return
			}
		}
	}
}

// confirmed adds up what is held for good, in one pass over the reservations.
func (a *adder) confirmed() error {
	looked := 0
	ledger := a.source.ledger
	for _, e := range ledger.All() {
		if looked++; looked%256 == 0 && a.ctx.Err() != nil {
			return a.ctx.Err()
		}
		if e.State.Ended() || e.State.OnRoad() {
			continue
		}
		for i := range e.Lines {
			for _, first := range a.of[ledger.Base(e.Lines[i].SKU)] {
				for at := range a.at(first, e.Slot) {
					a.sums[at].Confirmed += e.Lines[i].Confirmed
				}
			}
		}
	}
	return nil
}
