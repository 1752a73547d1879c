package allocator

import (
	"context"
	"fmt"
	"time"

	"github.com/clickcollect/clickcollect/reservation"
	"github.com/clickcollect/clickcollect/reservation/history"
)

// Line is a SKU and a quantity in the SKU's smallest unit (piece, gram,
// millimeter). Lines of one call that name the same SKU are summed.
type Line struct {
	SKU      string `json:"sku"`
	Quantity int64  `json:"quantity"`
}

// Receipt is goods that arrived at a location; quantities from 1.
//
// Lots names, by SKU, the lot that all units of the SKU in the receipt are of; two
// lots of a SKU are two receipts. Orders take units of lots, the first to expire in
// front, before those without, and none that expire sooner than SetShelfLife
// allows. A SKU has lots or quotas, not both.
type Receipt struct {
	ID       string         `json:"id"` // chosen by the caller; the same receipt again does nothing
	Location string         `json:"location"`
	Lines    []Line         `json:"lines"`
	Lots     map[string]Lot `json:"lots,omitempty"` // by SKU; may be nil
}

// Count is what was counted at a location: its quantities are the units on hand
// now, 0 included. SKUs it does not name stay as they are.
//
// AsOf is when the shelf was counted: the movements since then, as far as the
// engine knows them, come on top. Zero: now. It is at most engine time.
//
// Lots names SKUs of which only the units of one lot were counted; its other lots
// stay as they are. Without it a line is what there is of the SKU in all lots and
// besides: what is missing is taken away as by a Sale, and what is too much is
// units without a lot.
type Count struct {
	ID       string         `json:"id"`
	Location string         `json:"location"`
	AsOf     time.Time      `json:"as_of,omitzero"`
	Lines    []Line         `json:"lines"`
	Lots     map[string]Lot `json:"lots,omitempty"` // by SKU; may be nil
}

// Sale is goods sold at a location's till; quantities from 1. They leave the
// units on hand even if a reservation holds them: what is available may fall
// below zero. Then reservations become short, which events say: the youngest
// unconfirmed ones first, then the youngest confirmed ones. Goods that come in
// mend that.
//
// Lots names, by SKU, the lot from which its units went. Without it those without
// a lot go first, then those of lots, the first to expire in front.
type Sale struct {
	ID       string         `json:"id"`
	Location string         `json:"location"`
	Lines    []Line         `json:"lines"`
	Lots     map[string]Lot `json:"lots,omitempty"` // by SKU; may be nil
}

// Adjustment corrects the units on hand by signed quantities; neither a line's nor
// the sum of a SKU's lines is 0. Lots is as with a Receipt for what comes, and as
// with a Sale for what goes.
type Adjustment struct {
	ID       string         `json:"id"`
	Location string         `json:"location"`
	Lines    []Line         `json:"lines"`
	Lots     map[string]Lot `json:"lots,omitempty"` // by SKU; may be nil
}

// Damage is goods at a location that can no longer be sold; quantities from 1.
// They leave the units on hand as with a Sale.
type Damage struct {
	ID       string         `json:"id"`
	Location string         `json:"location"`
	Lines    []Line         `json:"lines"`
	Lots     map[string]Lot `json:"lots,omitempty"` // by SKU; may be nil
}

// Receive books goods in, all lines of a receipt or none. Receipts are all
// checked first, then booked in order; when one is refused, the ones before it
// stand, and the whole call can be repeated: a receipt booked before does
// nothing the second time.
//
// Errors: *InvalidError, ErrUnknownLocation, ErrConflict, ErrOverflow (more than
// 2^31 − 1 on hand), ErrFull, ErrNoSpace. ErrJournal, or the end of ctx: which of
// them are booked is unknown; repeat the call.
//
// A receipt, like every other movement, may have up to Options.MaxBatch lines, more
// than an order: a whole file of a night. However many, it is one record of the
// journal: a kill in the middle leaves all of it or nothing, and the repeat with its
// ID books it or does nothing. While it is booked, other movements and collections at
// the location wait, some microseconds a line. What comes to one location belongs into
// one movement, what comes to many into one call.
func (a *Allocator) Receive(ctx context.Context, receipts ...Receipt) error {
	return move(ctx, a, history.Received, receipts, func(r *Receipt) moved {
		return moved{ID: r.ID, Location: r.Location, Lines: r.Lines, Lots: r.Lots}
	})
}

