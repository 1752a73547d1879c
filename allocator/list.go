package allocator

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/clickcollect/clickcollect/reservation"
)

// Listing asks for reservations: those of one location, of one order reference
// or of one customer reference. Exactly one of the three must be given.
type Listing struct {
	Location string  `json:"location,omitempty"` // live reservations there, in promise order: the pick list
	Order    string  `json:"order,omitempty"`    // all reservations of the reference, live and remembered, by ID and part
	Customer string  `json:"customer,omitempty"` // likewise
	States   []State `json:"states,omitempty"`   // empty: any

	After string `json:"after,omitempty"` // Page.Next of the page before; empty: from the beginning
	Limit int    `json:"limit,omitempty"` // reservations at most, 1 to 10,000; 0: 100
}

// Page is a part of a listing. Each part of an order is a reservation of its own in it.
type Page struct {
	Reservations []Reservation `json:"reservations"`
	Next         string        `json:"next,omitempty"` // for Listing.After; empty: there are no more
}

const (
	standardPage = 100
	largestPage  = 10_000
)

// List returns a page of reservations. A location's come in promise order: by
// Promise, then those without one by the deadline that applies (of the pickup
// or of the hold), then those without a deadline by ID. The cursor names the
// place in that order, so pages under traffic leave nothing out that keeps its
// place. A page of a location costs its length and what has changed there since the
// page before; the first one ever costs a look at each live reservation there. A
// page of a reference costs as much as there are of that reference.
//
// Errors: *InvalidError, ErrUnknownLocation, ErrClosed; ErrJournal: what was read
// is not known to last.
func (a *Allocator) List(ctx context.Context, q Listing) (Page, error) {
	if err := ctx.Err(); err != nil {
		return Page{}, fmt.Errorf("allocator: list: %w", err)
	}
	c, err := a.gate.Enter()
	if err != nil {
		return Page{}, fmt.Errorf("allocator: list: %w", err)
	}
	defer c.End()
	page, last, err := a.page(&q)
	if err != nil {
		c.Leave()
		return Page{}, fmt.Errorf("allocator: list: %w", err)
	}
	if err := c.LeaveRead(reservation.Ticket{Sequence: last}); err != nil {
		return Page{}, fmt.Errorf("allocator: list: %w", err)
	}
	return page, nil
}

// page collects a page, and the sequence number up to which it must last.
func (a *Allocator) page(q *Listing) (p Page, last uint64, err error) {
	after, err := q.check()
	if err != nil {
		return p, 0, err
	}
	if err := a.checkListed("States", len(q.States)); err != nil {
		return p, 0, err
	}
	if q.Location != "" {
		return a.pickPage(q, after)
	}
	top := ranked{limit: q.Limit + 1}
	any := false
	ids := a.ledger.OfOrder(q.Order)
	if q.Order == "" {
		ids = a.ledger.OfCustomer(q.Customer)
	}
	var e reservation.Entry
	for n := range ids {
		if !a.ledger.FindPart(n.ID, int(n.Part), &e) {
			continue
		}
		any = true
		last = max(last, e.Sequence)
		if len(q.States) > 0 && !slices.Contains(q.States, e.State) {
			continue
		}
		if q.After == "" || after.Name.Compare(n) < 0 {
			top.add(n, func() Reservation { return a.reservation(n.ID, &e, nil) })
		}
	}
	if err := cmp.Or(a.checkText("Order", q.Order), a.checkText("Customer", q.Customer)); !any && err != nil {
		return p, 0, err // what is there under such a reference is listed all the same
	}
	for i := range top.kept {
		if i == q.Limit {
			p.Next = cursor(&reservation.Pick{Name: top.kept[i-1].name})
			break
		}
		p.Reservations = append(p.Reservations, top.kept[i].reservation)
	}
	return p, last, nil
}

