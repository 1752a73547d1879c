package channels

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/clickcollect/clickcollect/reservation"
	"github.com/clickcollect/clickcollect/reservation/excerpt"
	"github.com/clickcollect/clickcollect/reservation/history"
)

// loanPrefix begins the names of resources that are loans: as many units are on
// hand of one as are borrowed at the location. So a loan and the units it moves
// are one record of the journal, and what is given back is bounded by the same
// claim that moves it.
const loanPrefix = "\x00b"

func loanName(sku, from, to string) string { return loanPrefix + sku + "\x00" + from + "\x00" + to }

// takeLoanName takes the name of a loan apart; ok is false if it is none.
func takeLoanName(name string) (sku, from, to string, ok bool) {
	rest, ok := strings.CutPrefix(name, loanPrefix)
	parts := strings.Split(rest, "\x00")
	if !ok || len(parts) != 3 {
		return "", "", "", false
	}
	return parts[0], parts[1], parts[2], true
}

// sideName is the name of the cells of a channel's quota, or of everybody's.
func sideName(sku, channel string) string {
	if channel == "" {
		return sku
	}
	return reservation.QuotaName(sku, channel)
}

// SetAside makes a movement after which so many units of a SKU are free in a channel's
// quota. Who and where it is is the caller's to fill in.
func SetAside(m *reservation.Movement, sku, channel string, units int64) {
	m.Cause, m.Free = history.Adjusted, true
	m.Lines = []reservation.MovementLine{{SKU: reservation.QuotaName(sku, channel), Units: units}}
}

// Lend makes a movement of units of a SKU from one channel's quota to another's; below
// 0 units they are given back. An empty channel is what is there for everybody.
func Lend(m *reservation.Movement, sku, from, to string, units int64) {
	m.Cause, m.Available = history.Adjusted, true
	m.Lines = []reservation.MovementLine{
		{SKU: sideName(sku, from), Units: -units},
		{SKU: sideName(sku, to), Units: units},
		{SKU: loanName(sku, from, to), Units: units},
	}
}

// Move books a movement that SetAside or Lend made, of a SKU of that name.
//
// Errors: as of Ledger.Move; *reservation.ShortageError names the SKU itself. Nothing
// was changed.
func (c *Channels) Move(m *reservation.Movement, sku string) (reservation.Ticket, error) {
	for _, line := range m.Lines {
		if _, channel, ok := reservation.QuotaOf(line.SKU); ok {
			c.note(channel) // before there can be units of it
		}
	}
	t, err := c.ledger.Move(m)
	if err != nil {
		return t, fmt.Errorf("%s of SKU %s: %w", excerpt.Quote(m.ID), excerpt.Quote(sku), c.worded(m, sku, err))
	}
	return t, nil
}

// worded is an error of the ledger about quotas with the names that callers know.
func (c *Channels) worded(m *reservation.Movement, sku string, err error) error {
	var short *reservation.ShortageError
	location := c.ledger.SlotName(m.Slot)
	switch {
	case errors.As(err, &short):
		most := int64(math.MaxInt64)
		for _, line := range m.Lines {
			if handle, ok := c.ledger.SKU(line.SKU); ok && line.Units < 0 {
				most = min(most, max(c.ledger.Available(handle, m.Slot).Available, 0))
			} else if line.Units < 0 {
				most = 0
			}
		}
		if m.Free {
			most = short.Available
		}
		return &reservation.ShortageError{SKU: sku, Location: location, Wanted: short.Wanted, Available: min(most, short.Wanted-1)}
	case errors.Is(err, reservation.ErrUnknownSKU): // the lender has no quota, or nothing was borrowed
		return &reservation.ShortageError{SKU: sku, Location: location, Wanted: max(m.Lines[0].Units, -m.Lines[0].Units)}
	}
	return err
}

// note notes that units may be set aside for a channel, so that its orders look for
// them. It takes no lock: a change of protection levels holds one while it waits for
// all movements to end, of which this is one.
func (c *Channels) note(channel string) {
	for !c.HasQuotas(channel) {
		now := c.state.Load()
		next := state{}
		if now != nil {
			next = *now
		}
		next.quotas = maps.Clone(next.quotas)
		if next.quotas == nil {
			next.quotas = map[string]struct{}{}
		}
		next.quotas[strings.Clone(channel)] = struct{}{}
		c.state.CompareAndSwap(now, &next)
	}
}

// HasQuotas reports whether units of any SKU may be set aside for a channel. It takes
// no lock.
func (c *Channels) HasQuotas(channel string) bool {
	s := c.state.Load()
	if s == nil || channel == "" {
		return false
	}
	_, ok := s.quotas[channel]
	return ok
}

// Quota is what is set aside of a SKU for a channel, as a SKU of its own; ok is false if
// nothing ever was. It takes no lock.
func (c *Channels) Quota(channel string, sku uint32) (handle uint32, ok bool) {
	if channel == "" {
		return 0, false
	}
	return c.ledger.Quota(sku, channel)
}

// HasQuotasOf reports whether units of a SKU were ever set aside for any channel.
func (c *Channels) HasQuotasOf(sku uint32) bool {
	return slices.ContainsFunc(c.ledger.Subs(sku), func(sub uint32) bool {
		_, _, ok := reservation.QuotaOf(c.ledger.SKUName(sub))
		return ok
	})
}

// Aside is units of a SKU at a location that are set aside for a channel.
type Aside struct {
	Channel, SKU string
	Slot         uint32
	reservation.Availability
}

// Quotas walks what is set aside, in the order in which it first was, each by location.
// Quotas of which nothing is on hand or held are left out, and so are those of removed
// locations.
func (c *Channels) Quotas() iter.Seq[Aside] {
	return func(yield func(Aside) bool) {
		for handle, slot := range c.cells(func(name string) bool { _, _, ok := reservation.QuotaOf(name); return ok }) {
			sku, channel, _ := reservation.QuotaOf(c.ledger.SKUName(handle))
			is := c.ledger.Available(handle, slot)
			if is.OnHand+is.Held != 0 && !yield(Aside{channel, sku, slot, is}) {
				return
			}
		}
	}
}

// Lent is units of a SKU at a location that were lent and not given back.
type Lent struct {
	SKU, From, To string
	Slot          uint32
	Units         int64
}

// Loans walks what is lent, as Quotas walks what is set aside.
func (c *Channels) Loans() iter.Seq[Lent] {
	return func(yield func(Lent) bool) {
		for handle, slot := range c.cells(func(name string) bool { return strings.HasPrefix(name, loanPrefix) }) {
			sku, from, to, ok := takeLoanName(c.ledger.SKUName(handle))
			units := c.ledger.Available(handle, slot).OnHand
			if ok && units != 0 && !yield(Lent{sku, from, to, slot, units}) {
				return
			}
		}
	}
}

// cells walks the cells of SKUs that have such names, in the order in which they were
// first named, each one's by slot, but for those of removed locations.
func (c *Channels) cells(is func(name string) bool) iter.Seq2[uint32, uint32] {
	return func(yield func(sku, slot uint32) bool) {
		for sku := range uint32(c.ledger.SKUs()) {
			if !is(c.ledger.SKUName(sku)) {
				continue
			}
			for _, slot := range slices.Sorted(c.ledger.SlotsOf(sku)) {
				if c.isThere(slot) && !yield(sku, slot) {
					return
				}
			}
		}
	}
}
