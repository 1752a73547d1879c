package allocator

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/clickcollect/clickcollect/allocator/walk"
	"github.com/clickcollect/clickcollect/reservation"
)

// orderSource walks reservations.
type orderSource struct{ walker }

// Orders is the walk of those that a filter passes.
func (o orderSource) Orders(f walk.Filter) walk.Walk[Reservation] {
	f.States = slices.Clone(f.States)
	return walk.New(func(ctx context.Context, cursor string, limit int) (walk.Page[Reservation], error) {
		p, err := o.page(ctx, &f, cursor, limit)
		if err != nil {
			return walk.Page[Reservation]{}, fmt.Errorf("allocator: walk of orders: %w", err)
		}
		return p, nil
	})
}

// Loads is how many live reservations each location has.
func (o orderSource) Loads() iter.Seq2[string, int] {
	return func(yield func(string, int) bool) {
		t := o.places.Load()
		for slot := range t.Slots() {
			if p := t.Place(slot); !p.Gone() && !yield(p.ID, o.ledger.Live(slot)) {
				return
			}
		}
	}
}

func (o orderSource) page(ctx context.Context, f *walk.Filter, cursor string, limit int) (p walk.Page[Reservation], err error) {
	if err := ctx.Err(); err != nil {
		return p, err
	}
	c, err := o.gate.Enter()
	if err != nil {
		return p, err
	}
	defer c.End()
	at, err := o.begin("orders", f, cursor, &limit)
	var passes filter
	if err == nil {
		passes, err = o.filter(f)
	}
	if err == nil {
		p, err = o.collect(ctx, &at, &passes, limit)
	}
	if err != nil {
		c.Leave()
		return p, err
	}
	last := at.sequence
	for i := range p.Items {
		last = max(last, p.Items[i].Sequence)
	}
	return p, c.LeaveRead(reservation.Ticket{Sequence: last})
}

// collect is a page.
func (o orderSource) collect(ctx context.Context, at *place, passes *filter, limit int) (p walk.Page[Reservation], err error) {
	p.Sequence = at.sequence
	looked := 0
	for id, e := range o.behind(at, passes) {
		if looked++; looked%256 == 0 && ctx.Err() != nil {
			return p, ctx.Err()
		}
		if passes.this(o.ledger, e) {
			r := o.a.reservation(id, e, nil)
			r.Apart = o.apart(e)
			p.Items = append(p.Items, r)
		}
		if len(p.Items) == limit || looked == mostLooked {
			at.at = append([]byte{byte(e.Part)}, id...)
			p.Next = o.cursor(at)
			break
		}
	}
	return p, nil
}

// apart tells the units of lots and quotas apart.
func (o orderSource) apart(e *reservation.Entry) (all []walk.ApartLine) {
	if !slices.ContainsFunc(e.Lines, func(l reservation.EntryLine) bool { return o.ledger.Base(l.SKU) != l.SKU }) {
		return nil
	}
	for i := range e.Lines {
		l := &e.Lines[i]
		if o.ledger.Resource(l.SKU) {
			continue
		}
		all = append(all, walk.ApartLine{SKU: o.ledger.SKUName(o.ledger.Base(l.SKU)), Mark: markOf(o.ledger.SKUName(l.SKU)), Quantity: l.Quantity, Held: l.Held,
			Confirmed: l.Confirmed, Collected: l.Collected, Missing: l.Missing, Expired: l.Lapsed, Canceled: l.Canceled(), Returned: l.Returned, Short: l.Short, Rerouted: l.Rerouted})
	}
	return all
}

// behind is what comes behind a place: all reservations, or those of a reference.
func (o orderSource) behind(at *place, passes *filter) iter.Seq2[string, *reservation.Entry] {
	var after []reservation.Name
	if len(at.at) > 0 {
		after = append(after, reservation.PartName(string(at.at[1:]), int(at.at[0])))
	}
	var names iter.Seq[reservation.Name]
	switch {
	case passes.Order != "":
		names = o.ledger.OfOrder(passes.Order)
	case passes.Customer != "":
		names = o.ledger.OfCustomer(passes.Customer)
	default:
		return o.ledger.All(after...)
	}
	return func(yield func(string, *reservation.Entry) bool) {
		var e reservation.Entry
		for n := range names {
			if len(after) > 0 && n.Compare(after[0]) <= 0 || !o.ledger.FindPart(n.ID, int(n.Part), &e) {
				continue
			}
			if !yield(n.ID, &e) {
				return
			}
		}
	}
}

// filter is a walk.Filter in the ledger's terms.
type filter struct {
	*walk.Filter
	sku          uint32
	from, before int64 // milliseconds
}

// filter checks a filter.
func (o orderSource) filter(f *walk.Filter) (t filter, err error) {
	t.Filter = f
	for i, s := range f.States {
		if s < Held || s > ReturnedToSender {
			return t, &InvalidError{Field: fmt.Sprintf("States[%d]", i), Value: uint8(s), Why: "is not a state"}
		}
	}
	if f.Location != "" {
		if _, ok := o.ledger.Slot(f.Location); !ok {
			return t, fmt.Errorf("%w: %s", ErrUnknownLocation, quoted(f.Location))
		}
	}
	if f.SKU != "" {
		ok := false
		if t.sku, ok = o.a.goodsSKU(f.SKU); !ok {
			return t, fmt.Errorf("%w: %s", ErrUnknownSKU, quoted(f.SKU))
		}
	}
	t.from, t.before = f.MadeFrom.UnixMilli(), f.MadeBefore.UnixMilli()
	return t, nil
}

// this tells the reservations that pass.
func (f *filter) this(ledger *reservation.Ledger, e *reservation.Entry) bool {
	switch {
	case len(f.States) > 0 && !slices.Contains(f.States, e.State):
	case f.Order != "" && e.Order != f.Order, f.Customer != "" && e.Customer != f.Customer:
	case !f.MadeFrom.IsZero() && e.Since < f.from, !f.MadeBefore.IsZero() && e.Since >= f.before:
	case e.Sequence <= f.ChangedAfter && f.ChangedAfter > 0:
	case f.Location != "" && ledger.SlotName(e.Slot) != f.Location: // a name may have had several slots
	case f.SKU != "" && !slices.ContainsFunc(e.Lines, func(l reservation.EntryLine) bool { return ledger.Base(l.SKU) == f.sku }):
	default:
		return true
	}
	return false
}
