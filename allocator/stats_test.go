package allocator

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clickcollect/clickcollect/allocator/internal/gate"
	"github.com/clickcollect/clickcollect/reservation"
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

// checkStats counts what there is of 2 SKUs at so many locations, and of so many orders
// at the first of them, and compares.
func checkStats(t *testing.T, a *Allocator, when, dir string, locations, cells, orders int) {
	t.Helper()
	for a.Stats().Journal.Prepared < 2 { // the preparer is at work
		runtime.Gosched()
	}
	s, size := a.Stats(), a.Sizes()
	held := 0
	for i := range orders {
		r, err := a.Lookup(fmt.Sprint("o", i))
		if must(t, err); !r.State.Ended() {
			held++
		}
	}
	if s.Locations != locations || size.SKUs != 2 || size.Cells != cells || s.Held != held || s.Short != 0 {
		t.Errorf("%s: %d locations, %d SKUs, %d cells, %d held, %d short; want %d, 2, %d, %d, 0",
			when, s.Locations, size.SKUs, size.Cells, s.Held, s.Short, locations, cells, held)
	}
	at, seen := map[string]int{}, 0
	for id, n := range a.Orders().Loads() {
		at[id] = n
		seen += n
	}
	if len(at) != locations || at["L0"] != held || seen != held {
		t.Errorf("%s: %d held at L0 and %d at all %d; want %d at %d", when, at["L0"], seen, len(at), held, locations)
	}
	// Files are prepared beside: one may be there that is not counted yet.
	for try := 0; ; try++ {
		segments, prepared, bytes := journalFiles(t, dir)
		j := a.Stats().Journal
		if j.Segments == segments && j.Prepared == prepared && j.Bytes == bytes && j.Durable == j.Sequence && j.Err == nil {
			break
		}
		if try == 10_000 {
			t.Errorf("%s: %+v; want %d and %d files of %d bytes", when, j, segments, prepared, bytes)
			break
		}
	}
	if size.StockBytes <= 0 || size.ReservationBytes <= 0 {
		t.Errorf("%s: %d and %d bytes", when, size.StockBytes, size.ReservationBytes)
	}
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
		checkStats(t, a, when, o.Dir, locations, cells, 12)
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
	look := clock.now
	o := Options{ManualExpiry: true, HoldFor: time.Minute, Clock: func() time.Time { return look() }}
	a := street(t, 1, o)
	stocked(t, a, "L0", "tea", orders)
	for i := range orders {
		allocated(t, a, ordered(fmt.Sprint("o", i), Line{"tea", 1}), "L0")
	}
	clock.add(time.Minute)
	// From here on each look of the engine at its clock takes a millisecond.
	look = func() time.Time {
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

// One order in timedOf is timed, by whichever outcome, for as long as it takes: with
// the wait for the disk, whose commit is timed, too.
func TestOrdersAreTimed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := street(t, 1, Options{HoldFor: time.Hour, FeedBytes: 1 << 20})
		stocked(t, a, "L0", "tea", 100)
		commits := a.Stats().Journal.CommitTime.Count
		for i := range 4 * timedOf {
			_, err := a.Allocate(t.Context(), ordered(fmt.Sprint("o", i%150), Line{"tea", 1}))
			if short := i%150 >= 100; errors.Is(err, ErrNoLocation) != short || !short && err != nil {
				t.Fatal(i, err)
			}
		}
		s := a.Stats()
		// All calls come from one goroutine, which may change its processor, and with it
		// the counters, of which there are 64, that say whose turn it is.
		if n := s.AllocateTime.Count; n < 4 || n > 4+64 || s.AllocateTime.Sum != 0 {
			t.Errorf("%d of %d orders were timed: %v", n, 4*timedOf, s.AllocateTime)
		}
		if j := s.Journal; j.CommitTime.Count <= commits || j.CommitTime.Count != j.Commits {
			t.Errorf("%d commits, %d of them timed", j.Commits, j.CommitTime.Count)
		}
		must(t, a.Close())
	})
}

// Whose turn it is the counters of the stripe say.
func TestTurnToBeTimed(t *testing.T) {
	var g gate.Gate
	g.Open(gate.Options{Logger: slog.New(slog.DiscardHandler)})
	g.Start(reservation.New(reservation.Options{}))
	c, err := g.Enter()
	must(t, err)
	turns := 0
	for i := range 3 * timedOf {
		if !begun(c.Pass).IsZero() {
			turns++
		}
		c.Count([]gate.Counter{gate.Allocated, gate.Refused, gate.Repeated}[i%3])
	}
	if turns != 3 {
		t.Errorf("%d of %d orders are timed, want 3", turns, 3*timedOf)
	}
	c.Leave()
	must(t, g.Close())
}
