package allocator

import (
	"context"
	"fmt"
	"iter"

	"github.com/clickcollect/clickcollect/allocator/internal/channels"
	"github.com/clickcollect/clickcollect/reservation"
)

// Protection is a protection level: an order of the channel may take units of the
// SKU at the location only while as many as Units are left there for others,
// which is to say while available − quantity ≥ Units. So channels are nested: of
// three with the levels 0, 5 and 20, the first sells the last unit, and the third
// stops while 20 are left.
//
// An empty field stands for all: all channels, also orders that name none; all
// SKUs; all locations. Of the levels that apply to an order's channel, a SKU and
// a location, the most specific one decides, alone:
//
//	channel, SKU and location
//	channel and SKU
//	channel and location
//	channel
//	SKU and location, of all channels
//	SKU, of all channels
//	location, of all channels
//	of all channels
//
// A channel's own level of 0 therefore frees it from those of all channels. That
// is walk-in protection: a level for all channels at a shop keeps its last units
// for people who walk in, and a level 0 for the channel of its own desk lets that
// one have them.
//
// What quotas set aside is not available to others, so it does not count as left,
// and a channel takes from its own quota whatever its level.
type Protection struct {
	Channel  string `json:"channel,omitempty"`
	SKU      string `json:"sku,omitempty"`
	Location string `json:"location,omitempty"`

	Units int64 `json:"units"` // 0 to 2^31 − 1

	// Unset withdraws the level of exactly this channel, SKU and location, so that
	// the next wider one decides again. Units is 0 then.
	Unset bool `json:"unset,omitempty"`
}

// SetProtection sets and withdraws protection levels, all of them or none; of two
// for the same channel, SKU and location the later counts. Protection
// says which level decides. When it returns, no order is still being served by
// the old levels, and the change has its place in the journal, before all orders
// that it counts for: new orders wait for the moment it takes to write it. Units
// that are held stay held. A level at a location goes when the location is
// removed.
//
// A call costs as much as there are levels of the channels it names, so that many
// are set in one call rather than in many; a million for pairs of SKU and
// location take about a second, and 32 to 64 bytes each from then on. An order of
// a channel with levels costs some nanoseconds more for each line and location
// that it looks at.
//
// Errors: *InvalidError, ErrUnknownLocation, ErrUnknownSKU, ErrClosed, ErrNoSpace:
// nothing was changed. ErrJournal, or the end of ctx: whether it lasts is unknown;
// repeat the call.
func (a *Allocator) SetProtection(ctx context.Context, set ...Protection) error {
	if err := a.setProtection(ctx, set); err != nil {
		return fmt.Errorf("allocator: set protection: %w", err)
	}
	return nil
}

func (a *Allocator) setProtection(ctx context.Context, set []Protection) error {
	c, err := a.gate.AdmitSetting(ctx)
	if err != nil {
		return err
	}
	defer c.End()
	t, err := a.setLevels(ctx, c.Now(), set)
	if err != nil {
		return err
	}
	return c.Wait(ctx, t)
}

// setLevels is setProtection up to the ticket that is to be waited for.
func (a *Allocator) setLevels(ctx context.Context, now int64, set []Protection) (t reservation.Ticket, err error) {
	list, err := a.checkProtections(set)
	if err != nil || len(list) == 0 {
		return t, err
	}
	change, err := a.channels.SetLevels(list)
	if err != nil {
		return t, err
	}
	defer change.End()
	return a.writeSettings(ctx, now, change)
}

// checkProtections validates levels and looks up what they are for.
func (a *Allocator) checkProtections(set []Protection) ([]channels.Level, error) {
	if err := a.checkBatch("levels", len(set)); err != nil {
		return nil, err
	}
	list := make([]channels.Level, len(set))
	for i := range set {
		v, known := &set[i], true
		field := func(name string) string { return fmt.Sprintf("levels[%d].%s", i, name) }
		switch {
		case v.Unset && v.Units != 0:
			return nil, &InvalidError{Field: field("Units"), Value: v.Units, Why: "must be 0 with Unset"}
		case v.Units < 0 || v.Units > reservation.MaxQuantity:
			return nil, &InvalidError{Field: field("Units"), Value: v.Units, Why: "must be 0 to 2147483647"}
		}
		if v.Channel != "" {
			if err := a.checkChannel(field("Channel"), v.Channel); err != nil {
				return nil, err
			}
		}
		to := &list[i]
		*to = channels.Level{Channel: v.Channel, SKU: reservation.EverySKU, Slot: reservation.Everywhere, Units: v.Units, Unset: v.Unset}
		if v.SKU != "" {
			if err := a.checkSKU(field("SKU"), v.SKU); err != nil {
				return nil, err
			}
			if to.SKU, known = a.goodsSKU(v.SKU); !known {
				return nil, fmt.Errorf("%w: %s", ErrUnknownSKU, quoted(v.SKU))
			}
		}
		if v.Location != "" {
			if err := a.checkLocation(field("Location"), v.Location); err != nil {
				return nil, err
			}
			if to.Slot, known = a.ledger.Slot(v.Location); !known {
				return nil, fmt.Errorf("%w: %s", ErrUnknownLocation, quoted(v.Location))
			}
		}
	}
	return list, nil
}

// Protections walks the protection levels that are set: by channel, then by SKU,
// those of all channels and of all SKUs first.
func (a *Allocator) Protections() iter.Seq[Protection] {
	return func(yield func(Protection) bool) {
		c, err := a.gate.Enter()
		if err != nil {
			return
		}
		defer c.End()
		all := a.channels.Levels()
		if c.LeaveSettled() != nil {
			return
		}
		for _, v := range all {
			p := Protection{Channel: v.Channel, Units: v.Units}
			if v.SKU != reservation.EverySKU {
				p.SKU = a.ledger.SKUName(v.SKU)
			}
			if v.Slot != reservation.Everywhere {
				p.Location = a.ledger.SlotName(v.Slot)
			}
			if !yield(p) {
				return
			}
		}
	}
}
