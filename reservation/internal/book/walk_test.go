package book

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/clickcollect/clickcollect/reservation/life"
)

// names is what a walk gives.
func names(b *Book, after ...Name) (all []Name) {
	for id, e := range b.All(after...) {
		all = append(all, Name{id, e.Part})
	}
	return all
}

// goesOn checks that a walk goes on behind any of its names, one that is gone among them.
func (r *trial) goesOn(t *rapid.T) {
	all := names(r.b)
	if len(all) == 0 {
		return
	}
	at := rapid.IntRange(0, len(all)-1).Draw(t, "behind")
	if got, want := names(r.b, all[at]), all[at+1:]; !slices.Equal(got, want) {
		t.Fatalf("behind %v come %v, want %v", all[at], got, want)
	}
	gone := Name{rapid.SampledFrom([]string{"none", "x", "yy", "zzz"}).Draw(t, "gone"), 0}
	if slices.Contains(all, gone) {
		return
	}
	got := names(r.b, gone)
	if at := len(all) - len(got); !slices.Equal(got, all[at:]) {
		t.Fatalf("behind %v, which is not there, come %v, want an end of %v", gone, got, all)
	}
}

// TestOrderOfAll: the order follows from the secret, and not from how many shards there
// are, in which order the entries came, or what else there is.
func TestOrderOfAll(t *testing.T) {
	secret := [3]uint64{17, 19, 23}
	build := func(bits, orders, skip int, secret [3]uint64) *Book {
		b := newBook(1<<20, bits, newHashKey())
		Keyed(b, &secret)
		for i := range orders {
			if i%7 < skip {
				continue
			}
			i = (i*61 + bits*13) % orders
			e := Entry{State: life.Held, Deadline: 1, Lines: []entryLine{{SKU: 1, Quantity: 1, Held: 1}}}
			b.Add(KindOrder, fmt.Sprint("order-", i), &e, nil, nil)
			b.Add(KindMovement, fmt.Sprint("order-", i), &Entry{Deadline: 1}, nil, nil)
		}
		return b
	}
	const orders = 5000
	all := names(build(4, orders, 0, secret))
	if other := names(build(9, orders, 0, secret)); !slices.Equal(all, other) || len(all) != orders {
		t.Errorf("with other shards %d of %d come in another order", len(other), len(all))
	}
	fewer := build(6, orders, 3, secret)
	kept := slices.DeleteFunc(slices.Clone(all), func(n Name) bool { return !fewer.Find(KindOrder, n.ID, new(Entry)) })
	if got := names(fewer); !slices.Equal(got, kept) || len(got) == orders {
		t.Errorf("%d that are left come in another order", len(got))
	}
	half := len(all) / 2
	if got := names(build(9, orders, 0, secret), all[half]); !slices.Equal(got, all[half+1:]) {
		t.Errorf("a walk that goes on in another book gives %d, want %d", len(got), len(all)-half-1)
	}
	if other := names(build(4, orders, 0, [3]uint64{1, 2, 3})); slices.Equal(all, other) {
		t.Error("another secret gives the same order")
	}
}

// TestWalkMeetsAnother: orders that are forgotten during a walk leave their memory to
// others, which come at most once, and in their own turn.
func TestWalkMeetsAnother(t *testing.T) {
	b := newKeyedBook(0, fixedKey)
	add := func(id string) {
		e := Entry{State: life.Held, Deadline: 1, Lines: []entryLine{{SKU: 1, Quantity: 1, Held: 1}}}
		b.Add(KindOrder, id, &e, nil, nil)
	}
	const orders = 4 * stretch
	for i := range orders {
		add(fmt.Sprintf("old-%04d", i))
	}
	seen, last, first := map[string]bool{}, uint32(0), true
	for id := range b.All() {
		if seen[id] {
			t.Fatalf("%s came twice", id)
		}
		if tag := uint32(b.Hash(KindOrder, id)); tag < last {
			t.Fatalf("%s came out of turn", id)
		} else {
			last = tag
		}
		seen[id] = true
		for i := 0; first && i < orders; i++ {
			b.Drop(KindOrder, fmt.Sprintf("old-%04d", i))
			add(fmt.Sprintf("new-%04d", i))
		}
		first = false
	}
	if len(seen) < orders/2 {
		t.Errorf("%d of %d came", len(seen), orders)
	}
}
