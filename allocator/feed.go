package allocator

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/clickcollect/clickcollect/allocator/internal/calendar"
	"github.com/clickcollect/clickcollect/allocator/internal/gate"
	"github.com/clickcollect/clickcollect/allocator/internal/goods"
	"github.com/clickcollect/clickcollect/allocator/walk"
	"github.com/clickcollect/clickcollect/reservation"
	"github.com/clickcollect/clickcollect/reservation/history"
)

// Event is one thing that happened: a record of the journal with its names. It
// has all that a message to a customer or another system needs. Which fields are
// set depends on Name; the others are zero, and left out of JSON.
//
// Stock: StockReceived, StockCounted, SaleRecorded, StockAdjusted, StockDamaged,
// TransferShipped, TransferReceived, TransferShort, SafetyStockSet. Reservations:
// HoldPlaced, HoldExtended, HoldTransferred, ReservationConfirmed, OrderAccepted,
// InTransit, ArrivedForPickup, ReadyForPickup, PickupReminderDue, ShortPicked,
// Collected, ReservationCanceled, HoldExpired, NoShow, ReturnReceived,
// ShortageFound, ShortageCovered, OrderRejected, Rerouted, RerouteFailed; of a parcel
// Packed, Shipped, Delivered, DeliveryFailed (lost), ReturnedToSender. Besides:
// SKUAdded, LocationSet, LocationRemoved, SettingChanged, Opened. Of what locations
// have besides goods: WindowNamed and PeriodNamed (a start that is used for the
// first time), WindowsSet, PeriodOpened (a period whose first order came),
// PeriodsPassed; of parts of a SKU's stock: StockPartNamed, QuotaMoved. New names
// may come with new versions.
type Event struct {
	Sequence uint64    `json:"sequence"` // ascending by one
	Time     time.Time `json:"time"`     // engine time, UTC
	Name     string    `json:"name"`
	ID       string    `json:"id,omitempty"`       // of the order, movement or transfer
	Part     int       `json:"part,omitempty"`     // the number of the part that it is about, 1 of an order that has one; 0: it is no order, or Shares says which
	Parts    int       `json:"parts,omitempty"`    // of how many parts the order was when it was told
	Other    int       `json:"other,omitempty"`    // Rerouted: the number of the part that has the units now, 0 if it is the same; HoldPlaced: the part that they come from
	Change   string    `json:"change,omitempty"`   // ID of the change or return, if it has one
	Order    string    `json:"order,omitempty"`    // references given with the order
	Customer string    `json:"customer,omitempty"` //
	Channel  string    `json:"channel,omitempty"`  // on which it is carried on
	Location string    `json:"location,omitempty"` // where the goods are
	To       string    `json:"to,omitempty"`       // where they are sent to, or are now after a reroute
	Cause    string    `json:"cause,omitempty"`    // of a return, also to the sender: restocked, damaged return, to inspect; of a rejection or a reroute
	Code     string    `json:"code,omitempty"`     // pickup code
	Ref      string    `json:"ref,omitempty"`      // the movement that caused it; the transfer of a delivery
	Form     string    `json:"form,omitempty"`     // how the goods reach the customer: ship to store, or ship; left out of what is collected
	Store    string    `json:"store,omitempty"`    // to which they are brought
	Carrier  string    `json:"carrier,omitempty"`  // who has the parcel, and under which number
	Tracking string    `json:"tracking,omitempty"` //

	// OrderState is what the state of the order has become with it, if it has become
	// another one: so each change of an order's state is told once, and by the event that
	// made it, such as the last ReadyForPickup of an order of several parts, with which all
	// of it is ready. What earlier versions wrote says it of holds alone.
	OrderState OrderState `json:"order_state,omitempty"`

	Setting  string    `json:"setting,omitempty"`  // what was changed, by the engine's own name
	Deadline time.Time `json:"deadline,omitzero"`  // of the hold, or of the pickup
	AsOf     time.Time `json:"as_of,omitzero"`     // of a count
	Missing  bool      `json:"missing,omitempty"`  // Rerouted: the units were missing before
	Distance float64   `json:"distance,omitempty"` // HoldPlaced, Rerouted: metres from the customer to the location where the goods are then
	Promise  time.Time `json:"promise,omitzero"`   // when the goods were promised to be ready
	Window   time.Time `json:"window,omitzero"`    // the start of the pickup window, or period, that it concerns

	Lines []EventLine `json:"lines,omitempty"`

	// Shares is what it is for each part, when it is about several parts of an order at
	// once; Location and Lines are theirs then.
	Shares []EventShare `json:"shares,omitempty"`
}

