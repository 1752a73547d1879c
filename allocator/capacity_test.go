package allocator

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/clickcollect/clickcollect/allocator/sourcing"
)

// calendar is the windows of a location in one line: start, taken and places.
func calendarText(a *Allocator, location string) string {
	var b strings.Builder
	for w := range a.Windows(location, time.Time{}, time.Time{}) {
		fmt.Fprintf(&b, "%s %s %d/%d free %d; ", w.Location, w.Start.Format("15:04"), w.Taken, w.Places, w.Free)
	}
	return strings.TrimSuffix(b.String(), "; ")
}

func calendared(t testing.TB, a *Allocator, location, want string) {
	t.Helper()
	if got := calendarText(a, location); got != want {
		t.Fatalf("calendar %q, want %q", got, want)
	}
}

// morning is an instant at which the hand clocks of these tests begin, and the
// windows of the day.
func morning() time.Time { return time.Date(2031, 3, 3, 8, 0, 0, 0, time.UTC) }

func at(hour int) time.Time { return time.Date(2031, 3, 3, hour, 0, 0, 0, time.UTC) }

// slotted is a street with tea and one window at ten of so many places, under a
// clock that the test moves.
func slotted(t testing.TB, n int, places int64, o Options) (*Allocator, *time.Time) {
	now := morning()
	o.Clock, o.ManualExpiry = func() time.Time { return now }, true
	a := street(t, n, o)
	var all []Window
	for i := range n {
		l := fmt.Sprintf("L%d", i)
		stocked(t, a, l, "tea", 10)
		all = append(all, Window{Location: l, Start: at(10), Length: time.Hour, Places: places})
	}
	must(t, a.SetWindows(t.Context(), all...))
	return a, &now
}

func windowed(id string, hour int, lines ...Line) Order {
	o := ordered(id, lines...)
	o.Window = at(hour)
	return o
}

func TestWindowLife(t *testing.T) {
	a, now := slotted(t, 1, 2, Options{HoldFor: time.Hour, MaxHold: 10 * time.Hour})
	take := func(id string) { allocated(t, a, windowed(id, 10, Line{"tea", 2}), "L0") }
	take("canceled")
	calendared(t, a, "L0", "L0 10:00 1/2 free 1")
	if got := mustGet(a.Lookup("canceled")); len(got.Lines) != 1 || got.Lines[0].SKU != "tea" || !got.Promise.Equal(at(10)) {
		t.Fatalf("looked up %+v", got)
	}
	take("part")
	calendared(t, a, "L0", "L0 10:00 2/2 free 0")
	_, err := a.Allocate(t.Context(), windowed("full", 10, Line{"tea", 1}))
	refused(t, err, ErrNoLocation, err.Error())
	if seen := as[*NoLocationError](t, err).Explain().Rejected; len(seen) != 1 || seen[0].Reason != sourcing.Full || seen[0].Detail != "window" {
		t.Fatalf("saw %+v, want Full", seen)
	}
	shelf(t, a, "L0", "tea", 10, 4, 0) // the loser took nothing
	must(t, a.Cancel(t.Context(), "canceled"))
	calendared(t, a, "L0", "L0 10:00 1/2 free 1")
	must(t, a.Cancel(t.Context(), "part", Line{"tea", 1}))
	calendared(t, a, "L0", "L0 10:00 1/2 free 1") // it comes all the same
	must(t, a.Cancel(t.Context(), "part", Line{"tea", 1}))
	calendared(t, a, "L0", "L0 10:00 0/2 free 2")
	take("expired")
	*now = now.Add(time.Hour)
	_, err = a.Expire(time.Time{})
	must(t, err)
	calendared(t, a, "L0", "L0 10:00 0/2 free 2")
	take("collected")
	must(t, a.Confirm(t.Context(), "collected"))
	must(t, a.Collect(t.Context(), "collected"))
	calendared(t, a, "L0", "L0 10:00 1/2 free 1") // used up
	must(t, a.SetWindows(t.Context(), Window{Location: "L0", Start: at(10), Length: time.Hour, Places: 2}))
	take("second")
	_, err = a.Allocate(t.Context(), windowed("third", 10, Line{"tea", 1}))
	if !errors.Is(err, ErrNoLocation) {
		t.Fatalf("a place that was used up was given again: %v", err)
	}
	o := windowed("none", 11, Line{"tea", 1})
	if _, err := a.Allocate(t.Context(), o); !errors.Is(err, ErrNoLocation) {
		t.Fatalf("an order for a window that is not there: %v", err)
	}
	report := mustGet(a.Audit(t.Context()))
	if len(report.Differences) > 0 {
		t.Fatalf("audit: %+v", report.Differences)
	}
}

