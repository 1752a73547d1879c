package bench

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/clickcollect/clickcollect/bench/scaletest"
)

// TestDoctor holds the suite to what it says of itself: each lie is seen, and honest
// engines pass. What depends on how fast the machine is, the stall and the cost of the
// suite, is for ccbench doctor.
func TestDoctor(t *testing.T) {
	c := doctorCase()
	c.PassTime, c.OrdersPerPass = time.Minute, scaletest.Of(220_000, 110_000)
	for _, l := range lies {
		t.Run(l.name, func(t *testing.T) {
			if _, err := Run(t.Context(), c, Contestant{Name: l.name, New: l.engine}); !errors.Is(err, l.seen) {
				t.Errorf("an engine that %s: got %v; want %v", l.lie, err, l.seen)
			}
		})
	}
	c.OrdersPerPass = 10_000
	if _, err := Run(t.Context(), c, append(Contestants(), Contestant{Name: "ours, durable", New: newLasting})...); err != nil {
		t.Errorf("honest engines: %v", err)
	}
}

// TestLoadCountsFromWhenAnOrderIsDue gives orders to an engine that answers the first one
// only after a while: in the open loop every order that was due meanwhile is late.
func TestLoadCountsFromWhenAnOrderIsDue(t *testing.T) {
	c := small(Cases()[0])
	c.OrdersPerPass, c.Goroutines = 0, 2
	r, err := Load(t.Context(), c, Contestant{Name: "staller", New: func() Engine { return &staller{Engine: new(strong)} }}, []float64{0.05}, 500*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	p := r.Points[0]
	if p.Answered == 0 || p.P50 > p.P99 || p.P99 > p.P999 || p.P999 > p.Max || r.ClosedLoop == 0 || r.Harness <= 0 {
		t.Errorf("figures out of order: %+v", r)
	}
	var text strings.Builder
	WriteLoad(&text, r)
	if !strings.Contains(text.String(), "from when an order was due") || !strings.Contains(text.String(), "5%") {
		t.Errorf("got\n%s", &text)
	}
	for _, c := range []Config{{Name: "x", Locations: 3, SKUs: 3, CancelAfter: 5}, {Name: "x", Locations: 3, SKUs: 3, OrdersPerPass: 5}, {Locations: -1}} {
		if _, err := Load(t.Context(), c, Contestants()[0], nil, time.Second); err == nil {
			t.Errorf("%+v was accepted", c)
		}
	}
}

// TestSchedule: callers take turns, and all orders of a pass are due at equal steps.
func TestSchedule(t *testing.T) {
	due := make(map[time.Duration]int)
	for first := range 3 {
		s := schedule{first: first, callers: 3, pass: pass{Rate: 1000}}
		for i := range 10 {
			due[s.due(i)]++
		}
	}
	for i := range 30 {
		if due[time.Duration(i)*time.Millisecond] != 1 {
			t.Errorf("at %d ms %d orders are due", i, due[time.Duration(i)*time.Millisecond])
		}
	}
}

// TestFindingsSayWhatWasMissed: the doctor's table fails if a lie passed, or an honest
// engine did not.
func TestFindingsSayWhatWasMissed(t *testing.T) {
	var text strings.Builder
	err := WriteFindings(&text, []Finding{{Engine: "a", Right: true}, {Engine: "b", Lie: "lies", Right: true}})
	if err != nil || !strings.Contains(text.String(), "1 of 1 lies caught") {
		t.Errorf("%v\n%s", err, &text)
	}
	for _, f := range []Finding{{Engine: "a"}, {Engine: "b", Lie: "lies"}} {
		if err := WriteFindings(&text, []Finding{f}); err == nil {
			t.Errorf("%+v passed", f)
		}
	}
}
