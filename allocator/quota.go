package allocator

import (
	"context"
	"fmt"
	"iter"
	"math"

	"github.com/clickcollect/clickcollect/allocator/internal/channels"
	"github.com/clickcollect/clickcollect/allocator/internal/plan"
	"github.com/clickcollect/clickcollect/reservation"
)

// Quota is units of a SKU at a location that are set aside for a channel. Orders
// of the channel take them first, and then what is there for everybody; orders of
// other channels never see them. They are on hand at the location like all others.
type Quota struct {
	ID string `json:"id"` // chosen by the caller; the same quota again does nothing

	Channel  string `json:"channel,omitempty"`
	SKU      string `json:"sku"`
	Location string `json:"location,omitempty"`

	// Units is how many are to be free for the channel's orders, 0 to 2^31 − 1. What
	// its orders hold or have taken already does not count.
	Units int64 `json:"units"`
}

// Loan moves units of a SKU at a location from one channel's quota to that of
// another. An empty channel is what is there for everybody.
type Loan struct {
	ID string `json:"id"` // chosen by the caller; the same loan again does nothing

	SKU      string `json:"sku"`
	Location string `json:"location"`
	From     string `json:"from,omitempty"` // channels: who lends, and who borrows
	To       string `json:"to,omitempty"`

	Units int64 `json:"units"` // 1 to 2^31 − 1
}

// SetQuota sets units of a SKU at a location aside for a channel, or gives them
// back: afterwards Quota.Units of them are free for its orders, at an instant
// during the call. What the quota lacks comes from the units that are available
// there for everybody, and what it has too much goes back to them. Units that the
// channel's orders hold already do not count and stay where they are, so a quota
// is used up by its orders until it is set again. Units on hand and what is
// available of the SKU altogether stay the same.
//
// Orders of the channel take the units of its quota first and the ones for
// everybody then; what they give back goes where it came from. Movements of the
// SKU speak of all its units: what is counted is the quotas' as well, and what
// the till sells leaves the quotas too once nothing else is available, so that no
// reservation becomes short before. Only goods that are sent to another location
// come from outside the quotas alone. A SKU whose units are told apart by lot has
// no quotas.
//
// Quotas are all checked first, then set in order, in the manner of Receive: the
// same quota again does nothing. An order of a channel that has quotas anywhere
// costs more than others, as every order that is planned by the rules.
//
// Errors: *InvalidError, ErrUnknownLocation, ErrUnknownSKU, ErrConflict,
// *ShortageError (less is available there for everybody than the quota lacks),
// ErrOverflow, ErrFull, ErrClosed, ErrNoSpace. ErrJournal, or the end of ctx: which
// of them are set is unknown; repeat the call.
func (a *Allocator) SetQuota(ctx context.Context, quotas ...Quota) error {
	return a.moveAside(ctx, "set quota", len(quotas), func(i int, m *reservation.Movement) (sku, location string, err error) {
		return quotas[i].SKU, quotas[i].Location, a.quotaMovement(&quotas[i], fmt.Sprintf("quotas[%d]", i), m)
	})
}

// Borrow moves free units from one channel's quota, or from what is there for
// everybody, to another's: what lends has as many fewer, what borrows as many
// more, at the same instant. GiveBack is for the way back. The same loan again
// does nothing; several are booked in order, in the manner of Receive.
//
// Errors: as of SetQuota; *ShortageError: the lender has fewer free.
func (a *Allocator) Borrow(ctx context.Context, loans ...Loan) error {
	return a.moveAside(ctx, "borrow", len(loans), func(i int, m *reservation.Movement) (sku, location string, err error) {
		return loans[i].SKU, loans[i].Location, a.loanMovement(&loans[i], fmt.Sprintf("loans[%d]", i), 1, m)
	})
}

// GiveBack moves borrowed units back; From and To are as in the loan, ID is one of
// its own, and of several loans between the same two the units are one sum.
//
// Errors: as of Borrow; *ShortageError: fewer are borrowed, or the borrower has
// fewer free, because its orders took them.
func (a *Allocator) GiveBack(ctx context.Context, loans ...Loan) error {
	return a.moveAside(ctx, "give back", len(loans), func(i int, m *reservation.Movement) (sku, location string, err error) {
		return loans[i].SKU, loans[i].Location, a.loanMovement(&loans[i], fmt.Sprintf("loans[%d]", i), -1, m)
	})
}