// EventShare is what an event is for one part of an order.
type EventShare struct {
	Part     int         `json:"part"`
	Location string      `json:"location"`
	Lines    []EventLine `json:"lines,omitempty"`
}

// EventLine is a SKU and its units, those of its lots and quotas summed: of a
// movement, the signed change. OnHand is what is on hand after it, in events that
// change it; it is left out for a SKU that has lots or quotas, of which Shelves says
// what is on hand after it in those that it concerns. So a copy of what is on hand, such
// as walk.Cell begins, puts in what an event says, and is never off by one that it has.
type EventLine struct {
	SKU     string       `json:"sku"`
	Units   int64        `json:"units"`
	OnHand  *int64       `json:"on_hand,omitempty"`
	Shelves []walk.Shelf `json:"shelves,omitempty"`
	Apart   []walk.Apart `json:"apart,omitempty"` // of a SKU that has lots or quotas: which of them the units are of
}

// TrimmedError says which event is the first one that is still kept. It is
// ErrTrimmed.
type TrimmedError = reservation.TrimmedError

// Events walks everything that happens, from a sequence number on (0: from the
// first ever), in order and without end: first what is kept, then what comes,
// until ctx ends or the engine is closed. To go on later, begin one after the
// last Sequence that was dealt with; so each event comes at least once. Only what
// is durable comes, and a slow reader holds nobody up.
//
// An error comes last: ErrClosed; the error of ctx; *TrimmedError, when the
// events from there are not kept any more (Options.RetainBytes); ErrNoFeed,
// without a Dir, a Log and FeedBytes; ErrCorrupt; ErrJournal.
func (a *Allocator) Events(ctx context.Context, from uint64) iter.Seq2[Event, error] {
	return a.events(ctx, from, true)
}

// History is Events up to the last one there is, and then ends.
func (a *Allocator) History(ctx context.Context, from uint64) iter.Seq2[Event, error] {
	return a.events(ctx, from, false)
}

func (a *Allocator) events(ctx context.Context, from uint64, live bool) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		fail := func(err error) { yield(Event{}, fmt.Errorf("allocator: events: %w", err)) }
		switch {
		case a.gate.Closed():
			fail(ErrClosed)
			return
		case !a.gate.Recorded():
			fail(ErrNoFeed)
			return
		}
		bound, stop := a.gate.WhileOpen(ctx)
		defer stop()
		for sequence, step := range a.ledger.History(bound, from, live) {
			switch {
			case step.Err != nil && a.gate.Closed():
				fail(ErrClosed)
				return
			case step.Err != nil:
				fail(gate.Ended(bound, step.Err))
				return
			}
			if !yield(a.event(sequence, step.Record), nil) {
				return
			}
		}
	}
}

