package allocator

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/bench/scaletest"
)

// manyWindows is the windows of some stores, hour by hour.
func manyWindows(stores, hours int, places int64) []Window {
	all := make([]Window, 0, stores*hours)
	for i := range stores {
		for h := range hours {
			all = append(all, Window{Location: fmt.Sprintf("L%d", i), Start: at(10).Add(time.Duration(h) * time.Hour), Length: time.Hour, Places: places})
		}
	}
	return all
}

func heapInUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func TestManyWindows(t *testing.T) {
	stores, hours := 1000, 100
	if !scaletest.Full() {
		stores, hours = 100, 20
	}
	n := int64(stores * hours)
	o := Options{Dir: t.TempDir(), LiveReads: true, Clock: morning, ManualExpiry: true}
	a := street(t, stores, o)
	list := manyWindows(stores, hours, 5)
	before, begun := heapInUse(), time.Now()
	must(t, a.SetWindows(t.Context(), list...))
	t.Logf("%d windows set in %v, %d bytes each", n, time.Since(begun), (heapInUse()-before)/n)
	begun = time.Now()
	must(t, a.SetWindows(t.Context(), list...))
	t.Logf("set again as they are in %v", time.Since(begun))
	for i := range list {
		list[i].Places = 3
	}
	begun = time.Now()
	must(t, a.SetWindows(t.Context(), list...))
	t.Logf("lowered in %v", time.Since(begun))
	stocked(t, a, "L7", "tea", 5)
	allocated(t, a, windowed("o", 12, Line{"tea", 1}), "L7")
	must(t, a.Close())
	begun = time.Now()
	a = opened(t, o)
	t.Logf("opened in %v", time.Since(begun))
	seen, free := int64(0), int64(0)
	for w := range a.Windows("", time.Time{}, time.Time{}) {
		seen++
		free += w.Free
	}
	if seen != n || free != 3*n-1 {
		t.Fatalf("%d windows with %d places free, want %d with %d", seen, free, n, 3*n-1)
	}
}

func TestWindowsAfterARestart(t *testing.T) {
	now := morning()
	o := Options{Dir: t.TempDir(), LiveReads: true, HoldFor: 2 * time.Hour, MaxHold: 3 * time.Hour}
	a, _ := slotted(t, 2, 2, o)
	o.Clock, o.ManualExpiry = func() time.Time { return now }, true
	allocated(t, a, windowed("a", 10, Line{"tea", 1}), "L0")
	allocated(t, a, windowed("b", 10, Line{"tea", 1}), "L0")
	must(t, a.Collect(t.Context(), "b"))
	must(t, a.SetWindows(t.Context(), Window{Location: "L1", Start: at(10), Length: time.Hour, Places: 1},
		Window{Location: "L1", Start: at(12), Length: time.Hour, Places: 4}))
	const want = "L0 10:00 2/2 free 0; L1 10:00 0/1 free 1; L1 12:00 0/4 free 4"
	for _, snapshot := range []bool{false, true} {
		calendared(t, a, "", want)
		if snapshot {
			must(t, a.Snapshot(t.Context()))
		}
		must(t, a.Close())
		a = opened(t, o)
	}
	calendared(t, a, "", want)
	must(t, a.Cancel(t.Context(), "a"))
	calendared(t, a, "L0", "L0 10:00 1/2 free 1")
	must(t, a.SetWindows(t.Context(), Window{Location: "L0", Start: at(10), Length: time.Hour, Places: 3}))
	calendared(t, a, "L0", "L0 10:00 1/3 free 2")
}

// TestSafetyStockIsForGoods: units never sold online are not places.
func TestSafetyStockIsForGoods(t *testing.T) {
	a, _ := slotted(t, 1, 2, Options{})
	must(t, a.SetSafetyStock(t.Context(), SafetyStock{Units: 5}))
	must(t, a.SetWindows(t.Context(), Window{Location: "L0", Start: at(12), Length: time.Hour, Places: 2}))
	calendared(t, a, "L0", "L0 10:00 0/2 free 2; L0 12:00 0/2 free 2")
	must(t, a.SetCapacity(t.Context(), Capacity{Location: "L0", Orders: 2}))
	for i := range 2 {
		allocated(t, a, windowed(fmt.Sprint(i), 12, Line{"tea", 1}), "L0")
	}
	calendared(t, a, "L0", "L0 10:00 0/2 free 2; L0 12:00 2/2 free 0")
	must(t, a.SetSafetyStock(t.Context(), SafetyStock{Location: "L0", Units: 9}))
	calendared(t, a, "L0", "L0 10:00 0/2 free 2; L0 12:00 2/2 free 0")
}