// Count sets the units on hand to what was counted, all lines of a count or
// none, in the manner of Receive. Units held by reservations stay held: what is
// available may fall below zero, and then reservations become short as with Sell.
// ErrTooOld: too much has happened at the location since AsOf: 4,096 changes are known,
// those of up to a 256th of all locations together, none from before a movement that
// changed more SKUs at once, and after a start from a snapshot none from before that. A
// file of all counts that comes every night is the example nightly.
func (a *Allocator) Count(ctx context.Context, counts ...Count) error {
	return move(ctx, a, history.Counted, counts, func(c *Count) moved {
		return moved{ID: c.ID, Location: c.Location, Lines: c.Lines, AsOf: c.AsOf, Lots: c.Lots}
	})
}

// Sell books till sales out, all lines of a sale or none, in the manner of
// Receive. *ShortageError: a line is more than is on hand; count the shelf.
func (a *Allocator) Sell(ctx context.Context, sales ...Sale) error {
	return move(ctx, a, history.Sold, sales, func(s *Sale) moved {
		return moved{ID: s.ID, Location: s.Location, Lines: s.Lines, Lots: s.Lots}
	})
}

// Adjust books corrections, all lines of one or none, in the manner of Receive.
// *ShortageError: a line takes away more than is on hand.
func (a *Allocator) Adjust(ctx context.Context, adjustments ...Adjustment) error {
	return move(ctx, a, history.Adjusted, adjustments, func(x *Adjustment) moved {
		return moved{ID: x.ID, Location: x.Location, Lines: x.Lines, Lots: x.Lots}
	})
}

// WriteOff books damaged goods out, all lines of one call or none, in the manner
// of Sell.
func (a *Allocator) WriteOff(ctx context.Context, damages ...Damage) error {
	return move(ctx, a, history.Damaged, damages, func(d *Damage) moved {
		return moved{ID: d.ID, Location: d.Location, Lines: d.Lines, Lots: d.Lots}
	})
}

// moved is what all kinds of movement have in common.
type moved struct {
	ID       string
	Location string // where it happens; of a delivery or a loss the transfer says so
	To       string // of a transfer
	Transfer string // of a delivery or a loss
	AsOf     time.Time
	Lines    []Line
	Lots     map[string]Lot // by SKU
}

func move[M any](ctx context.Context, a *Allocator, cause history.Cause, given []M, as func(*M) moved) error {
	c, err := a.gate.Admit(ctx)
	if err != nil {
		return fmt.Errorf("allocator: %v: %w", cause, err)
	}
	defer c.End()
	t, err := a.moveAll(ctx, c.Now(), cause, len(given), func(i int) moved { return as(&given[i]) })
	if err = a.endChange(ctx, &c, t, err); err != nil {
		return fmt.Errorf("allocator: %w", err)
	}
	return nil
}

// moveAll checks movements and then books them one by one. The ticket is of the
// last one booked.
func (a *Allocator) moveAll(ctx context.Context, now int64, cause history.Cause, n int, given func(i int) moved) (last reservation.Ticket, err error) {
	if err := a.checkBatch("movements", n); err != nil {
		return last, fmt.Errorf("%v: %w", cause, err)
	}
	movements := make([]reservation.Movement, 0, n)
	for i := range n {
		g := given(i)
		m := reservation.Movement{Now: now}
		if err := a.movement(&g, cause, &m); err != nil {
			if t, ok := a.booked(&g, cause); ok {
				last = later(last, t)
				continue
			}
			return last, fmt.Errorf("%v %s: %w", cause, quoted(g.ID), err)
		}
		movements = append(movements, m)
	}
	if len(movements) > 1 {
		if err := a.ledger.Prepare(movements); err != nil {
			return last, fmt.Errorf("%v: %w", cause, err)
		}
	}
	for i := range movements {
		if err := ctx.Err(); err != nil {
			return last, fmt.Errorf("%v: %d of %d booked: %w", cause, i, n, err)
		}
		t, err := a.ledger.Move(&movements[i])
		if err != nil {
			return last, err
		}
		if t.Sequence >= last.Sequence {
			last = t
		}
	}
	return last, nil
}

