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

// TestAgainstAMap does anything in any order to a queue and to a plain map, which is
// looked through for the first one due.
func TestAgainstAMap(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		q, model, on := New(), map[string]Wait{}, false
		id := func() string { return fmt.Sprint("o", rapid.IntRange(0, 5).Draw(r, "id")) }
		wait := func() Wait {
			return Wait{Slot: rapid.Uint32Range(0, 2).Draw(r, "slot"), Since: rapid.Int64Range(0, 3).Draw(r, "since"),
				Due: rapid.Int64Range(0, 4).Draw(r, "due"), Worked: rapid.Bool().Draw(r, "worked")}
		}
		put := func(id string, is Wait) {
			if on {
				model[id] = is
			}
		}
		r.Repeat(map[string]func(*rapid.T){
			"put": func(*rapid.T) {
				id, is := id(), wait()
				q.Put(id, is)
				put(id, is)
			},
			"refresh": func(*rapid.T) {
				id, slot, now := id(), rapid.Uint32Range(0, 2).Draw(r, "slot"), rapid.Int64Range(0, 3).Draw(r, "now")
				q.Refresh(id, slot, now)
				if was, ok := model[id]; ok {
					now = was.Since
				}
				put(id, Wait{Slot: slot, Since: now, Due: now})
			},
			"work": func(*rapid.T) {
				id, was, due := id(), wait(), rapid.Int64Range(0, 4).Draw(r, "worked out")
				if is, ok := model[id]; ok && rapid.Bool().Draw(r, "as it is") {
					was = is
				}
				q.Work(id, was, due)
				if is, ok := model[id]; ok && is == was {
					is.Due, is.Worked = due, true
					model[id] = is
				}
			},
			"forget": func(*rapid.T) {
				id := id()
				q.Forget(id)
				delete(model, id)
			},
			"turn": func(*rapid.T) {
				on = rapid.IntRange(0, 3).Draw(r, "on") > 0
				q.Turn(on)
				if !on {
					clear(model)
				}
			},
			"": func(r *rapid.T) {
				wantID, want := firstDue(model)
				if id, is := q.Next(); id != wantID || is != want {
					r.Fatalf("next: %q %+v, want %q %+v", id, is, wantID, want)
				}
				for id, is := range model {
					if other := (Wait{Slot: 9}); !q.Waits(id, is) || q.Waits(id, other) {
						r.Fatalf("%q does not wait as %+v", id, is)
					}
				}
				if q.On() != on || on && q.order.Len() != len(model) {
					r.Fatalf("on %t", q.On())
				}
			},
		})
	})
}

func firstDue(all map[string]Wait) (id string, is Wait) {
	is.Due = math.MaxInt64
	ids := slices.SortedFunc(maps.Keys(all), func(a, b string) int {
		return cmp.Or(cmp.Compare(all[a].Due, all[b].Due), cmp.Compare(a, b))
	})
	if len(ids) > 0 {
		return ids[0], all[ids[0]]
	}
	return "", is
}

// TestWakes looks at who is told of a new first one.
func TestWakes(t *testing.T) {
	q := New()
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
		{func() { q.Put("b", Wait{Due: 5}) }, true},
		{func() { q.Put("c", Wait{Due: 6}) }, false},
		{func() { q.Put("a", Wait{Due: 5}) }, true},
		{func() { q.Put("a", Wait{Due: 9}) }, false},
		{func() { q.Put("c", Wait{Due: 1}) }, true},
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
			q := New()
			q.Turn(true)
			for i := range others {
				q.Put(fmt.Sprint("o", i), Wait{Due: int64(i)})
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				q.Put("x", Wait{Due: int64(i % (others + 1))})
				q.Forget("x")
			}
		})
	}
}