// TestCountsAsOfAreNotCrowdedOut: windows are not what the shelf was counted for.
func TestCountsAsOfAreNotCrowdedOut(t *testing.T) {
	a, now := slotted(t, 1, 2, Options{})
	counted := *now
	*now = now.Add(time.Minute)
	must(t, a.Sell(t.Context(), Sale{ID: "s", Location: "L0", Lines: []Line{{"tea", 3}}}))
	var many []Window
	for i := range 5000 {
		many = append(many, Window{Location: "L0", Start: at(12).Add(time.Duration(i) * time.Minute), Length: time.Minute, Places: 1})
	}
	must(t, a.SetWindows(t.Context(), many...))
	must(t, a.Count(t.Context(), Count{ID: "c", Location: "L0", AsOf: counted, Lines: []Line{{"tea", 8}}}))
	shelf(t, a, "L0", "tea", 5, 0, 0)
}

func TestLocationWithWindowsIsRemoved(t *testing.T) {
	a, _ := slotted(t, 2, 2, Options{})
	must(t, a.Count(t.Context(), Count{ID: "c", Location: "L1", Lines: []Line{{"tea", 0}}}))
	o := windowed("o", 10, Line{"tea", 1})
	o.Form, o.At = sourcing.ShipToStore, "L1"
	if got := mustGet(a.Allocate(t.Context(), o)); said(got) != "o@L0 1 tea" {
		t.Fatal(said(got))
	}
	if err := a.RemoveLocation(t.Context(), "L1"); err == nil || !strings.Contains(err.Error(), "held") {
		t.Fatalf("a store that a customer is to visit was removed: %v", err)
	}
	must(t, a.Cancel(t.Context(), "o"))
	must(t, a.RemoveLocation(t.Context(), "L1"))
	calendared(t, a, "", "L0 10:00 0/2 free 2")
	must(t, a.SetLocations(t.Context(), Location{ID: "L1", Point: streetPoint(1)}))
	calendared(t, a, "L1", "")
	must(t, a.SetWindows(t.Context(), Window{Location: "L1", Start: at(10), Length: time.Hour, Places: 7}))
	calendared(t, a, "L1", "L1 10:00 0/7 free 7")
}

// What nobody has taken of a window goes with its location; an audit that counted
// it would find units which nothing explains.
func TestAuditAfterAWindowWentWithItsLocation(t *testing.T) {
	a := street(t, 2, Options{Dir: t.TempDir(), Clock: morning, ManualExpiry: true})
	must(t, a.SetWindows(t.Context(), Window{Location: "L1", Start: at(10), Length: time.Hour, Places: 2}))
	must(t, a.RemoveLocation(t.Context(), "L1"))
	for range 2 {
		if r, err := a.Audit(t.Context()); err != nil || len(r.Differences) > 0 {
			t.Fatalf("%+v, %v", r, err)
		}
		must(t, a.SetLocations(t.Context(), Location{ID: "L1", Point: streetPoint(1)}))
	}
}

// BenchmarkPlaced is a planned order and its cancellation: with a capacity, with a
// window, with both, and as one that only the rules make a planned one.
func BenchmarkPlaced(b *testing.B) {
	for _, with := range []string{"nothing", "window", "capacity", "both"} {
		b.Run("with="+with, func(b *testing.B) {
			a := street(b, 200, Options{Clock: morning, ManualExpiry: true, Remember: 1000})
			for i := range 200 {
				stocked(b, a, fmt.Sprintf("L%d", i), "tea", 1_000_000)
			}
			o := ordered("", Line{"tea", 1})
			must(b, a.SetWindows(b.Context(), manyWindows(200, 50, 1000)...))
			if with == "window" || with == "both" {
				o.Window = at(20)
			}
			if with == "capacity" || with == "both" {
				var list []Capacity
				for i := range 200 {
					list = append(list, Capacity{Location: fmt.Sprintf("L%d", i), Orders: 1000})
				}
				must(b, a.SetCapacity(b.Context(), list...))
			}
			plannedAll(b, a)
			ids := make([]string, b.N)
			for i := range ids {
				ids[i] = fmt.Sprint(i)
			}
			b.ReportAllocs()
			b.ResetTimer()
			for _, id := range ids {
				o.ID = id
				if _, err := a.Allocate(b.Context(), o); err != nil {
					b.Fatal(err)
				}
				if err := a.Cancel(b.Context(), id); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkSetWindows(b *testing.B) {
	a := street(b, 1000, Options{Clock: morning, ManualExpiry: true})
	list := manyWindows(1000, 100, 5)
	for i := 0; b.Loop(); i++ {
		for j := range list {
			list[j].Places = int64(5 + i%2)
		}
		must(b, a.SetWindows(b.Context(), list...))
	}
}