// asideOf translates the i-th quota or loan of a call for the ledger, and says of what
// SKU and where it is. With an error, m has all that digests go by.
type asideOf func(i int, m *reservation.Movement) (sku, location string, err error)

// moveAside checks movements between quotas and then books them one by one.
func (a *Allocator) moveAside(ctx context.Context, verb string, n int, movement asideOf) error {
	c, err := a.gate.Admit(ctx)
	if err != nil {
		return fmt.Errorf("allocator: %s: %w", verb, err)
	}
	defer c.End()
	t, err := a.moveAsideIn(ctx, c.Now(), n, movement)
	if err = a.endChange(ctx, &c, t, err); err != nil {
		return fmt.Errorf("allocator: %s: %w", verb, err)
	}
	return nil
}

func (a *Allocator) moveAsideIn(ctx context.Context, now int64, n int, movement asideOf) (last reservation.Ticket, err error) {
	if err := a.checkBatch("movements", n); err != nil {
		return last, err
	}
	movements, skus := make([]reservation.Movement, 0, n), make([]string, 0, n)
	for i := range n {
		m := reservation.Movement{Now: now}
		sku, location, err := movement(i, &m)
		if err == nil {
			movements, skus = append(movements, m), append(skus, sku)
			continue
		}
		t, booked := a.ledger.Booked(&m, location, "")
		if !booked {
			return last, err
		}
		last = later(last, t)
	}
	for i := range movements {
		m := &movements[i]
		if err := ctx.Err(); err != nil {
			return last, fmt.Errorf("%d of %d booked: %w", i, n, err)
		}
		t, err := a.channels.Move(m, skus[i])
		if err != nil {
			return last, err
		}
		if t.Sequence >= last.Sequence {
			last = t
		}
	}
	return last, nil
}

// asidePlace checks what quotas and loans have in common.
func (a *Allocator) asidePlace(field, id, sku, location string, m *reservation.Movement) error {
	m.ID = id
	if err := a.checkID(field+".ID", id); err != nil {
		return err
	}
	if err := a.checkSKU(field+".SKU", sku); err != nil {
		return err
	}
	if err := a.checkLocation(field+".Location", location); err != nil {
		return err
	}
	handle, ok := a.goodsSKU(sku)
	if !ok {
		return fmt.Errorf("%w: %s", ErrUnknownSKU, quoted(sku))
	}
	if a.goods.HasLots(handle) {
		return &InvalidError{Field: field + ".SKU", Value: sku, Why: "has lots, which cannot be set aside"}
	}
	if m.Slot, ok = a.ledger.Slot(location); !ok {
		return fmt.Errorf("%w: %s", ErrUnknownLocation, quoted(location))
	}
	return nil
}

// quotaMovement translates a quota for the ledger.
func (a *Allocator) quotaMovement(q *Quota, field string, m *reservation.Movement) error {
	channels.SetAside(m, q.SKU, q.Channel, q.Units)
	if err := a.asidePlace(field, q.ID, q.SKU, q.Location, m); err != nil {
		return err
	}
	if err := a.checkChannel(field+".Channel", q.Channel); err != nil {
		return err
	}
	if q.Units < 0 || q.Units > reservation.MaxQuantity {
		return &InvalidError{Field: field + ".Units", Value: q.Units, Why: "must be 0 to 2147483647"}
	}
	return nil
}

// loanMovement translates a loan for the ledger; way is -1 for its way back.
func (a *Allocator) loanMovement(v *Loan, field string, way int64, m *reservation.Movement) error {
	channels.Lend(m, v.SKU, v.From, v.To, way*v.Units)
	if err := a.asidePlace(field, v.ID, v.SKU, v.Location, m); err != nil {
		return err
	}
	for _, end := range [...]struct{ name, channel string }{{".From", v.From}, {".To", v.To}} {
		if end.channel == "" {
			continue
		}
		if err := a.checkChannel(field+end.name, end.channel); err != nil {
			return err
		}
	}
	switch {
	case v.From == v.To:
		return &InvalidError{Field: field + ".To", Value: v.To, Why: "must be another channel than From"}
	case v.Units < 1 || v.Units > reservation.MaxQuantity:
		return &InvalidError{Field: field + ".Units", Value: v.Units, Why: "must be 1 to 2147483647"}
	}
	return nil
}

