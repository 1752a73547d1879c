package allocator

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/clickcollect/clickcollect/allocator/internal/goods"
	"github.com/clickcollect/clickcollect/reservation"
)

// Lot is units of a SKU that came with one expiry date. They are good through
// that day, in UTC. Two lots of a SKU that differ in either field are two.
type Lot struct {
	ID      string    `json:"id"`               // such as the maker's; 1 to 64 bytes
	Expires time.Time `json:"expires,omitzero"` // the day, in UTC; the hour does not count
}

// ShelfLife is how long units of a SKU must be good after they are ready for the
// customer: an order gets none of a lot that expires sooner.
type ShelfLife struct {
	SKU   string        `json:"sku"`             // known or not
	Keeps time.Duration `json:"keeps,omitempty"` // 0 to 3,660 days, cut to whole milliseconds; 0: until they are ready
}

const (
	maxLotBytes = 64
	maxShelf    = goods.MaxLife * time.Millisecond
)

// lotLines checks the lots of a movement and has its lines name them.
func (a *Allocator) lotLines(g *moved, into *reservation.Movement) error {
	if len(g.Lots) == 0 {
		return nil
	}
	at := make(map[string]int, len(into.Lines))
	for i := range into.Lines {
		at[into.Lines[i].SKU] = i
	}
	for _, sku := range sorted(g.Lots) {
		if err := a.checkLot(fmt.Sprintf("Lots[%s]", quoted(sku)), sku, g.Lots[sku]); err != nil {
			return err
		}
		i, among := at[sku]
		if !among {
			return &InvalidError{Field: "Lots", Value: sku, Why: "is not among the lines"}
		}
		if handle, ok := a.ledger.SKU(sku); ok && a.channels.HasQuotasOf(handle) {
			return &InvalidError{Field: fmt.Sprintf("Lots[%s]", quoted(sku)), Value: g.Lots[sku].ID,
				Why: "is of a SKU of which units are set aside for channels: it cannot have lots too"}
		}
		into.Lines[i].SKU = goods.LotName(sku, goods.Lot(g.Lots[sku]))
	}
	a.goods.ExpectLots() // before any of their units can be seen
	return nil
}

func (a *Allocator) checkLot(field, sku string, lot Lot) error {
	invalid := func(name string, value any, why string) error {
		return &InvalidError{Field: field + "." + name, Value: value, Why: why}
	}
	switch year := lot.Expires.UTC().Year(); {
	case lot.Expires.IsZero():
		return invalid("Expires", lot.Expires.String(), "must be a day")
	case year < 1971 || year > 9999:
		return invalid("Expires", lot.Expires.String(), "must be in the years 1971 to 9999")
	case len(lot.ID) > maxLotBytes:
		return invalid("ID", lot.ID[:32]+"…", fmt.Sprintf("is %d bytes long, at most %d are allowed", len(lot.ID), maxLotBytes))
	}
	_, known := a.ledger.SKU(goods.LotName(sku, goods.Lot(lot)))
	return a.checkKnown(field+".ID", lot.ID, known)
}

// SetShelfLife sets how long units of SKUs must be good after they are ready for
// the customer, all of them or none; of two for a SKU the later counts. It matters
// for units of lots: an order gets them only if they are good until its promise and
// that much longer, and says sourcing.TooOld where it would have to take others.
// What is reserved stays reserved. When it returns, no order is still being served
// by the old ones. A call costs as much as there are SKUs with one, so that many
// are set in one.
//
// Errors: *InvalidError, ErrClosed, ErrNoSpace: nothing was changed. ErrJournal, or
// the end of ctx: whether it lasts is unknown; repeat the call.
func (a *Allocator) SetShelfLife(ctx context.Context, set ...ShelfLife) error {
	if err := a.setShelfLife(ctx, set); err != nil {
		return fmt.Errorf("allocator: set shelf life: %w", err)
	}
	return nil
}

func (a *Allocator) setShelfLife(ctx context.Context, set []ShelfLife) error {
	c, err := a.gate.AdmitSetting(ctx)
	if err != nil {
		return err
	}
	defer c.End()
	t, err := a.setLives(ctx, c.Now(), set)
	if err != nil {
		return err
	}
	return c.Wait(ctx, t)
}

// setLives is setShelfLife up to the ticket that is to be waited for.
func (a *Allocator) setLives(ctx context.Context, now int64, set []ShelfLife) (t reservation.Ticket, err error) {
	if err := a.checkBatch("lives", len(set)); err != nil {
		return t, err
	}
	list := make([]goods.Life, len(set))
	for i, v := range set {
		if err := a.checkSKU(fmt.Sprintf("lives[%d].SKU", i), v.SKU); err != nil {
			return t, err
		}
		if v.Keeps < 0 || v.Keeps > maxShelf {
			return t, &InvalidError{Field: fmt.Sprintf("lives[%d].Keeps", i), Value: v.Keeps, Why: fmt.Sprintf("must be 0 to %v", maxShelf)}
		}
		list[i] = goods.Life{SKU: v.SKU, Millis: v.Keeps.Milliseconds()}
	}
	if len(set) == 0 {
		return t, nil
	}
	change := a.goods.SetLives(list)
	defer change.End()
	return a.writeSettings(ctx, now, change)
}

// ShelfLives walks what SetShelfLife has set, by SKU.
func (a *Allocator) ShelfLives() iter.Seq[ShelfLife] {
	return func(yield func(ShelfLife) bool) {
		c, err := a.gate.Enter()
		if err != nil {
			return
		}
		defer c.End()
		lives := a.goods.Lives()
		if c.LeaveSettled() != nil {
			return
		}
		for is := range lives {
			if !yield(ShelfLife{SKU: is.SKU, Keeps: time.Duration(is.Millis) * time.Millisecond}) {
				return
			}
		}
	}
}

// Lots walks the lots of a SKU of which there are units on hand or held at a
// location, expired ones too, the first to expire in front. What each has is of an
// instant of its own. Units without a lot are in Available, together with these;
// safety stock is kept back from those. There are none of an unknown SKU or
// location, after Close, or when what was read is not known to last.
func (a *Allocator) Lots(sku, location string) iter.Seq2[Lot, Availability] {
	return func(yield func(Lot, Availability) bool) {
		c, err := a.gate.Enter()
		if err != nil {
			return
		}
		defer c.End()
		type level struct {
			lot Lot
			is  Availability
		}
		var all []level
		slot, there := a.ledger.Slot(location)
		if handle, ok := a.goodsSKU(sku); ok && there {
			for lot, src := range a.goods.Lots(handle) {
				if is := a.ledger.Available(src.SKU, slot); is.OnHand != 0 || is.Held != 0 {
					all = append(all, level{Lot(lot), is})
				}
			}
		}
		if c.LeaveSettled() != nil {
			return
		}
		for _, l := range all {
			if !yield(l.lot, l.is) {
				return
			}
		}
	}
}
