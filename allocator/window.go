package allocator

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/clickcollect/clickcollect/allocator/internal/calendar"
	"github.com/clickcollect/clickcollect/allocator/internal/topology"
	"github.com/clickcollect/clickcollect/reservation"
)

// Window is a pickup window: a span of time in which so many customers can come
// to a location. An order names it by its start, so a location has one window
// from each start on.
type Window struct {
	Location string        `json:"location"`
	Start    time.Time     `json:"start,omitzero"`   // in whole seconds
	Length   time.Duration `json:"length,omitempty"` // in whole minutes, 1 minute to 7 days
	Places   int64         `json:"places"`           // orders at most, 0 to 100,000; 0: none any more
}

// WindowState is a window and what there is left of it.
type WindowState struct {
	Window
	// Taken is the places that orders have, or had until they were collected. It is
	// above Places after these were lowered.
	Taken int64 `json:"taken"`
	// Free is the places an order can still take: Places − Taken, at least 0.
	Free int64 `json:"free"`
}

// SetWindows sets pickup windows: how many orders each of them takes. Many in one
// call are quickest. An order with that Order.Window takes a place, in one step
// with its goods, where its customer comes: at the location that holds the goods,
// or at Order.At. It is given back when the order is canceled, expires, is not
// collected, or goes elsewhere; a part of it gives it back with its last goods.
// Goods that are collected use it up.
//
// Places may be set below what is taken: those who have a place keep it, and
// nobody gets another one until fewer are taken. Every order that begins after
// the call returns keeps to it. Places 0 closes a window; one of which nothing is
// taken is gone then. Its length can be changed when it is closed.
//
// An hour after its end a window loses what is not taken of it. What it costs for
// good is its name: some 200 bytes, and one of Options.MaxSKUs, for each start
// and length, however many locations have it.
//
// Errors: *InvalidError, ErrUnknownLocation, ErrNoSpace, ErrClosed: nothing was
// changed. ErrFull (no room for names), ErrJournal, or the end of ctx: the windows
// of some locations are set; repeat the call.
func (a *Allocator) SetWindows(ctx context.Context, windows ...Window) error {
	c, err := a.gate.AdmitSetting(ctx)
	if err != nil {
		return fmt.Errorf("allocator: set windows: %w", err)
	}
	defer c.End()
	t, err := a.setWindows(ctx, c.Now(), windows)
	if waited := c.Wait(ctx, t); err == nil {
		err = waited
	}
	if err != nil {
		return fmt.Errorf("allocator: set windows: %w", err)
	}
	return nil
}

// maxWindow is how long a window is at most.
const maxWindow = 7 * 24 * time.Hour

func (a *Allocator) setWindows(ctx context.Context, now int64, windows []Window) (last reservation.Ticket, err error) {
	list, err := a.checkWindows(windows, now)
	if err != nil {
		return last, err
	}
	change, err := a.calendar.SetWindows(list, now)
	var clash *calendar.ClashError
	switch {
	case errors.As(err, &clash):
		return last, clashOf(windows, clash)
	case err != nil:
		return last, err
	}
	defer change.End()
	for i := range change.Moves() {
		if err := ctx.Err(); err != nil {
			return last, fmt.Errorf("%d of %d locations set: %w", i, change.Moves(), err)
		}
		t, err := a.moveWindows(ctx, now, change, i)
		if err != nil {
			return last, err
		}
		last = t
	}
	return last, nil
}

// clashOf words what a list of windows has wrong by the fields of the caller.
func clashOf(windows []Window, clash *calendar.ClashError) error {
	w := &windows[clash.At]
	if clash.Minutes == 0 {
		return &InvalidError{Field: fmt.Sprintf("windows[%d].Start", clash.At), Value: shown(w.Start), Why: "is in the list twice"}
	}
	return &InvalidError{Field: fmt.Sprintf("windows[%d].Length", clash.At), Value: w.Length.String(),
		Why: fmt.Sprintf("must be %v, as of the window that begins then", time.Duration(clash.Minutes)*time.Minute)}
}

