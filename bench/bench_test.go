package bench

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clickcollect/clickcollect/allocator"
)

// TestMain lets the test binary serve as a contestant's process, as ccbench
// does.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "-seat" {
		if err := ServeSeat(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// small shrinks a case until a run takes a fraction of a second.
func small(c Config) Config {
	c.Locations, c.SKUs = min(c.Locations, 150), min(c.SKUs, 40)
	if c.Density > 0 {
		c.Density = max(c.Density, 0.02)
	}
	c.Rounds, c.PassTime, c.OrdersPerPass = 1, 10*time.Second, 240
	c.Goroutines = min(c.Goroutines, 8)
	c.InReach = min(c.InReach, 100)
	switch {
	case strings.HasSuffix(c.Name, "-half"):
		c.UnitsPerCell = 4
	case strings.HasSuffix(c.Name, "-dry"):
		c.UnitsPerCell = 1
	}
	return c
}

// TestCases runs every case with small parameters, so that none rots.
func TestCases(t *testing.T) {
	for _, c := range Cases() {
		t.Run(c.Name, func(t *testing.T) {
			c := small(c)
			results, err := Run(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range results {
				checkOutcome(t, c, r)
			}
		})
	}
}

// checkOutcome compares a contestant's counts with what the case is about.
func checkOutcome(t *testing.T, c Config, r Result) {
	t.Helper()
	if r.Cut {
		t.Errorf("%s: a pass was cut short", r.Engine)
	}
	if r.Orders == 0 || r.Filled+r.Refused != r.Orders || r.Oversold != 0 || r.Astray != 0 {
		t.Errorf("%s: %d orders, %d filled, %d refused, %d oversold, %d astray", r.Engine, r.Orders, r.Filled, r.Refused, r.Oversold, r.Astray)
	}
	switch {
	case c.AtSea, c.AbsentSKU:
		if r.Filled != 0 {
			t.Errorf("%s: %d orders filled, want none", r.Engine, r.Filled)
		}
	case strings.HasSuffix(c.Name, "-dry"):
		passes := r.Orders / c.OrdersPerPass
		if want := passes * c.Locations * c.UnitsPerCell; r.Filled != want {
			t.Errorf("%s: %d orders filled, want every unit sold: %d", r.Engine, r.Filled, want)
		}
	case c.Density == 1 || c.Density == 0:
		if r.Refused != 0 {
			t.Errorf("%s: %d orders refused, want none", r.Engine, r.Refused)
		}
	}
	if (c.CancelAfter > 0) != (r.Canceled > 0) {
		t.Errorf("%s: %d orders canceled", r.Engine, r.Canceled)
	}
	if r.OrdersPerSecond <= 0 || r.P50 <= 0 || r.P50 > r.P99 || r.P99 > r.P999 || r.P999 > r.Max {
		t.Errorf("%s: figures out of order: %+v", r.Engine, r)
	}
	if (r.Scaling > 0) != c.Scaling {
		t.Errorf("%s: scaling is %v", r.Engine, r.Scaling)
	}
}

// TestOwnProcess seats the contestants in processes of their own.
func TestOwnProcess(t *testing.T) {
	c := small(Cases()[0])
	c.Command = []string{os.Args[0], "-seat"}
	results, err := Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		checkOutcome(t, c, r)
	}
	_, err = Run(t.Context(), c, Contestant{Name: "nobody"})
	if err == nil || !strings.Contains(err.Error(), `no contestant is called "nobody"`) {
		t.Errorf("a contestant that does not exist: %v", err)
	}
}

// generous is a canary: it fills every order at the same place and forgets
// to take the goods. shrinking is another: it puts one unit too few back.
type (
	generous  struct{ strong }
	shrinking struct{ strong }
)

func (e *generous) Allocate(*allocator.Order) (string, bool, error) { return e.names[0], true, nil }
func (e *generous) Cancel(string) error                             { return nil }

func (e *shrinking) Cancel(id string) error {
	r := e.shard(id).records[id]
	e.counter(r.lines[0].sku, r.location).Add(-1)
	return e.strong.Cancel(id)
}

// TestCanaries shows that engines that break P1, or lose units, are caught.
func TestCanaries(t *testing.T) {
	c := small(Cases()[0])
	c.UnitsPerCell = 10
	for name, e := range map[string]Engine{"sells what it does not have": new(generous), "loses units": new(shrinking)} {
		if _, err := Run(t.Context(), c, Contestant{Name: "canary", New: func() Engine { return e }}); err == nil {
			t.Errorf("an engine that %s passed", name)
		}
	}
	s := newSeat(c, new(generous)) // without the check of one order after the other
	if _, err := s.load(); err != nil {
		t.Fatal(err)
	}
	if r, err := s.run(c.pass(0)); !errors.Is(err, ErrOversold) || r.Oversold == 0 {
		t.Errorf("an engine that sells what it does not have passed: %d units oversold, %v", r.Oversold, err)
	}
}

func TestConfigFaultsAreReportedTogether(t *testing.T) {
	_, err := Run(t.Context(), Config{Density: 2, Rounds: -1})
	if err == nil {
		t.Fatal("a bad Config was accepted")
	}
	for _, field := range []string{"Locations", "SKUs", "Density", "Rounds"} {
		if !strings.Contains(err.Error(), field) {
			t.Errorf("%q is not in the error: %v", field, err)
		}
	}
}

func TestMedianAndRatios(t *testing.T) {
	if got := median([]int{5, 1, 9, 3}); got != 3 {
		t.Errorf("median of four is %d, want the lower middle 3", got)
	}
	results := []Result{
		{Engine: "a", Rounds: []Round{{OrdersPerSecond: 10, P99: 4}, {OrdersPerSecond: 100, P99: 4}, {OrdersPerSecond: 20, P99: 4}}},
		{Engine: "b", Rounds: []Round{{OrdersPerSecond: 30, P99: 2}, {OrdersPerSecond: 400, P99: 2}, {OrdersPerSecond: 40, P99: 2}}},
	}
	results[1].summarize(results)
	if got := results[1].Throughput["a"]; got != 3 {
		t.Errorf("throughput ratio is %v, want 3, the median of 3, 4 and 2", got)
	}
	if got := results[1].P99Ratio["a"]; got != 0.5 {
		t.Errorf("p99 ratio is %v, want 0.5", got)
	}
}

// BenchmarkAllocate runs passes of b.N orders through each contestant, with
// -short in small worlds. All share a process, and so a garbage collector;
// ccbench gives each its own.
func BenchmarkAllocate(b *testing.B) {
	for _, name := range []string{"1k", "flash-1k", "15-lines", "stock-at-1pct"} {
		i := slices.IndexFunc(Cases(), func(c Config) bool { return c.Name == name })
		c := Cases()[i].withDefaults()
		if testing.Short() {
			c.Locations, c.SKUs = 100, 100
		}
		for _, contestant := range Contestants() {
			_, world, _ := strings.Cut(c.String(), "/")
			var s *seat // made by the first of the growing b.N
			b.Run("impl="+contestant.Name+"/"+world, func(b *testing.B) {
				if s == nil {
					s = newSeat(c, contestant.New())
					if _, err := s.load(); err != nil {
						b.Fatal(err)
					}
				}
				benchmarkPass(b, s)
			})
			if s != nil {
				if err := s.close(); err != nil {
					b.Error(err)
				}
			}
		}
	}
}

// benchmarkPass reports the timed part of a pass alone: ns/op and allocations
// of verification and cancellation would say nothing.
func benchmarkPass(b *testing.B, s *seat) {
	got, err := s.run(pass{Length: time.Hour, Orders: max(b.N, s.config.Goroutines)})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(got.Seconds*1e9/float64(got.Orders), "ns/op")
	b.ReportMetric(float64(got.Orders)/got.Seconds, "orders/s")
	b.ReportMetric(float64(got.Allocations)/float64(got.Orders), "allocs/order")
	b.ReportMetric(float64(got.Oversold), "oversold")
}