// mustGet is a value that must be there.
func mustGet[V any](v V, err error) V {
	if err != nil {
		panic(err)
	}
	return v
}

func TestWindowGoneWithGoodsShort(t *testing.T) {
	a, _ := slotted(t, 1, 2, Options{})
	if _, err := a.Allocate(t.Context(), windowed("o", 10, Line{"tea", 11})); !errors.Is(err, ErrNoLocation) {
		t.Fatalf("got %v", err)
	}
	calendared(t, a, "L0", "L0 10:00 0/2 free 2")
}

func TestWindowLowered(t *testing.T) {
	a, _ := slotted(t, 1, 3, Options{})
	set := func(places int64) {
		must(t, a.SetWindows(t.Context(), Window{Location: "L0", Start: at(10), Length: time.Hour, Places: places}))
	}
	for _, id := range []string{"a", "b", "c"} {
		allocated(t, a, windowed(id, 10, Line{"tea", 1}), "L0")
	}
	full := func() {
		t.Helper()
		if _, err := a.Allocate(t.Context(), windowed("more", 10, Line{"tea", 1})); !errors.Is(err, ErrNoLocation) {
			t.Fatalf("got %v", err)
		}
	}
	set(1)
	calendared(t, a, "L0", "L0 10:00 3/1 free 0")
	must(t, a.Cancel(t.Context(), "a"))
	full()
	must(t, a.Cancel(t.Context(), "b"))
	full()
	must(t, a.Cancel(t.Context(), "c"))
	calendared(t, a, "L0", "L0 10:00 0/1 free 1")
	allocated(t, a, windowed("d", 10, Line{"tea", 1}), "L0")
	full()
	set(0)
	calendared(t, a, "L0", "L0 10:00 1/0 free 0")
	must(t, a.Cancel(t.Context(), "d"))
	calendared(t, a, "L0", "")
	full()
	set(2)
	calendared(t, a, "L0", "L0 10:00 0/2 free 2")
}

func TestWindowFaults(t *testing.T) {
	a, _ := slotted(t, 2, 3, Options{})
	allocated(t, a, windowed("a", 10, Line{"tea", 1}), "L0")
	good := Window{Location: "L0", Start: at(12), Length: time.Hour, Places: 1}
	for _, c := range []struct {
		name, want string
		change     func(w *Window)
		more       []Window
	}{
		{"no location", `invalid windows[0].Location "": must not be empty`, func(w *Window) { w.Location = "" }, nil},
		{"unknown location", `unknown location: "X"`, func(w *Window) { w.Location = "X" }, nil},
		{"fraction", `invalid windows[0].Start "2031-03-03T12:00:00.000000001Z": must be in whole seconds`,
			func(w *Window) { w.Start = w.Start.Add(1) }, nil},
		{"short", `invalid windows[0].Length "59s": must be 1m0s to 168h0m0s, in whole minutes`, func(w *Window) { w.Length = 59 * time.Second }, nil},
		{"uneven", `invalid windows[0].Length "1m1s": must be 1m0s to 168h0m0s, in whole minutes`, func(w *Window) { w.Length = 61 * time.Second }, nil},
		{"negative", `invalid windows[0].Places -1: must be 0 to 100000`, func(w *Window) { w.Places = -1 }, nil},
		{"many", `invalid windows[0].Places 100001: must be 0 to 100000`, func(w *Window) { w.Places = 100001 }, nil},
		{"passed", `invalid windows[0].Start "2031-03-03T07:00:00Z": the window has passed`, func(w *Window) { w.Start = at(7) }, nil},
		{"twice", `invalid windows[1].Start "2031-03-03T12:00:00Z": is in the list twice`, func(w *Window) {}, []Window{good}},
		{"two lengths", `invalid windows[1].Length "2h0m0s": must be 1h0m0s, as of the window that begins then`, func(w *Window) {},
			[]Window{{Location: "L0", Start: at(12), Length: 2 * time.Hour, Places: 1}}},
		{"other length", `invalid windows[0].Length "30m0s": must be 1h0m0s, as of the window that begins then`,
			func(w *Window) { w.Start, w.Length = at(10), 30*time.Minute }, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := good
			c.change(&w)
			err := a.SetWindows(t.Context(), append([]Window{w}, c.more...)...)
			if err == nil || err.Error() != "allocator: set windows: "+c.want && err.Error() != "allocator: set windows: allocator: "+c.want {
				t.Fatalf("got %v\nwant %s", err, c.want)
			}
		})
	}
	calendared(t, a, "", "L0 10:00 1/3 free 2; L1 10:00 0/3 free 3")
	// The length of a window is changed by closing it.
	must(t, a.SetWindows(t.Context(), Window{Location: "L1", Start: at(10), Length: time.Hour},
		Window{Location: "L1", Start: at(10), Length: 30 * time.Minute, Places: 5}))
	calendared(t, a, "L1", "L1 10:00 0/5 free 5")
}

