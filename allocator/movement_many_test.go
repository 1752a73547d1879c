package allocator_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/clickcollect/clickcollect/allocator"
	"github.com/clickcollect/clickcollect/geo"
	"github.com/clickcollect/clickcollect/reservation/log"
	"github.com/clickcollect/clickcollect/reservation/log/logtest"
)

// manyLines are lines of as many SKUs, units of each.
func manyLines(n int, units int64) []allocator.Line {
	lines := make([]allocator.Line, n)
	for i := range lines {
		lines[i] = allocator.Line{SKU: fmt.Sprintf("SKU-%05d", i), Quantity: units}
	}
	return lines
}

// onHand is what a location has of each SKU of lines, if it is the same of all.
func onHand(t *testing.T, a *allocator.Allocator, at string, lines []allocator.Line) (units int64) {
	t.Helper()
	for i, line := range lines {
		level, err := a.Available(line.SKU, at)
		if err != nil && !errors.Is(err, allocator.ErrUnknownSKU) {
			t.Fatal(err)
		}
		if i > 0 && level.OnHand != units {
			t.Fatalf("%s has %d of %s and %d of the SKUs before", at, level.OnHand, line.SKU, units)
		}
		units = level.OnHand
	}
	return units
}

// Every kind of movement may have more lines than an order: they are booked together,
// the same again does nothing, and others under its ID are a conflict.
func TestMovementsOfManyLines(t *testing.T) {
	const most = 9000
	ctx := t.Context()
	a, err := allocator.Open(ctx, allocator.Options{MaxLines: 3, MaxBatch: most, FeedBytes: 64 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	if err := a.SetLocations(ctx, stores...); err != nil {
		t.Fatal(err)
	}
	here, there := stores[0].ID, stores[1].ID
	for _, m := range []struct {
		what  string
		units int64
		book  func(id string, lines []allocator.Line) error
		here  int64 // on hand afterwards
		there int64
	}{
		{"receipt", 20, func(id string, lines []allocator.Line) error {
			return a.Receive(ctx, allocator.Receipt{ID: id, Location: here, Lines: lines})
		}, 20, 0},
		{"count", 30, func(id string, lines []allocator.Line) error {
			return a.Count(ctx, allocator.Count{ID: id, Location: here, Lines: lines})
		}, 30, 0},
		{"sale", 1, func(id string, lines []allocator.Line) error {
			return a.Sell(ctx, allocator.Sale{ID: id, Location: here, Lines: lines})
		}, 29, 0},
		{"adjustment", -2, func(id string, lines []allocator.Line) error {
			return a.Adjust(ctx, allocator.Adjustment{ID: id, Location: here, Lines: lines})
		}, 27, 0},
		{"damage", 3, func(id string, lines []allocator.Line) error {
			return a.WriteOff(ctx, allocator.Damage{ID: id, Location: here, Lines: lines})
		}, 24, 0},
		{"transfer", 9, func(id string, lines []allocator.Line) error {
			return a.Send(ctx, allocator.Transfer{ID: id, From: here, To: there, Lines: lines})
		}, 15, 0},
		{"delivery", 4, func(id string, lines []allocator.Line) error {
			return a.Deliver(ctx, allocator.Delivery{ID: id, Transfer: "transfer", Lines: lines})
		}, 15, 4},
		{"loss", 2, func(id string, lines []allocator.Line) error {
			return a.Lose(ctx, allocator.Loss{ID: id, Transfer: "transfer", Lines: lines})
		}, 15, 4},
	} {
		lines := manyLines(most, m.units)
		before := a.Stats().Journal.Sequence
		for try, want := range []error{nil, nil, allocator.ErrConflict, allocator.ErrInvalid} {
			switch try {
			case 2:
				lines[most-1].Quantity++
			case 3:
				lines = append(lines, allocator.Line{SKU: "one more", Quantity: m.units})
			}
			if err := m.book(m.what, lines); !errors.Is(err, want) {
				t.Fatalf("%s, %d: %v; want %v", m.what, try, err, want)
			}
		}
		lines = lines[:most]
		if h, th := onHand(t, a, here, lines), onHand(t, a, there, lines); h != m.here || th != m.there {
			t.Errorf("%s: %d are here and %d there, want %d and %d", m.what, h, th, m.here, m.there)
		}
		if n := a.Stats().Journal.Sequence - before; m.what != "receipt" && n != 1 {
			t.Errorf("%s: %d records", m.what, n)
		}
	}
}

// A movement of many lines, of SKUs that are new, is cut off after every frame of the
// journal, as a kill does: all of it is there or nothing, the repeat books all of it, and
// another repeat does nothing.
func TestMovementOfManyLinesIsCutOff(t *testing.T) {
	ctx := t.Context()
	count := allocator.Count{ID: "night", Location: stores[0].ID, Lines: manyLines(5000, 7)}
	open := func(store *logtest.Store) *allocator.Allocator {
		a, err := allocator.Open(ctx, allocator.Options{Log: store.Open("a"), MaxLines: 10})
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	store := new(logtest.Store)
	a := open(store)
	if err := errors.Join(a.SetLocations(ctx, stores...), a.Count(ctx, count), a.Close()); err != nil {
		t.Fatal(err)
	}
	var frames []log.Frame
	for f, err := range store.Open("reader").Read(1) {
		if err != nil {
			t.Fatal(err)
		}
		f.Payload = append([]byte(nil), f.Payload...)
		frames = append(frames, f)
	}
	none, all := 0, 0
	for n := 1; n <= len(frames); n++ {
		if n > 8 && n < len(frames)-8 && n%16 != 0 {
			continue
		}
		cut := new(logtest.Store)
		h := cut.Open("a")
		for _, f := range frames[:n] {
			if err := h.Append(f.First, f.Count, f.Payload); err != nil {
				t.Fatal(err)
			}
		}
		if err := h.Close(); err != nil {
			t.Fatal(err)
		}
		a := open(cut)
		if err := a.SetLocations(ctx, stores...); err != nil {
			t.Fatal(err)
		}
		switch units := onHand(t, a, count.Location, count.Lines); units {
		case 0:
			none++
		case 7:
			all++
		default:
			t.Errorf("after %d of %d frames: %d units", n, len(frames), units)
		}
		for range 2 {
			if err := a.Count(ctx, count); err != nil || onHand(t, a, count.Location, count.Lines) != 7 {
				t.Errorf("after %d of %d frames the repeat: %v", n, len(frames), err)
			}
		}
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if none == 0 || all == 0 {
		t.Errorf("of %d frames nothing was there %d times, all %d times", len(frames), none, all)
	}
}

// A count of more lines than are remembered one by one makes counts as of a time before
// it too old at its own location, and nowhere else, also after a restart: not at one that
// shares what is remembered with it.
func TestCountOfManyLinesLeavesOthersAlone(t *testing.T) {
	ctx := t.Context()
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	store := new(logtest.Store)
	open := func() *allocator.Allocator {
		a, err := allocator.Open(ctx, allocator.Options{Log: store.Open("a"), ManualExpiry: true, Clock: func() time.Time { return now }})
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	a := open()
	all := make([]allocator.Location, 600)
	for i := range all {
		all[i] = allocator.Location{ID: fmt.Sprint("L", i), Point: geo.Point{Lat: 50, Lon: float64(i) / 100}}
	}
	tea := []allocator.Line{{SKU: "tea", Quantity: 10}}
	err := a.SetLocations(ctx, all...)
	for i := range all {
		err = errors.Join(err, a.Receive(ctx, allocator.Receipt{ID: all[i].ID, Location: all[i].ID, Lines: tea}))
	}
	now = now.Add(time.Hour)
	written := now
	now = now.Add(time.Hour)
	for i := range all {
		err = errors.Join(err, a.Sell(ctx, allocator.Sale{ID: "sale " + all[i].ID, Location: all[i].ID, Lines: []allocator.Line{{SKU: "tea", Quantity: 1}}}))
	}
	now = now.Add(time.Hour)
	err = errors.Join(err, a.Count(ctx, allocator.Count{ID: "night", Location: "L0", AsOf: written, Lines: append(manyLines(5000, 7), tea...)}))
	if err != nil {
		t.Fatal(err)
	}
	for life := range 2 {
		for i := range all {
			at, id := all[i].ID, fmt.Sprint("count ", life, all[i].ID)
			err := a.Count(ctx, allocator.Count{ID: id, Location: at, AsOf: written, Lines: tea})
			if want := i == 0; errors.Is(err, allocator.ErrTooOld) != want || !want && err != nil {
				t.Fatalf("life %d, a count at %s: %v", life, at, err)
			}
			if units := onHand(t, a, at, tea); units != 9 {
				t.Errorf("life %d: %d units at %s, want the 10 counted but for the one sold", life, units, at)
			}
		}
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
		a = open()
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
}