// event gives a record its names. Nothing of it refers to the record.
func (a *Allocator) event(sequence uint64, r *history.Record) Event {
	e := Event{Sequence: sequence, Time: fromMillis(r.Time), Name: r.Event(), ID: own(r.ID), Change: own(r.Change),
		Order: own(r.Order), Customer: own(r.Customer), Channel: own(r.Channel), Code: own(r.Code), Ref: own(r.Ref),
		Deadline: fromMillis(r.Deadline), AsOf: fromMillis(r.AsOf), Promise: fromMillis(r.Promise), Carrier: own(r.Carrier), Tracking: own(r.Tracking), Missing: r.Missing, OrderState: r.State}
	if r.Kind == history.Held || r.Kind == history.Rerouted {
		e.Distance = r.Distance
	}
	switch r.Kind {
	case history.SKUAdded:
		e.named(r.Name)
		return e
	case history.NoteSet:
		e.Setting = strings.ReplaceAll(r.Name, "\x00", "/")
		return e
	case history.Opened:
		return e
	case history.SafetySet:
		a.safetyEvent(&e, r)
		return e
	case history.LocationSet:
		e.Location = own(r.Name)
		return e
	case history.Returned, history.ReturnedToSender, history.Rejected, history.Rerouted, history.RerouteFailed:
		e.Cause = r.Cause.String()
	}
	if r.Kind == history.Held && r.Part < 2 && r.Ref == "" {
		e.OrderState = OrderHeld
	}
	if r.Kind != history.Moved {
		e.Part, e.Parts, e.Other = max(int(r.Part), 1), max(int(r.Parts), 1), int(r.Other)
	}
	if len(r.Shares) > 0 {
		e.Part = 0
		a.eventShares(&e, r)
		return e
	}
	e.Location = a.ledger.SlotName(r.Slot)
	if r.Kind == history.Dispatched || r.Kind == history.Rerouted || r.Kind == history.Moved && r.Cause == history.Sent {
		e.To = a.ledger.SlotName(r.To)
	}
	if r.Form != reservation.Unsaid {
		e.Form = formIn(r.Form).String()
	}
	if r.Form == reservation.Brought {
		e.Store = a.ledger.SlotName(r.Store)
	}
	a.eventLines(&e, r, r.Lines)
	return e
}

// eventShares gives an event what it is for each of several parts.
func (a *Allocator) eventShares(e *Event, r *history.Record) {
	lines := r.Lines
	for _, s := range r.Shares {
		part := Event{}
		a.eventLines(&part, r, lines[:s.Lines])
		lines = lines[s.Lines:]
		if part.Window != (time.Time{}) {
			e.Window = part.Window
		}
		e.Shares = append(e.Shares, EventShare{Part: int(s.Part), Location: a.ledger.SlotName(s.Slot), Lines: part.Lines})
	}
	if r.Kind == history.Dispatched {
		e.To = a.ledger.SlotName(r.To)
	}
}

// named is the event of a new name: of a SKU, of a window or a period, or of a
// part of a SKU's stock.
func (e *Event) named(name string) {
	base, _, part := strings.Cut(name, "\x00")
	switch begin, window, ok := calendar.Named(name); {
	case window:
		e.Name, e.Window = "WindowNamed", begin
	case ok:
		e.Name, e.Window = "PeriodNamed", begin
	case part:
		e.Name, e.Lines = "StockPartNamed", []EventLine{{SKU: own(base)}}
	default:
		e.Lines = []EventLine{{SKU: own(name)}}
	}
}

// eventLines gives an event its lines: of goods, by the SKU that shoppers know.
func (a *Allocator) eventLines(e *Event, r *history.Record, lines []history.Line) {
	shelf := movesShelf(r)
	var places calendar.Moved
	parts := false
	for i := range lines {
		line := &lines[i]
		if a.ledger.Resource(line.SKU) {
			places.Add(a.ledger.SKUName(line.SKU), line.Units)
			continue
		}
		base := a.ledger.Base(line.SKU)
		sku, part := a.ledger.SKUName(base), base != line.SKU
		at := slices.IndexFunc(e.Lines, func(l EventLine) bool { return part && l.SKU == sku })
		if !part && parts {
			at = slices.IndexFunc(e.Lines, func(l EventLine) bool { return l.SKU == sku })
		}
		parts = parts || part
		if at < 0 {
			if e.Lines == nil {
				e.Lines = make([]EventLine, 0, len(lines)-i)
			}
			at, e.Lines = len(e.Lines), append(e.Lines, EventLine{SKU: sku})
			if shelf && !part && a.ledger.Subs(base) == nil {
				onHand := line.OnHand
				e.Lines[at].OnHand = &onHand
			}
		}
		if to := &e.Lines[at]; shelf && to.OnHand == nil {
			to.Shelves = append(to.Shelves, walk.Shelf{Mark: markOf(a.ledger.SKUName(line.SKU)), OnHand: line.OnHand})
		}
		if part || a.ledger.Subs(base) != nil {
			e.Lines[at].Apart = append(e.Lines[at].Apart, walk.Apart{Mark: markOf(a.ledger.SKUName(line.SKU)), Units: line.Units})
		}
		e.Lines[at].Units += line.Units
	}
	if places.Windows || r.Kind == history.Moved {
		e.Window = places.First
	}
	switch {
	case r.Kind != history.Moved:
	case len(e.Lines) == 0 && places.Some:
		e.Name, e.ID = movedName(&places), ""
	case parts && r.Cause == history.Adjusted && !slices.ContainsFunc(e.Lines, func(l EventLine) bool { return l.Units != 0 }):
		e.Name = "QuotaMoved"
	}
}

