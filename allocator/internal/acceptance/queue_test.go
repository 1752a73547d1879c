package acceptance

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// orderPart is a part of an order, as the queue may know it.
type orderPart struct {
	ID   string
	Part uint8
}

func (p orderPart) compare(o orderPart) int {
	return cmp.Or(cmp.Compare(p.ID, o.ID), cmp.Compare(p.Part, o.Part))
}

// TestAgainstAMap does anything in any order to a queue and to a plain map, which is
// looked through for the first one due.
func TestAgainstAMap(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		q, model, on := New(orderPart.compare), map[orderPart]Wait{}, false
		name := func() orderPart {
			return orderPart{ID: rapid.SampledFrom([]string{"o", "o/2", "p"}).Draw(r, "id"), Part: rapid.SampledFrom([]uint8{0, 2, 3}).Draw(r, "part")}
		}
		wait := func() Wait {
			return Wait{Slot: rapid.Uint32Range(0, 2).Draw(r, "slot"), Since: rapid.Int64Range(0, 3).Draw(r, "since"),
				Due: rapid.Int64Range(0, 4).Draw(r, "due"), Worked: rapid.Bool().Draw(r, "worked")}
		}
		put := func(n orderPart, is Wait) {
			if on {
				model[n] = is
			}
		}
		r.Repeat(map[string]func(*rapid.T){
			"put": func(*rapid.T) {
				n, is := name(), wait()
				q.Put(n, is)
				put(n, is)
			},
			"refresh": func(*rapid.T) {
				n, slot, now := name(), rapid.Uint32Range(0, 2).Draw(r, "slot"), rapid.Int64Range(0, 3).Draw(r, "now")
				q.Refresh(n, slot, now)
				if was, ok := model[n]; ok {
					now = was.Since
				}
				put(n, Wait{Slot: slot, Since: now, Due: now})
			},
			"work": func(*rapid.T) {
				n, was, due := name(), wait(), rapid.Int64Range(0, 4).Draw(r, "worked out")
				if is, ok := model[n]; ok && rapid.Bool().Draw(r, "as it is") {
					was = is
				}
				q.Work(n, was, due)
				if is, ok := model[n]; ok && is == was {
					is.Due, is.Worked = due, true
					model[n] = is
				}
			},
			"forget": func(*rapid.T) {
				n := name()
				q.Forget(n)
				delete(model, n)
			},
			"turn": func(*rapid.T) {
				on = rapid.IntRange(0, 3).Draw(r, "on") > 0
				q.Turn(on)
				if !on {
					clear(model)
				}
			},
			"": func(r *rapid.T) {
				first, want := firstDue(model)
				if n, is := q.Next(); n != first || is != want {
					r.Fatalf("next: %q %+v, want %q %+v", n, is, first, want)
				}
				for n, is := range model {
					if other := (Wait{Slot: 9}); !q.Waits(n, is) || q.Waits(n, other) {
						r.Fatalf("%q does not wait as %+v", n, is)
					}
				}
				if q.On() != on || on && q.order.Len() != len(model) {
					r.Fatalf("on %t", q.On())
				}
			},
		})
	})
}

func firstDue(all map[orderPart]Wait) (n orderPart, is Wait) {
	is.Due = math.MaxInt64
	names := slices.SortedFunc(maps.Keys(all), func(a, b orderPart) int {
		return cmp.Or(cmp.Compare(all[a].Due, all[b].Due), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Part, b.Part))
	})
	if len(names) > 0 {
		return names[0], all[names[0]]
	}
	return n, is
}

// TestWakes looks at who is told of a new first one.
func TestWakes(t *testing.T) {
	q := New(orderPart.compare)
	q.Turn(true)
	told := func() bool {
		select {
		case <-q.Wake():
			return true
		default:
			return false
		}
	}
	for i, step := range []struct {
		do   func()
		want bool
	}{
		{func() { q.Put(orderPart{ID: "b"}, Wait{Due: 5}) }, true},
		{func() { q.Put(orderPart{ID: "c"}, Wait{Due: 6}) }, false},
		{func() { q.Put(orderPart{ID: "a"}, Wait{Due: 5}) }, true},
		{func() { q.Put(orderPart{ID: "a"}, Wait{Due: 9}) }, false},
		{func() { q.Put(orderPart{ID: "c"}, Wait{Due: 1}) }, true},
	} {
		step.do()
		if got := told(); got != step.want {
			t.Errorf("step %d: told %t", i, got)
		}
	}
}

// BenchmarkPut is an order that is confirmed and accepted while others wait.
func BenchmarkPut(b *testing.B) {
	for _, others := range []int{0, 1000, 100_000} {
		b.Run(fmt.Sprintf("others=%d", others), func(b *testing.B) {
			q := New(orderPart.compare)
			q.Turn(true)
			for i := range others {
				q.Put(orderPart{ID: fmt.Sprint("o", i)}, Wait{Due: int64(i)})
			}
			b.ReportAllocs()
			x := orderPart{ID: "x"}
			for i := 0; b.Loop(); i++ {
				q.Put(x, Wait{Due: int64(i % (others + 1))})
				q.Forget(x)
			}
		})
	}
}
