package allocator

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// journalFiles counts the files of a directory as JournalStats does.
func journalFiles(t *testing.T, dir string) (segments, prepared int, bytes int64) {
	t.Helper()
	files, err := os.ReadDir(dir)
	must(t, err)
	for _, f := range files {
		info, err := f.Info()
		must(t, err)
		switch name := f.Name(); {
		case strings.HasSuffix(name, ".segment"):
			segments++
		case strings.HasPrefix(name, "prepared-"):
			prepared++
		default:
			continue
		}
		bytes += info.Size()
	}
	return segments, prepared, bytes
}

// Every figure that tells what is there is what a count of it gives: with SKUs at
// all locations and at few, windows, capacities, quotas, transfers under way,
// orders in every state, and again after a restart.
func TestStatsAreWhatThereIs(t *testing.T) {
	const locations = 60
	var clock handClock
	o := Options{Dir: t.TempDir(), Durability: Written, SegmentBytes: 65536, Clock: clock.now, ManualExpiry: true, MaxDistance: 1e6}
	a := street(t, locations, o)
	cells := 0
	for i := range locations {
		stocked(t, a, fmt.Sprint("L", i), "tea", 100)
		cells++
		if i%4 == 0 {
			stocked(t, a, fmt.Sprint("L", i), "cup", 100)
			cells++
		}
	}
	must(t, a.SetWindows(t.Context(), Window{Location: "L0", Start: clock.now().Add(time.Hour), Length: time.Hour, Places: 5}),
		a.SetCapacity(t.Context(), Capacity{Location: "L1", Orders: 1000, Per: Day}),
		a.SetQuota(t.Context(), Quota{ID: "q", Channel: "app", SKU: "tea", Location: "L2", Units: 6}),
		a.Send(t.Context(), Transfer{ID: "T", From: "L0", To: "L4", Lines: []Line{{"cup", 5}}}))
	for i := range 12 {
		_, err := a.Allocate(t.Context(), ordered(fmt.Sprint("o", i), Line{"cup", 1}))
		must(t, err)
	}
	must(t, a.Cancel(t.Context(), "o0"), a.Cancel(t.Context(), "o1"), a.Confirm(t.Context(), "o2"), a.Confirm(t.Context(), "o3"),
		a.Ready(t.Context(), "o3", Pickup{}), a.Collect(t.Context(), "o3"), a.Confirm(t.Context(), "o4", Line{"cup", 1}))
	check := func(when string) {
		t.Helper()
		s := a.Stats()
		held := 0
		for i := range 12 {
			r, err := a.Lookup(fmt.Sprint("o", i))
			if must(t, err); !r.State.Ended() {
				held++
			}
		}
		if s.Locations != locations || s.SKUs != 2 || s.Cells != cells || s.Held != held || s.Short != 0 {
			t.Errorf("%s: %d locations, %d SKUs, %d cells, %d held, %d short; want %d, 2, %d, %d, 0",
				when, s.Locations, s.SKUs, s.Cells, s.Held, s.Short, locations, cells, held)
		}
		segments, prepared, bytes := journalFiles(t, o.Dir)
		if j := s.Journal; j.Segments != segments || j.Prepared != prepared || j.Bytes != bytes || j.Durable != j.Sequence || j.Err != nil {
			t.Errorf("%s: %+v; want %d and %d files of %d bytes", when, j, segments, prepared, bytes)
		}
		if s.StockBytes <= 0 || s.ReservationBytes <= 0 {
			t.Errorf("%s: %d and %d bytes", when, s.StockBytes, s.ReservationBytes)
		}
	}
	check("first")
	remembered, sequence := a.Stats().Remembered, a.Stats().Journal.Sequence
	must(t, a.Close())
	a = opened(t, o)
	check("after a restart")
	if s := a.Stats(); s.Remembered != remembered || s.Journal.Sequence != sequence+1 {
		t.Errorf("after a restart %d are remembered and %d recorded; want %d, and one more than %d", s.Remembered, s.Journal.Sequence, remembered, sequence)
	}
	must(t, a.Deliver(t.Context(), Delivery{ID: "D", Transfer: "T"}))
	clock.add(time.Hour)
	due, err := a.Expire(time.Time{})
	if must(t, err); uint64(due.Expired) != a.Stats().Expired || due.Expired != 7 {
		t.Errorf("%+v, and %d told", due, a.Stats().Expired)
	}
	// The deadline was fifty minutes before the clock stepped past it.
	if lag := a.Stats().ExpiryLag; lag != 50*time.Minute {
		t.Errorf("late by %v", lag)
	}
	check("in the end")
	if got, want := a.Stats().Remembered, remembered+2+7; got != want { // the delivery, the transfer, the orders
		t.Errorf("%d remembered, want %d", got, want)
	}
	must(t, a.Close())
}

// The lag is from the deadline to when the units are free, and the counters move
// with every batch: a clock that goes on while a sweep works is seen in both.
func TestLagIsMeasuredWhenUnitsAreFree(t *testing.T) {
	const orders = 2000
	var clock handClock
	var told []uint64
	o := Options{ManualExpiry: true, HoldFor: time.Minute, Clock: clock.now}
	a := street(t, 1, o)
	stocked(t, a, "L0", "tea", orders)
	for i := range orders {
		allocated(t, a, ordered(fmt.Sprint("o", i), Line{"tea", 1}), "L0")
	}
	clock.add(time.Minute)
	// From here on each look of the engine at its clock takes a millisecond.
	a.clock.custom = func() time.Time {
		clock.add(time.Millisecond)
		told = append(told, a.expiry.expired.Load())
		return clock.now()
	}
	due, err := a.Expire(time.Time{})
	if must(t, err); due.Expired != orders {
		t.Fatalf("%+v", due)
	}
	if lag, looks := a.Stats().ExpiryLag, len(told); lag < time.Duration(looks-10)*time.Millisecond || lag > time.Duration(looks)*time.Millisecond || looks < orders/64 {
		t.Errorf("late by %v after %d looks of a millisecond", lag, looks)
	}
	steps := 0
	for i := 1; i < len(told); i++ {
		if told[i] > told[i-1]+64 {
			t.Errorf("%d expired in one batch", told[i]-told[i-1])
		}
		if told[i] > told[i-1] {
			steps++
		}
	}
	if steps < orders/64 {
		t.Errorf("the counter moved %d times for %d holds", steps, orders)
	}
	must(t, a.Close())
}
