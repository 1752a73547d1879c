package allocator

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// slotTwin is a plain model of one store's goods, its windows and its capacity of
// a day, one thing after the other.
type slotTwin struct {
	goods  int64
	places [2]int64
	taken  [2]int64
	orders int64 // capacity of the day; 0: not limited
	used   int64 // orders that came while it was limited and are there, or were collected
	live   map[string]slottedOrder
}

type slottedOrder struct {
	units   int64
	window  int // −1: none
	counted bool
}

// allocate says whether an order is served now.
func (m *slotTwin) allocate(id string, units int64, window int) bool {
	if units > m.goods || window >= 0 && m.taken[window] >= m.places[window] || m.orders > 0 && m.used >= m.orders {
		return false
	}
	m.goods -= units
	if window >= 0 {
		m.taken[window]++
	}
	if m.orders > 0 {
		m.used++
	}
	m.live[id] = slottedOrder{units, window, m.orders > 0}
	return true
}

// end ends an order; used up, its place does not come back, nor do its goods.
func (m *slotTwin) end(id string, collected bool) {
	o := m.live[id]
	delete(m.live, id)
	if collected {
		return
	}
	m.goods += o.units
	if o.window >= 0 {
		m.taken[o.window]--
	}
	if o.counted {
		m.used--
	}
}

// TestWindowsAsTheTwin runs orders, ends and settings one after the other against
// the twin.
func TestWindowsAsTheTwin(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		now := morning()
		a, err := Open(t.Context(), Options{Clock: func() time.Time { return now }, ManualExpiry: true, HoldFor: time.Hour})
		must(t, err)
		defer a.Close()
		must(t, a.SetLocations(t.Context(), Location{ID: "L0", Point: streetPoint(0)}))
		stocked(t, a, "L0", "tea", 12)
		m := slotTwin{goods: 12, live: map[string]slottedOrder{}}
		var ids []string
		for step := range rapid.IntRange(5, 40).Draw(r, "steps") {
			switch rapid.IntRange(0, 9).Draw(r, "what") {
			case 0:
				w := rapid.IntRange(0, 1).Draw(r, "window")
				m.places[w] = rapid.Int64Range(0, 4).Draw(r, "places")
				must(t, a.SetWindows(t.Context(), Window{Location: "L0", Start: at(10 + w), Length: time.Hour, Places: m.places[w]}))
			case 1:
				m.orders = rapid.Int64Range(0, 5).Draw(r, "orders")
				must(t, a.SetCapacity(t.Context(), Capacity{Location: "L0", Orders: m.orders}))
			case 2, 3, 4:
				if len(ids) == 0 {
					continue
				}
				i := rapid.IntRange(0, len(ids)-1).Draw(r, "which")
				collected := rapid.Bool().Draw(r, "collected")
				if collected {
					must(t, a.Collect(t.Context(), ids[i]))
				} else {
					must(t, a.Cancel(t.Context(), ids[i]))
				}
				m.end(ids[i], collected)
				ids = append(ids[:i], ids[i+1:]...)
			default:
				o := ordered(fmt.Sprint("o", step), Line{"tea", rapid.Int64Range(1, 3).Draw(r, "units")})
				o.NeededBy = at(12) // not tomorrow
				w := rapid.IntRange(-1, 1).Draw(r, "window")
				if w >= 0 {
					o.Window = at(10 + w)
				}
				_, err := a.Allocate(t.Context(), o)
				if err != nil && !errors.Is(err, ErrNoLocation) {
					r.Fatal(err)
				}
				if want := m.allocate(o.ID, o.Lines[0].Quantity, w); (err == nil) != want {
					r.Fatalf("%+v: %v, the twin says %v: %+v", o, err, want, m)
				}
				if err == nil {
					ids = append(ids, o.ID)
				}
			}
			m.check(r, a)
		}
	})
}

func (m *slotTwin) check(r *rapid.T, a *Allocator) {
	if v, err := a.Available("tea", "L0"); err != nil || v.Available != m.goods {
		r.Fatalf("%+v, %v available, the twin has %d", v, err, m.goods)
	}
	seen := [2]bool{}
	for w := range a.Windows("L0", time.Time{}, time.Time{}) {
		i := w.Start.Hour() - 10
		seen[i] = true
		if w.Places != m.places[i] || w.Taken != m.taken[i] || w.Free != max(m.places[i]-m.taken[i], 0) {
			r.Fatalf("%+v, the twin has %d of %d", w, m.taken[i], m.places[i])
		}
	}
	for i := range seen {
		if !seen[i] && (m.places[i] > 0 || m.taken[i] > 0) {
			r.Fatalf("window %d is not listed, the twin has %d of %d", i, m.taken[i], m.places[i])
		}
	}
}
