package allocator

import (
	"context"
	"fmt"
	"time"

	"github.com/clickcollect/clickcollect/reservation"
	"github.com/clickcollect/clickcollect/reservation/history"
)

// Transfer is goods sent from one location to another; quantities from 1. They
// leave the units on hand at once, and are nowhere on hand while on their way.
type Transfer struct {
	ID    string `json:"id"`
	From  string `json:"from,omitempty"`
	To    string `json:"to,omitempty"`
	Lines []Line `json:"lines"`
}

// Delivery is goods of a transfer that have arrived.
type Delivery struct {
	ID       string `json:"id"`                 // of the delivery itself
	Transfer string `json:"transfer,omitempty"` // the transfer's ID
	Lines    []Line `json:"lines,omitempty"`    // none: all that is still on its way
}

// Loss is goods of a transfer that will not arrive.
type Loss struct {
	ID       string `json:"id"`                 // of the loss itself
	Transfer string `json:"transfer,omitempty"` // the transfer's ID
	Lines    []Line `json:"lines,omitempty"`    // none: all that is still on its way
}

// Send books goods out that go to another location, all lines of a transfer or
// none, in the manner of Receive. They must be available there, not only on hand:
// what is held for an order is not sent off. *ShortageError: it is not.
func (a *Allocator) Send(ctx context.Context, transfers ...Transfer) error {
	return move(ctx, a, history.Sent, transfers, func(t *Transfer) moved {
		return moved{ID: t.ID, Location: t.From, To: t.To, Lines: t.Lines}
	})
}

// Deliver books goods of a transfer in where they were sent to, in the manner of
// Receive. ErrNotFound: there is no such transfer; *EndedError: nothing of it is
// on its way any more; *ShortageError: less of a SKU is.
func (a *Allocator) Deliver(ctx context.Context, deliveries ...Delivery) error {
	return move(ctx, a, history.Delivered, deliveries, func(d *Delivery) moved {
		return moved{ID: d.ID, Transfer: d.Transfer, Lines: d.Lines}
	})
}

// Lose writes off goods of a transfer, in the manner of Deliver.
func (a *Allocator) Lose(ctx context.Context, losses ...Loss) error {
	return move(ctx, a, history.Lost, losses, func(l *Loss) moved { return moved{ID: l.ID, Transfer: l.Transfer, Lines: l.Lines} })
}

// TransferState is what became of a transfer.
type TransferState struct {
	ID       string         `json:"id"`
	From     string         `json:"from,omitempty"`
	To       string         `json:"to,omitempty"`
	State    State          `json:"state"`              // InTransit, then Collected if anything arrived, else Canceled
	EndedAt  time.Time      `json:"ended_at,omitzero"`  // when the last of it arrived or was written off
	Sequence uint64         `json:"sequence,omitempty"` // of its last change in the journal; 0 without one
	Lines    []TransferLine `json:"lines"`
}

// TransferLine is one SKU of a transfer: Quantity = OnTheWay + Delivered + Lost.
type TransferLine struct {
	SKU       string `json:"sku"`
	Quantity  int64  `json:"quantity"`
	OnTheWay  int64  `json:"on_the_way,omitempty"`
	Delivered int64  `json:"delivered,omitempty"`
	Lost      int64  `json:"lost,omitempty"`
}

// LookupTransfer returns the transfer with that ID, under way or remembered.
// ErrNotFound: there is none. ErrJournal: what was read is not known to last.
func (a *Allocator) LookupTransfer(id string) (TransferState, error) {
	c, err := a.gate.Enter()
	if err != nil {
		return TransferState{}, fmt.Errorf("allocator: look up transfer %s: %w", quoted(id), err)
	}
	defer c.End()
	e := &scratchOf(c.Pass).found
	if !a.ledger.FindTransfer(id, e) {
		c.Leave()
		return TransferState{}, fmt.Errorf("allocator: look up transfer %s: %w", quoted(id), ErrNotFound)
	}
	t := TransferState{ID: id, From: a.ledger.SlotName(e.Slot), To: a.ledger.SlotName(e.To), State: e.State,
		Sequence: e.Sequence, Lines: make([]TransferLine, len(e.Lines))}
	if e.State.Ended() {
		t.EndedAt = fromMillis(e.Deadline)
	}
	for i := range e.Lines {
		line := &e.Lines[i]
		t.Lines[i] = TransferLine{SKU: a.ledger.SKUName(line.SKU), Quantity: line.Quantity,
			OnTheWay: line.Confirmed, Delivered: line.Collected, Lost: line.Missing}
	}
	if err := c.LeaveRead(reservation.Ticket{Sequence: t.Sequence}); err != nil {
		return TransferState{}, fmt.Errorf("allocator: look up transfer %s: %w", quoted(id), err)
	}
	return t, nil
}
