package allocator

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clickcollect/clickcollect/allocator/sourcing"
)

func TestCapacityPushesThePromise(t *testing.T) {
	for _, c := range []struct {
		name    string
		now     string
		terms   Terms
		set     Capacity
		lines   int
		promise []string
	}{
		{"orders of an hour", "2031-03-03T08:30:00Z", Terms{Prep: time.Minute}, Capacity{Per: Hour, Orders: 2}, 1,
			[]string{"2031-03-03T08:31:00Z", "2031-03-03T08:31:00Z", "2031-03-03T09:01:00Z", "2031-03-03T09:01:00Z", "2031-03-03T10:01:00Z"}},
		{"lines of half an hour", "2031-03-03T08:10:00Z", Terms{Prep: time.Minute}, Capacity{Per: HalfHour, Lines: 3}, 2,
			[]string{"2031-03-03T08:11:00Z", "2031-03-03T08:31:00Z"}},
		{"both", "2031-03-03T08:10:00Z", Terms{}, Capacity{Per: QuarterHour, Orders: 2, Lines: 2}, 2,
			[]string{"2031-03-03T08:10:00Z", "2031-03-03T08:15:00Z"}},
		{"local day", "2031-03-03T22:30:00Z", Terms{Zone: "Europe/Warsaw"}, Capacity{Orders: 1}, 1,
			[]string{"2031-03-03T22:30:00Z", "2031-03-03T23:00:00Z", "2031-03-04T23:00:00Z"}},
		{"short day", "2031-03-29T12:00:00Z", Terms{Zone: "Europe/Warsaw"}, Capacity{Orders: 1}, 1,
			[]string{"2031-03-29T12:00:00Z", "2031-03-29T23:00:00Z", "2031-03-30T22:00:00Z"}},
		{"long day", "2031-10-25T12:00:00Z", Terms{Zone: "Europe/Warsaw"}, Capacity{Orders: 1}, 1,
			[]string{"2031-10-25T12:00:00Z", "2031-10-25T22:00:00Z", "2031-10-26T23:00:00Z"}},
		{"opening hours", "2031-03-03T17:30:00Z", Terms{Hours: "Mo-Fr 09:00-18:00"}, Capacity{Per: Hour, Orders: 1}, 1,
			[]string{"2031-03-03T17:30:00Z", "2031-03-04T09:00:00Z", "2031-03-04T10:00:00Z"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			now, err := time.Parse(time.RFC3339, c.now)
			must(t, err)
			a := opened(t, Options{Clock: func() time.Time { return now }, ManualExpiry: true})
			must(t, a.SetLocations(t.Context(), Location{ID: "L0", Point: streetPoint(0), Terms: &c.terms}))
			var lines []Line
			for i := range c.lines {
				lines = append(lines, Line{fmt.Sprintf("s%d", i), 1})
				stocked(t, a, "L0", lines[i].SKU, 100)
			}
			c.set.Location = "L0"
			must(t, a.SetCapacity(t.Context(), c.set))
			for i, want := range c.promise {
				got := allocated(t, a, ordered(fmt.Sprint(i), lines...), "L0")
				if s := got.Ready.Format(time.RFC3339); s != want {
					t.Fatalf("order %d: promise %s, want %s", i, s, want)
				}
			}
			must(t, a.Cancel(t.Context(), "0")) // its place is the next one's
			if got := allocated(t, a, ordered("again", lines...), "L0").Ready.Format(time.RFC3339); got != c.promise[0] {
				t.Fatalf("after a cancellation: promise %s, want %s", got, c.promise[0])
			}
		})
	}
}