// markOf is what tells units apart by the name of their cells.
func markOf(name string) walk.Mark {
	if lot, ok := goods.LotOf(name); ok {
		return walk.Mark{Lot: lot.ID, Expires: lot.Expires}
	}
	_, channel, _ := reservation.QuotaOf(name)
	return walk.Mark{Channel: own(channel)}
}

// movedName is the name of the event of a movement of windows and periods.
func movedName(m *calendar.Moved) string {
	switch {
	case m.Passed:
		return "PeriodsPassed"
	case m.Windows:
		return "WindowsSet"
	}
	return "PeriodOpened"
}

// movesShelf tells the records that say what is on hand afterwards.
func movesShelf(r *history.Record) bool {
	switch r.Kind {
	case history.Moved:
		return r.Cause != history.Lost
	case history.Dispatched, history.Arrived, history.ShortPicked, history.Collected, history.Shipped:
		return true
	case history.Returned, history.ReturnedToSender:
		return r.Cause == history.Restocked
	}
	return false
}

func (a *Allocator) safetyEvent(e *Event, r *history.Record) {
	if r.Slot != reservation.Everywhere {
		e.Location = a.ledger.SlotName(r.Slot)
	}
	line := EventLine{Units: r.Lines[0].Units}
	if r.SKU != reservation.EverySKU {
		line.SKU = a.ledger.SKUName(r.SKU)
	}
	e.Lines = []EventLine{line}
}

// own is a text that outlives the record.
func own(text string) string {
	if text == "" {
		return ""
	}
	return string([]byte(text))
}

// Export writes the events from a sequence number on up to the last one there is,
// each as one line of JSON with the field names of [Event]: the history for other
// programs, and for the archive before it is trimmed. It returns the sequence
// number after the last one written, to go on from. Errors as with Events, and
// what w says.
func (a *Allocator) Export(ctx context.Context, w io.Writer, from uint64) (next uint64, err error) {
	out := bufio.NewWriterSize(w, 1<<16)
	lines := json.NewEncoder(out)
	lines.SetEscapeHTML(false)
	next = max(from, 1)
	for e, err := range a.History(ctx, from) {
		if err != nil {
			return next, errors.Join(err, out.Flush())
		}
		if err := lines.Encode(&e); err != nil {
			return next, fmt.Errorf("allocator: export: %w", err)
		}
		next = e.Sequence + 1
	}
	if err := out.Flush(); err != nil {
		return next, fmt.Errorf("allocator: export: %w", err)
	}
	return next, nil
}

// AuditReport is what an audit looked at and what it found wrong.
type AuditReport = reservation.AuditReport

// Difference is something an audit found: a figure at a SKU and a location, or of
// a reservation.
type Difference = reservation.Difference

// Audit recomputes every counter and every reservation from the journal, without
// a Dir from the reservations, and reports what differs from the live ones. There
// must be nothing. It may run while traffic goes on: changes wait for an instant
// at its end, while what changed meanwhile is compared; without a Dir they wait
// until it is done. It needs memory for a second copy of the state. Errors:
// ErrClosed; the error of ctx; ErrCorrupt; ErrJournal.
func (a *Allocator) Audit(ctx context.Context) (AuditReport, error) {
	c, err := a.gate.Enter()
	if err != nil {
		return AuditReport{}, fmt.Errorf("allocator: audit: %w", err)
	}
	defer c.End()
	bound, stop := a.gate.WhileOpen(ctx)
	defer stop()
	report, err := a.ledger.Audit(bound, a.gate.Pause)
	if err != nil {
		return report, fmt.Errorf("allocator: audit: %w", gate.Ended(bound, err))
	}
	return report, nil
}