func TestWindowOfShipToStore(t *testing.T) {
	a, _ := slotted(t, 2, 1, Options{})
	must(t, a.SetWindows(t.Context(), Window{Location: "L1", Start: at(10), Length: time.Hour}))
	must(t, a.Count(t.Context(), Count{ID: "c", Location: "L0", Lines: []Line{{"tea", 0}}}))
	o := windowed("o", 10, Line{"tea", 2})
	o.Form, o.At = sourcing.ShipToStore, "L0"
	got, err := a.Allocate(t.Context(), o)
	must(t, err)
	if said(got) != "o@L1 2 tea" {
		t.Fatalf("allocated %q", said(got))
	}
	calendared(t, a, "", "L0 10:00 1/1 free 0")
	o.ID = "p"
	_, err = a.Allocate(t.Context(), o)
	if !errors.Is(err, ErrNoLocation) {
		t.Fatalf("got %v", err)
	}
	shelf(t, a, "L1", "tea", 10, 2, 0)
	must(t, a.Cancel(t.Context(), "o"))
	calendared(t, a, "", "L0 10:00 0/1 free 1")
	shelf(t, a, "L1", "tea", 10, 0, 0)
	// Goods of the chosen store and of another one: one visit.
	stocked(t, a, "L0", "cup", 5)
	o.ID, o.Lines = "q", []Line{{"cup", 1}, {"tea", 1}}
	got, err = a.Allocate(t.Context(), o)
	must(t, err)
	if said(got) != "q/1@L0 1 cup; q/2@L1 1 tea" {
		t.Fatalf("allocated %q", said(got))
	}
	calendared(t, a, "", "L0 10:00 1/1 free 0")
}

func TestWindowsPass(t *testing.T) {
	dir := t.TempDir()
	a, now := slotted(t, 3, 2, Options{Dir: dir, LiveReads: true, HoldFor: 10 * time.Hour, MaxHold: 10 * time.Hour})
	allocated(t, a, windowed("o", 10, Line{"tea", 1}), "L0")
	must(t, a.SetCapacity(t.Context(), Capacity{Location: "L0", Per: Hour, Orders: 5}))
	allocated(t, a, ordered("p", Line{"tea", 1}), "L0")
	before := a.Sizes().StockBytes // what passes are resources, which are no cells of goods
	*now = at(13)
	_, err := a.Expire(time.Time{})
	must(t, err)
	calendared(t, a, "", "")
	for sku := range uint32(a.ledger.SKUs()) {
		if !a.ledger.Resource(sku) {
			continue
		}
		for slot := range a.ledger.SlotsOf(sku) {
			if v := a.ledger.Available(sku, slot); v.Available != 0 || v.OnHand != v.Held {
				t.Fatalf("%q at slot %d has %+v", a.ledger.SKUName(sku), slot, v)
			}
		}
	}
	must(t, a.Cancel(t.Context(), "p"), a.Close())
	b := opened(t, Options{Dir: dir, Clock: func() time.Time { return *now }, ManualExpiry: true, LiveReads: true})
	if after := b.Sizes().StockBytes; after >= before {
		t.Fatalf("%d bytes after, %d before", after, before)
	}
	state(t, b, "o", Held)
	must(t, b.Collect(t.Context(), "o"))
	report := mustGet(b.Audit(t.Context()))
	if len(report.Differences) > 0 {
		t.Fatalf("audit: %+v", report.Differences)
	}
}