// moveWindows makes one move of a change: while no order claims by the old places, if
// any window gets fewer.
func (a *Allocator) moveWindows(ctx context.Context, now int64, change *calendar.WindowChange, i int) (reservation.Ticket, error) {
	if change.Lowers(i) {
		resume := a.gate.Pause()
		defer resume()
		return change.Move(i)
	}
	c, err := a.gate.BeginAt(ctx, now)
	if err != nil {
		return reservation.Ticket{}, err
	}
	defer c.Leave()
	return change.Move(i)
}

// checkWindows validates each window of a list by itself.
func (a *Allocator) checkWindows(windows []Window, now int64) ([]calendar.Window, error) {
	if err := a.checkBatch("windows", len(windows)); err != nil {
		return nil, err
	}
	list := make([]calendar.Window, len(windows))
	invalid := func(i int, field string, value any, why string) error {
		return &InvalidError{Field: fmt.Sprintf("windows[%d].%s", i, field), Value: value, Why: why}
	}
	for i := range windows {
		w := &windows[i]
		slot, ok := a.ledger.Slot(w.Location)
		switch {
		case !ok:
			if err := a.checkLocation(fmt.Sprintf("windows[%d].Location", i), w.Location); err != nil {
				return nil, err
			}
			return nil, fmt.Errorf("%w: %s", ErrUnknownLocation, quoted(w.Location))
		case w.Start.IsZero() || !inTime(w.Start):
			return nil, invalid(i, "Start", w.Start.String(), inYears)
		case w.Start.Nanosecond() != 0:
			return nil, invalid(i, "Start", shown(w.Start), "must be in whole seconds")
		case w.Length < time.Minute || w.Length > maxWindow || w.Length%time.Minute != 0:
			return nil, invalid(i, "Length", w.Length.String(), fmt.Sprintf("must be 1m0s to %v, in whole minutes", maxWindow))
		case w.Places < 0 || w.Places > calendar.MaxPlaces:
			return nil, invalid(i, "Places", w.Places, fmt.Sprintf("must be 0 to %d", calendar.MaxPlaces))
		case w.Start.Add(w.Length).UnixMilli() <= now:
			return nil, invalid(i, "Start", shown(w.Start), "the window has passed")
		}
		list[i] = calendar.Window{Slot: slot, Start: w.Start.Unix(), Minutes: int64(w.Length / time.Minute), Places: w.Places}
	}
	return list, nil
}

// shown is a time as errors show it.
func shown(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// Windows walks the windows of a location, or with "" of all, that begin at from
// or later and before to (zero: whenever), ascending by start, location by
// location, as they are now: the calendar of a shop. Windows that are over are not
// among them, nor closed ones of which nothing is taken. It does not wait for the
// disk.
func (a *Allocator) Windows(location string, from, to time.Time) iter.Seq[WindowState] {
	return func(yield func(WindowState) bool) {
		t := a.locations.Load()
		if location == "" {
			for slot := range t.Slots() {
				if !t.Place(slot).Gone() && !a.windowsAt(t, slot, from, to, yield) {
					return
				}
			}
			return
		}
		if slot, ok := a.ledger.Slot(location); ok && slot < t.Slots() {
			a.windowsAt(t, slot, from, to, yield)
		}
	}
}

func (a *Allocator) windowsAt(t *topology.Catalogue, slot uint32, from, to time.Time, yield func(WindowState) bool) bool {
	for w := range a.calendar.Windows(slot, from, to, a.gate.Now()) {
		window := Window{Location: t.Place(slot).ID, Start: time.Unix(w.Start, 0).UTC(), Length: time.Duration(w.Minutes) * time.Minute, Places: w.Places}
		if !yield(WindowState{Window: window, Taken: w.Taken, Free: max(w.Places-w.Taken, 0)}) {
			return false
		}
	}
	return true
}