func TestCapacityLoweredAndRemoved(t *testing.T) {
	now := morning()
	dir := t.TempDir()
	o := Options{Dir: dir, LiveReads: true, Clock: func() time.Time { return now }, ManualExpiry: true}
	a := street(t, 2, o)
	stocked(t, a, "L0", "tea", 50)
	set := func(v Capacity) { v.Location = "L0"; must(t, a.SetCapacity(t.Context(), v)) }
	day := func(id string, days int) {
		t.Helper()
		want := at(0).AddDate(0, 0, days)
		if days == 0 {
			want = now
		}
		if got := allocated(t, a, ordered(id, Line{"tea", 1}), "L0"); !got.Ready.Equal(want) {
			t.Fatalf("%s is promised for %v, want %v", id, got.Ready, want)
		}
	}
	set(Capacity{Orders: 3})
	day("a", 0)
	day("b", 0)
	set(Capacity{Orders: 1})
	day("c", 1)
	must(t, a.Cancel(t.Context(), "a"))
	day("d", 2)
	must(t, a.Cancel(t.Context(), "b"))
	day("e", 0)
	set(Capacity{Orders: 2})
	day("f", 0)
	must(t, a.Close())
	a = opened(t, o)
	day("g", 1)
	if got := slices.Collect(a.Capacities()); len(got) != 1 || got[0] != (Capacity{Location: "L0", Orders: 2}) {
		t.Fatalf("capacities %+v", got)
	}
	o2 := ordered("needed", Line{"tea", 1})
	o2.NeededBy = now.Add(time.Hour)
	if _, err := a.Allocate(t.Context(), o2); !errors.Is(err, ErrNoLocation) {
		t.Fatalf("got %v", err)
	}
	set(Capacity{})
	got := allocated(t, a, o2, "L0")
	if !got.Ready.IsZero() {
		t.Fatalf("promised for %v", got.Ready)
	}
	for _, c := range []struct {
		set  Capacity
		want string
	}{
		{Capacity{Location: "X", Orders: 1}, `allocator: set capacity: unknown location: "X"`},
		{Capacity{Location: "L0", Per: 9, Orders: 1}, `allocator: set capacity: invalid capacities[0].Per 0x9: is not a period`},
		{Capacity{Location: "L0", Orders: -1}, `allocator: set capacity: invalid capacities[0].Orders -1: must be 0 to 100000`},
		{Capacity{Location: "L0", Lines: 1e9 + 1}, `allocator: set capacity: invalid capacities[0].Lines 1000000001: must be 0 to 1000000000`},
	} {
		if err := a.SetCapacity(t.Context(), c.set); err == nil || err.Error() != c.want {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}

func TestOnePlaceOneWinner(t *testing.T) {
	const rivals = 64
	a, _ := slotted(t, 1, 1, Options{})
	stocked(t, a, "L0", "tea", 1000)
	for round := range 20 {
		var won atomic.Int64
		var winner atomic.Pointer[string]
		var all sync.WaitGroup
		for i := range rivals {
			all.Go(func() {
				id := fmt.Sprintf("%d/r%d", round, i)
				_, err := a.Allocate(t.Context(), windowed(id, 10, Line{"tea", 1}))
				switch {
				case err == nil:
					won.Add(1)
					winner.Store(&id)
				case !errors.Is(err, ErrNoLocation):
					t.Error(err)
				}
			})
		}
		all.Wait()
		if won.Load() != 1 {
			t.Fatalf("round %d: %d won", round, won.Load())
		}
		shelf(t, a, "L0", "tea", 1010, 1, 0)
		must(t, a.Cancel(t.Context(), *winner.Load()))
	}
}

// TestPlacesAreConserved has orders come and go while windows and capacities are
// raised and lowered: at no instant are more places given out than the highest
// number there ever was, none by an order that began after they were lowered, and
// in the end all are free.
func TestPlacesAreConserved(t *testing.T) {
	const workers, rounds = 8, 150
	a, _ := slotted(t, 3, 6, Options{HoldFor: time.Hour})
	for i := range 3 {
		stocked(t, a, fmt.Sprintf("L%d", i), "tea", 10000)
	}
	var all sync.WaitGroup
	for i := range workers {
		all.Go(func() { comeAndGo(t, a, i, rounds) })
	}
	done := make(chan struct{})
	var setter sync.WaitGroup
	setter.Go(func() { raiseAndLower(t, a, done) })
	all.Wait()
	close(done)
	setter.Wait()
	for w := range a.Windows("", time.Time{}, time.Time{}) {
		if w.Taken != 0 {
			t.Errorf("left over: %+v", w)
		}
	}
	for sku := range uint32(a.ledger.SKUs()) {
		if !a.ledger.Resource(sku) {
			continue
		}
		for slot := range a.ledger.SlotsOf(sku) {
			if v := a.ledger.Available(sku, slot); v.Held != 0 {
				t.Errorf("left over: %+v", v)
			}
		}
	}
	report := mustGet(a.Audit(t.Context()))
	if len(report.Differences) > 0 {
		t.Fatalf("audit: %+v", report.Differences)
	}
}

// comeAndGo has orders that want a place, some confirmed, and cancels them.
func comeAndGo(t *testing.T, a *Allocator, i, rounds int) {
	r := rand.New(rand.NewPCG(7, uint64(i)))
	for n := range rounds {
		o := windowed(fmt.Sprintf("w%d-%d", i, n), 10, Line{"tea", 1 + r.Int64N(3)})
		o.Near = streetPoint(r.IntN(3))
		if r.IntN(3) == 0 {
			o.Form, o.At = sourcing.ShipToStore, "L1"
		}
		if _, err := a.Allocate(t.Context(), o); err != nil {
			if !errors.Is(err, ErrNoLocation) {
				t.Error(err)
			}
			continue
		}
		if r.IntN(2) == 0 {
			if err := a.Confirm(t.Context(), o.ID); err != nil {
				t.Error(err)
			}
		}
		if err := a.Cancel(t.Context(), o.ID); err != nil {
			t.Error(err)
		}
	}
}

// raiseAndLower changes windows and capacities until done is closed, and looks at
// what is taken in between.
func raiseAndLower(t *testing.T, a *Allocator, done chan struct{}) {
	r := rand.New(rand.NewPCG(8, 8))
	for {
		select {
		case <-done:
			return
		default:
		}
		places := r.Int64N(7)
		l := fmt.Sprintf("L%d", r.IntN(3))
		if err := errors.Join(a.SetWindows(t.Context(), Window{Location: l, Start: at(10), Length: time.Hour, Places: places}),
			a.SetCapacity(t.Context(), Capacity{Location: l, Per: Hour, Orders: r.Int64N(5), Lines: r.Int64N(5)})); err != nil {
			t.Error(err)
		}
		most := int64(-1) // from here on
		for range 50 {
			for w := range a.Windows(l, time.Time{}, time.Time{}) {
				if most < 0 {
					most = max(places, w.Taken)
				}
				if w.Taken > most || w.Taken < 0 || w.Free > places || w.Free < 0 {
					t.Errorf("%+v after %d were set, with at most %d", w, places, most)
				}
			}
		}
	}
}