// Quotas walks what is set aside for channels: Units of each are free for orders
// of the channel now, and the Availability says also what these hold of it. Its ID
// is empty. Quotas of which nothing is on hand are left out.
func (a *Allocator) Quotas() iter.Seq2[Quota, Availability] {
	return func(yield func(Quota, Availability) bool) {
		handOn(a, a.channels.Quotas(), func(v channels.Aside) bool {
			return yield(Quota{Channel: v.Channel, SKU: v.SKU, Location: a.ledger.SlotName(v.Slot), Units: max(v.Available, 0)}, v.Availability)
		})
	}
}

// Loans walks what is borrowed and was not given back: the units are one sum for
// each lender, borrower, SKU and location, and the ID is empty. What a borrower's
// orders have used up stays borrowed.
func (a *Allocator) Loans() iter.Seq[Loan] {
	return func(yield func(Loan) bool) {
		handOn(a, a.channels.Loans(), func(v channels.Lent) bool {
			return yield(Loan{SKU: v.SKU, From: v.From, To: v.To, Location: a.ledger.SlotName(v.Slot), Units: v.Units})
		})
	}
}

// handOn hands what a room lists to the caller's loop, one by one as soon as it is
// known to last. The loop may do whatever it likes: it counts as no call.
func handOn[V any](a *Allocator, list iter.Seq[V], hand func(V) bool) {
	c, err := a.gate.Enter()
	if err != nil {
		return
	}
	defer c.End()
	for v := range list {
		if !c.Yield(func() bool { return a.gate.Settled() == nil && hand(v) }) {
			break
		}
	}
	c.Leave()
}

// stockOf is a SKU's units at a location in all its cells, those of quotas and
// lots included. The units on hand are of one instant.
func (a *Allocator) stockOf(sku, slot uint32) Availability {
	var few [8]Availability
	var sum Availability
	for _, v := range a.ledger.AvailableAll(sku, slot, few[:0]) {
		sum.OnHand += v.OnHand
		sum.Held += v.Held
		sum.Safety += v.Safety
		sum.Available += v.Available
	}
	return sum
}

// availableTo is how many units of a SKU an order of a channel could take at a location.
func (a *Allocator) availableTo(channel, sku, location string) (int64, error) {
	c, err := a.gate.Enter()
	if err != nil {
		return 0, fmt.Errorf("allocator: available to %s: %w", quoted(channel), err)
	}
	defer c.End()
	units, err := unitsFor(a, channel, sku, location)
	if settled := c.LeaveSettled(); err == nil {
		err = settled
	}
	if err != nil {
		return 0, fmt.Errorf("allocator: available to %s: %w", quoted(channel), err)
	}
	return units, nil
}

func unitsFor(a *Allocator, channel, sku, location string) (int64, error) {
	slot, ok := a.ledger.Slot(location)
	if !ok {
		return 0, fmt.Errorf("%w: %s", ErrUnknownLocation, quoted(location))
	}
	if _, known := a.goodsSKU(sku); !known && !a.goods.IsBundle(sku) {
		return 0, fmt.Errorf("%w: %s", ErrUnknownSKU, quoted(sku))
	}
	t := a.locations.Load()
	number := t.Number(slot)
	if number == reservation.NoNumber { // added a moment ago, not yet searched
		return 0, nil
	}
	now := a.gate.Now()
	view := plan.View{Catalogue: t, Levels: a.channels.LevelsOf(channel)}
	least := int64(math.MaxInt64)
	for _, part := range madeOf(a, sku) {
		units := int64(0)
		if handle, known := a.goodsSKU(part.SKU); known { // no part need ever have been in stock
			quota, has := a.channels.Quota(channel, handle)
			g := a.goods.Product(handle, part.SKU, quota, has, now)
			units, _ = view.Has(&g, number, slot, now, reservation.MaxQuantity)
		}
		least = min(least, units/part.Quantity)
	}
	return least, nil
}