// checkUnits says what is wrong with a line's quantity; by cause, it may be
// negative or 0.
func checkUnits(cause history.Cause, units int64) (why string) {
	switch {
	case cause == history.Adjusted && units == 0:
		return "must not be 0"
	case cause == history.Counted && units < 0:
		return "must be 0 or more"
	case cause != history.Adjusted && cause != history.Counted && units < 1:
		return "must be 1 or more"
	}
	return ""
}

// movement checks one movement and translates it for the ledger.
func (a *Allocator) movement(g *moved, cause history.Cause, into *reservation.Movement) error {
	into.ID, into.Cause, into.AsOf, into.Ref = g.ID, cause, millis(g.AsOf), g.Transfer
	if err := a.checkID("ID", g.ID); err != nil {
		return err
	}
	if err := checkTime("AsOf", g.AsOf); err != nil {
		return err
	}
	if into.AsOf > into.Now {
		return &InvalidError{Field: "AsOf", Value: g.AsOf, Why: "must not be later than now"}
	}
	if cause == history.Delivered || cause == history.Lost {
		var e reservation.Entry
		if err := a.checkKnown("Transfer", g.Transfer, a.ledger.FindTransfer(g.Transfer, &e)); err != nil || len(g.Lines) == 0 {
			return err
		}
		return a.movementLines(g, cause, into)
	}
	if err := checkMovedCount(&a.options, len(g.Lines)); err != nil {
		return err
	}
	if cause == history.Sent && g.To == g.Location {
		return &InvalidError{Field: "To", Value: g.To, Why: "must be another location"}
	}
	if err := a.movementLines(g, cause, into); err != nil {
		return err
	}
	var ok bool
	if into.Slot, ok = a.ledger.Slot(g.Location); !ok {
		return fmt.Errorf("%w: %s", ErrUnknownLocation, quoted(g.Location))
	}
	if cause == history.Sent {
		if into.To, ok = a.ledger.Slot(g.To); !ok {
			return fmt.Errorf("%w: %s", ErrUnknownLocation, quoted(g.To))
		}
	}
	return nil
}

// movementLines checks the lines and sums those of one SKU.
func (a *Allocator) movementLines(g *moved, cause history.Cause, into *reservation.Movement) error {
	if err := checkMovedCount(&a.options, len(g.Lines)); err != nil {
		return err
	}
	into.Lines = make([]reservation.MovementLine, 0, len(g.Lines))
	var at map[string]int // where a SKU is, once they do not ascend any more
	for i, line := range g.Lines {
		if line.SKU == "" || a.textFault(line.SKU) != "" { // known or not: SKUs begin here
			if err := a.checkSKU(fmt.Sprintf("Lines[%d].SKU", i), line.SKU); err != nil {
				return err
			}
		}
		if why := checkUnits(cause, line.Quantity); why != "" {
			return &InvalidError{Field: fmt.Sprintf("Lines[%d].Quantity", i), Value: line.Quantity, Why: why}
		}
		j, twice := len(into.Lines), false
		if at == nil && j > 0 && line.SKU <= into.Lines[j-1].SKU {
			at = make(map[string]int, len(g.Lines))
			for k := range into.Lines {
				at[into.Lines[k].SKU] = k
			}
		}
		if at != nil {
			if k, known := at[line.SKU]; known {
				j, twice = k, true
			} else {
				at[line.SKU] = j
			}
		}
		if !twice {
			into.Lines = append(into.Lines, reservation.MovementLine{SKU: line.SKU})
		} else if cause == history.Counted {
			return &InvalidError{Field: fmt.Sprintf("Lines[%d].SKU", i), Value: line.SKU, Why: "is counted twice"}
		}
		sum, fits := addUnits(into.Lines[j].Units, line.Quantity)
		if !fits {
			return fmt.Errorf("%d units of SKU %s in Lines[%d]: %w", line.Quantity, quoted(line.SKU), i, ErrOverflow)
		}
		into.Lines[j].Units = sum
	}
	return a.lotLines(g, into)
}

// addUnits adds two quantities; false when either or the sum is out of range.
func addUnits(a, b int64) (sum int64, fits bool) {
	const most = reservation.MaxQuantity
	if b > most || b < -most {
		return 0, false
	}
	sum = a + b
	return sum, sum <= most && sum >= -most
}