// pickPage is a page of a location's pick list. What has ended or left since its
// place was looked up is left out.
func (a *Allocator) pickPage(q *Listing, after reservation.Pick) (p Page, last uint64, err error) {
	slot, ok := a.ledger.Slot(q.Location)
	if !ok {
		return p, 0, fmt.Errorf("%w: %s", ErrUnknownLocation, quoted(q.Location))
	}
	at, from := after, (*reservation.Pick)(nil) // where the page has come to; from is at, but for the first page
	if q.After != "" {
		from = &at
	}
	var e reservation.Entry
	picks := make([]reservation.Pick, 0, min(q.Limit, standardPage)+1)
	for {
		want := q.Limit + 1 - len(p.Reservations)
		picks, last = a.ledger.PickList(picks[:0], slot, from, q.States, want)
		more := min(len(picks), q.Limit-len(p.Reservations))
		p.Reservations = slices.Grow(p.Reservations, more)
		room := make([]ReservedLine, more+more/2) // most orders have a line or two
		for i := range picks {
			if len(p.Reservations) == q.Limit {
				p.Next = cursor(&at)
				return p, last, nil
			}
			at, from = picks[i], &at
			if a.ledger.FindPart(at.ID, int(at.Part), &e) && e.Slot == slot && !e.State.Ended() && (len(q.States) == 0 || slices.Contains(q.States, e.State)) {
				last = max(last, e.Sequence)
				p.Reservations = append(p.Reservations, a.reservation(at.ID, &e, &room))
			}
		}
		if len(picks) < want {
			return p, last, nil
		}
	}
}

// check fills in the default and reads the cursor.
func (q *Listing) check() (after reservation.Pick, err error) {
	given := 0
	for _, s := range [...]string{q.Location, q.Order, q.Customer} {
		if s != "" {
			given++
		}
	}
	if given != 1 {
		return after, &InvalidError{Field: "Listing", Value: given, Why: "must name exactly one of Location, Order and Customer"}
	}
	if q.Limit < 0 || q.Limit > largestPage {
		return after, &InvalidError{Field: "Limit", Value: q.Limit, Why: fmt.Sprintf("must be 0 to %d", largestPage)}
	}
	for i, s := range q.States {
		if s > Rerouted {
			return after, &InvalidError{Field: fmt.Sprintf("States[%d]", i), Value: uint8(s), Why: "is not a state"}
		}
	}
	q.Limit = cmp.Or(q.Limit, standardPage)
	if q.After == "" {
		return after, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(q.After)
	if err != nil || len(b) < cursorHead {
		return after, &InvalidError{Field: "After", Value: q.After, Why: "is not the Next of a page"}
	}
	return reservation.Pick{Class: b[0], Time: int64(binary.BigEndian.Uint64(b[2:])), Name: reservation.Name{ID: string(b[cursorHead:]), Part: b[1]}}, nil
}

// cursorHead is how many bytes a cursor has before its ID: class, part and time.
const cursorHead = 10

// cursor is the text of a place in a listing; of a reference it is the name alone.
func cursor(p *reservation.Pick) string {
	b := binary.BigEndian.AppendUint64([]byte{p.Class, p.Part}, uint64(p.Time))
	return base64.RawURLEncoding.EncodeToString(append(b, p.ID...))
}

// ranked keeps the first few reservations by name.
type ranked struct {
	limit int
	kept  []placed
}

type placed struct {
	name        reservation.Name
	reservation Reservation
}

// add keeps a reservation if it is among the first; make is called only then.
func (k *ranked) add(n reservation.Name, make func() Reservation) {
	if len(k.kept) == k.limit && k.kept[k.limit-1].name.Compare(n) <= 0 {
		return
	}
	at, there := slices.BinarySearchFunc(k.kept, n, func(p placed, n reservation.Name) int { return p.name.Compare(n) })
	if there {
		return
	}
	if len(k.kept) == k.limit {
		k.kept = k.kept[:k.limit-1]
	}
	k.kept = slices.Insert(k.kept, at, placed{n, make()})
}

// newWalker is what walks need of an engine.
func newWalker(a *Allocator) walker { return walker{a, &a.gate, a.ledger, &a.locations} }
