package book

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/clickcollect/clickcollect/reservation/internal/book/wheel"
	"github.com/clickcollect/clickcollect/reservation/life"
)

// moveTo is a rule that moves an order, or ends it.
type moveTo struct {
	location uint32
	state    life.State
}

func (r moveTo) Apply(_ string, e *Entry) ([]byte, error) {
	e.Location = r.location
	if e.State = r.state; r.state == life.Canceled {
		e.Lines[0].Held = 0
	}
	return nil, nil
}

// firedAt collects what is due.
type firedAt map[string]int64

func (f firedAt) Apply(id string, e *Entry) ([]byte, error) {
	f[id] = e.Deadline
	e.State, e.Lines[0].Held, e.Lines[0].Lapsed = life.Expired, 0, e.Lines[0].Quantity
	return []byte{1}, nil
}

// TestLooseBook does the same to a loose book and to another one: once the loose
// one is settled, both answer alike, and shelves go by when orders were made.
func TestLooseBook(t *testing.T) {
	const orders, locations = 30_000, 70
	for _, workers := range []int{1, 4} {
		d := rand.New(rand.NewPCG(1, uint64(workers)))
		plain, loose := New(orders), New(orders)
		loose.Loosen()
		ids := make([]string, orders)
		for i := range orders {
			ids[i] = fmt.Sprint("order ", i)
			e := Entry{Sequence: uint64(i), State: life.Held, Location: d.Uint32N(locations), Since: 1e12 + int64(d.IntN(1<<30)), Deadline: 1e12 + int64(d.IntN(1<<22)),
				Lines: []entryLine{{SKU: 1, Quantity: 2, Held: 2}}}
			if i%7 == 0 {
				e.Refs.Customer = fmt.Sprint("customer ", i%100)
			}
			if i%11 == 0 {
				e.Lines[0].Held, e.Lines[0].Confirmed = 1, 1
			}
			if i%13 == 0 {
				e.Since, e.Origin = 0, e.Location+1 // the oldest
			}
			changed := moveTo{d.Uint32N(locations), []life.State{life.Held, life.Canceled, life.Confirmed}[d.IntN(3)]}
			j := d.IntN(i + 1)
			for _, b := range []*Book{plain, loose} {
				_, added, err := b.Add(KindOrder, ids[i], &e, nil, nil)
				if !added || err != nil {
					t.Fatal(added, err)
				}
				var old Entry
				if b.Find(KindOrder, ids[j], &old) && old.State == life.Held && i%11 != 0 && j%11 != 0 {
					_, err := b.Change(KindOrder, ids[j], &old, moveTo{changed.location, changed.state})
					must(t, err)
				}
				if i%17 == 0 {
					b.Drop(KindOrder, ids[j])
				}
			}
		}
		loose.Settle(workers, 0)
		for _, b := range []*Book{plain, loose} {
			if err := soundBook(b); err != nil {
				t.Fatal(err)
			}
		}
		sameShelves(t, plain, loose, locations)
		fired := [2]firedAt{{}, {}}
		for i, b := range []*Book{plain, loose} {
			var e Entry
			for shard := range b.Shards() {
				_, err := b.DueIn(shard, 1e12+1<<21, orders, &e, fired[i])
				must(t, err)
			}
		}
		if len(fired[0]) < orders/20 || len(fired[0]) != len(fired[1]) {
			t.Fatalf("%d orders are due, %d were in the loose book", len(fired[0]), len(fired[1]))
		}
		for id, at := range fired[0] {
			if fired[1][id] != at {
				t.Fatalf("%s is due at %d, %d in the loose book", id, at, fired[1][id])
			}
		}
	}
}

// sameShelves compares the locations of two books, of which the second is sorted.
func sameShelves(t *testing.T, plain, loose *Book, locations uint32) {
	t.Helper()
	for location := range locations {
		var want, got []string
		last := int64(wheel.Never)
		plain.At(location, func(id string, _ *Entry) bool {
			want = append(want, id)
			return true
		})
		loose.At(location, func(id string, e *Entry) bool {
			got = append(got, id)
			if e.Since > last {
				t.Fatalf("location %d: %s was made at %d and comes after one made at %d", location, id, e.Since, last)
			}
			last = e.Since
			return true
		})
		slices.Sort(want)
		slices.Sort(got)
		if len(want) == 0 || !slices.Equal(want, got) {
			t.Fatalf("location %d has %d orders, and %d when it was loose", location, len(want), len(got))
		}
	}
}

// TestRefSorter sorts as the standard library does.
func TestRefSorter(t *testing.T) {
	d := rand.New(rand.NewPCG(1, 2))
	for _, bound := range []uint32{1, 1 << 11, 1 << 22, 1<<32 - 1} {
		for _, n := range []int{0, 10, 5000} {
			o := refSorter{}
			for range n {
				o.refs = append(o.refs, d.Uint32N(bound))
			}
			want := slices.Sorted(slices.Values(o.refs))
			if o.sort(bound); !slices.Equal(o.refs, want) {
				t.Fatalf("%d references below %d are not sorted", n, bound)
			}
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