func TestWindowEvents(t *testing.T) {
	a, now := slotted(t, 1, 2, Options{FeedBytes: 1 << 20})
	must(t, a.SetCapacity(t.Context(), Capacity{Location: "L0", Per: Hour, Orders: 5, Lines: 9}))
	allocated(t, a, windowed("o", 10, Line{"tea", 2}), "L0")
	allocated(t, a, ordered("p", Line{"tea", 1}), "L0")
	must(t, a.Cancel(t.Context(), "o"))
	*now = at(20)
	mustGet(a.Expire(time.Time{}))
	var b strings.Builder
	for e, err := range a.History(t.Context(), 0) {
		must(t, err)
		if text := fmt.Sprintf("%+v", e); strings.Contains(text, "\x00") {
			t.Errorf("a name of the ledger in %q", text)
		}
		fmt.Fprintf(&b, "%s %s", e.Name, e.ID)
		for _, line := range e.Lines {
			fmt.Fprintf(&b, " %d %s", line.Units, line.SKU)
		}
		if !e.Window.IsZero() {
			fmt.Fprintf(&b, " %s", e.Window.Format("15:04"))
		}
		if e.Setting != "" {
			fmt.Fprintf(&b, " %s", e.Setting)
		}
		b.WriteString("\n")
	}
	const want = `Opened 
LocationSet 
SKUAdded  0 tea
StockReceived stock/L0/tea/0 10 tea
WindowNamed  10:00
WindowNamed  10:00
WindowsSet  10:00
SettingChanged  capacity/L0
PeriodNamed  08:00
PeriodNamed  08:00
PeriodOpened  08:00
HoldPlaced o 2 tea 10:00
HoldPlaced p 1 tea
ReservationCanceled o 2 tea 10:00
PeriodsPassed  10:00
HoldExpired p 1 tea
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

// The repeat of an order takes nothing of any period, and opens none: it writes
// nothing, however much later it comes.
func TestRepeatOpensNoPeriod(t *testing.T) {
	var clock handClock
	a := street(t, 1, Options{FeedBytes: 1 << 20, Clock: clock.now, ManualExpiry: true})
	stocked(t, a, "L0", "tea", 9)
	must(t, a.SetCapacity(t.Context(), Capacity{Location: "L0", Per: Hour, Orders: 5}))
	o := ordered("o", Line{"tea", 1})
	first := allocated(t, a, o, "L0")
	clock.add(3 * time.Hour)
	before := a.Stats().Journal.Sequence
	if again := allocated(t, a, o, "L0"); again.HeldUntil != first.HeldUntil {
		t.Errorf("held until %v, first %v", again.HeldUntil, first.HeldUntil)
	}
	if after := a.Stats().Journal.Sequence; after != before {
		t.Errorf("the repeat wrote records %d to %d", before+1, after)
	}
}

// A place in a window is confirmed with the first of an order's goods and kept with
// the last. It does not keep an order ready of which only held units are left: the
// pickup that nobody came to ends, once, and the hold has its own deadline. The
// engine looked at such an order for ever, and with it everything that pauses stood
// still.
func TestNoShowOfAnOrderWithAPlaceThatIsHeldInPart(t *testing.T) {
	for name, leave := range map[string]func(a *Allocator, clock *handClock) error{
		"no-show": func(a *Allocator, clock *handClock) error {
			clock.add(2 * time.Minute)
			return second(a.Expire(time.Time{}))
		},
		"collect": func(a *Allocator, _ *handClock) error { return a.Collect(context.Background(), "o", Line{"tea", 1}) },
	} {
		t.Run(name, func(t *testing.T) {
			var clock handClock
			a := street(t, 1, Options{Clock: clock.now, ManualExpiry: true, HoldFor: time.Hour})
			stocked(t, a, "L0", "tea", 9)
			start := clock.now().Add(24 * time.Hour).Truncate(time.Second)
			must(t, a.SetWindows(t.Context(), Window{Location: "L0", Start: start, Length: time.Hour, Places: 3}))
			o := ordered("o", Line{"tea", 2})
			o.At, o.Window = "L0", start
			must(t, second(a.Allocate(t.Context(), o)), a.Confirm(t.Context(), "o", Line{"tea", 1}),
				a.Ready(t.Context(), "o", Pickup{Until: clock.now().Add(time.Minute)}))
			returns(t, name, func() { must(t, leave(a, &clock)) })
			r := state(t, a, "o", Held)
			if l := r.Lines[0]; l.Held != 1 || l.Confirmed != 0 {
				t.Errorf("got %+v", r)
			}
			if err := a.Ready(t.Context(), "o", Pickup{}); !errors.Is(err, ErrState) {
				t.Errorf("nothing is confirmed: %v", err)
			}
			clock.add(2 * time.Hour)
			returns(t, "Expire", func() { must(t, second(a.Expire(time.Time{}))) })
			if r, err := a.Lookup("o"); err != nil || !r.State.Ended() || r.Lines[0].Expired == 0 {
				t.Errorf("got %+v, %v", r, err)
			}
			audited(t, a)
		})
	}
}
