package reservation

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// moveTo is a rule that moves an order, or ends it.
type moveTo struct {
	location uint32
	state    State
}

func (r moveTo) apply(_ string, e *entry) ([]byte, error) {
	e.location = r.location
	if e.state = r.state; r.state == Canceled {
		e.lines[0].Held = 0
	}
	return nil, nil
}

// firedAt collects what is due.
type firedAt map[string]int64

func (f firedAt) apply(id string, e *entry) ([]byte, error) {
	f[id] = e.deadline
	e.state, e.lines[0].Held, e.lines[0].Lapsed = Expired, 0, e.lines[0].Quantity
	return []byte{1}, nil
}

// TestLooseBook does the same to a loose book and to another one: once the loose
// one is settled, both answer alike, and shelves go by when orders were made.
func TestLooseBook(t *testing.T) {
	const orders, locations = 30_000, 70
	for _, workers := range []int{1, 4} {
		d := rand.New(rand.NewPCG(1, uint64(workers)))
		plain, loose := newBook(orders), newBook(orders)
		loose.loosen()
		ids := make([]string, orders)
		for i := range orders {
			ids[i] = fmt.Sprint("order ", i)
			e := entry{sequence: uint64(i), state: Held, location: d.Uint32N(locations), since: 1e12 + int64(d.IntN(1<<30)), deadline: 1e12 + int64(d.IntN(1<<22)),
				lines: []entryLine{{SKU: 1, Quantity: 2, Held: 2}}}
			if i%7 == 0 {
				e.refs.customer = fmt.Sprint("customer ", i%100)
			}
			if i%11 == 0 {
				e.lines[0].Held, e.lines[0].Confirmed = 1, 1
			}
			if i%13 == 0 {
				e.since, e.origin = 0, e.location+1 // the oldest
			}
			changed := moveTo{d.Uint32N(locations), []State{Held, Canceled, Confirmed}[d.IntN(3)]}
			j := d.IntN(i + 1)
			for _, b := range []*book{plain, loose} {
				_, added, err := b.add(kindOrder, ids[i], &e, nil, nil)
				if !added || err != nil {
					t.Fatal(added, err)
				}
				var old entry
				if b.find(kindOrder, ids[j], &old) && old.state == Held && i%11 != 0 && j%11 != 0 {
					_, err := b.change(kindOrder, ids[j], &old, moveTo{changed.location, changed.state})
					mustDo(t, err)
				}
				if i%17 == 0 {
					b.drop(kindOrder, ids[j])
				}
			}
		}
		loose.settle(workers, 0)
		for _, b := range []*book{plain, loose} {
			if err := soundBook(b); err != nil {
				t.Fatal(err)
			}
		}
		sameShelves(t, plain, loose, locations)
		fired := [2]firedAt{{}, {}}
		for i, b := range []*book{plain, loose} {
			var e entry
			for shard := range b.shardCount() {
				_, err := b.dueIn(shard, 1e12+1<<21, orders, &e, fired[i])
				mustDo(t, err)
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
func sameShelves(t *testing.T, plain, loose *book, locations uint32) {
	t.Helper()
	for location := range locations {
		var want, got []string
		last := int64(never)
		plain.at(location, func(id string, _ *entry) bool {
			want = append(want, id)
			return true
		})
		loose.at(location, func(id string, e *entry) bool {
			got = append(got, id)
			if e.since > last {
				t.Fatalf("location %d: %s was made at %d and comes after one made at %d", location, id, e.since, last)
			}
			last = e.since
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
