package book

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/clickcollect/clickcollect/bench/scaletest"
	"github.com/clickcollect/clickcollect/reservation/life"
)

func orderOf(fingerprint uint64, lines int) Entry {
	e := Entry{Fingerprint: fingerprint, Location: uint32(fingerprint % 1000), Origin: uint32(fingerprint % 1000), State: life.Held, Distance: float64(fingerprint) / 3}
	for i := range lines {
		e.Lines = append(e.Lines, entryLine{SKU: uint32(i), Quantity: 2, Held: 2})
	}
	return e
}

// A million entries pass through every doubling; each must be found during and
// after, and all of them be walked once.
func TestBookMillion(t *testing.T) {
	n := 1_000_000
	if !scaletest.Full() {
		n = 60_000
	}
	b := newKeyedBook(16, fixedKey)
	var got Entry
	e := orderOf(0, 3)
	for i := range n {
		e.Fingerprint = uint64(i)
		b.Prefetch(KindOrder, fmt.Sprintf("order-%07d", i/3))
		e.Location = uint32(i % 1000)
		e.Origin = e.Location
		if _, added, _ := b.Add(KindOrder, fmt.Sprintf("order-%07d", i), &e, nil, nil); !added {
			t.Fatalf("order %d is there already", i)
		}
		if j := i / 2; !b.Find(KindOrder, fmt.Sprintf("order-%07d", j), &got) || got.Fingerprint != uint64(j) {
			t.Fatalf("order %d lost or changed when %d was added", j, i)
		}
	}
	if held, remembered := b.Len(); held != n || remembered != 0 {
		t.Fatalf("len = %d, %d", held, remembered)
	}
	seen := make([]bool, n)
	for _, e := range b.All() {
		if seen[e.Fingerprint] {
			t.Fatalf("order %d came twice", e.Fingerprint)
		}
		seen[e.Fingerprint] = true
	}
	if i := slices.Index(seen, false); i >= 0 {
		t.Fatalf("order %d did not come", i)
	}
	for i := range n {
		if _, err := b.Change(KindOrder, fmt.Sprintf("order-%07d", i), &got, &endRule{life.Canceled, 1}); err != nil {
			t.Fatalf("order %d: %v", i, err)
		}
	}
	if held, remembered := b.Len(); held != 0 || remembered != len(b.shards)*rememberedPerShard(16, len(b.shards)) {
		t.Fatalf("len = %d, %d", held, remembered)
	}
}

// At least the last `remember` are there, and never more than the stated bound;
// their memory is used again.
func TestBookRemembersLast(t *testing.T) {
	for _, remember := range []int{0, 1, 10, 256, 1000, 20_000} {
		b := newKeyedBook(remember, fixedKey)
		total := 3*remember + 5_000
		memory := int64(0)
		for round := range 2 {
			for i := range total {
				if _, added, _ := b.Add(KindMovement, fmt.Sprint(round, "-", i), &Entry{Fingerprint: uint64(i)}, nil, nil); !added {
					t.Fatalf("remember %d: movement %d is there already", remember, i)
				}
			}
			var got Entry
			for i := total - remember; i < total; i++ {
				if !b.Find(KindMovement, fmt.Sprint(round, "-", i), &got) || got.Fingerprint != uint64(i) {
					t.Fatalf("remember %d: movement %d of %d forgotten", remember, i, total)
				}
			}
			_, kept := b.Len()
			if most := len(b.shards) * rememberedPerShard(remember, len(b.shards)); kept > most || kept < remember {
				t.Fatalf("remember %d: %d kept, at most %d", remember, kept, most)
			}
			if round == 1 && b.Memory() > memory+memory/8 {
				t.Fatalf("remember %d: memory went from %d to %d", remember, memory, b.Memory())
			}
			memory = b.Memory()
		}
	}
}

func TestBookLongIDs(t *testing.T) {
	b := New(100)
	sizes := []int{0, 1, 3, 4, 7, 8, 9, 15, 16, 17, 31, 32, 33, 255, 256, 4096, 32_700, 32_768, MaxIDBytes}
	for _, reuse := range []string{"first", "again"} {
		var got Entry
		for i, size := range sizes {
			id := strings.Repeat("a", size)
			e := orderOf(uint64(i), 1+i*100)
			e.Deadline, e.Refs = 5, Refs{Order: id[:size/3]}
			e.Note = id[:min(size, MaxNoteBytes)]
			if _, added, _ := b.Add(KindOrder, id, &e, nil, nil); !added || !b.Find(KindOrder, id, &got) || !sameEntry(&e, &got) {
				t.Fatalf("%s: ID of %d bytes lost or changed", reuse, size)
			}
		}
		for i, size := range sizes {
			for at := range min(size, 40) { // Each byte counts, the last ones too.
				for _, at := range []int{at, size - 1 - at} {
					other := []byte(strings.Repeat("a", size))
					other[at] = 'b'
					if b.Find(KindOrder, string(other), &got) {
						t.Fatalf("%s: found an ID of %d bytes with another byte %d", reuse, size, at)
					}
				}
			}
			if !b.Find(KindOrder, strings.Repeat("a", size), &got) || got.Fingerprint != uint64(i) {
				t.Fatalf("%s: ID of %d bytes changed", reuse, size)
			}
		}
		for _, size := range sizes {
			b.Drop(KindOrder, strings.Repeat("a", size))
		}
		if held, remembered := b.Len(); held != 0 || remembered != 0 {
			t.Fatalf("%s: len = %d, %d", reuse, held, remembered)
		}
	}
}

func TestBookAllocatesNothing(t *testing.T) {
	b := New(1000)
	b.Sink, b.RememberFor = &countingSink{}, 1000
	n := scaletest.Alone(50_000)
	ids := make([]string, n)
	e := orderOf(1, 3)
	e.Deadline = 600_000
	var found Entry
	for i := range ids {
		ids[i] = fmt.Sprintf("order-%06d-of-some-length", i)
	}
	cancel, collect := &endRule{state: life.Canceled}, &endRule{state: life.Collected}
	expire := &endRule{state: life.Expired}
	i, now, record := 0, int64(0), []byte{1}
	round := func() {
		now++
		cancel.now, collect.now, expire.now = now, now, now
		e.Deadline, e.Location = now+600_000, uint32(i%50)
		e.Origin = e.Location
		b.Prefetch(KindOrder, ids[i%n])
		b.Add(KindOrder, ids[i%n], &e, record, &found)
		b.Add(KindOrder, ids[i%n], &e, record, &found)
		b.Add(KindMovement, ids[i%n], &Entry{Fingerprint: 1, Deadline: now}, record, &found)
		b.Find(KindOrder, ids[i%n], &found)
		if i >= n/2 {
			id := ids[(i-n/2)%n]
			b.Change(KindOrder, id, &found, []Rule{cancel, collect}[i%2])
		}
		if i%10 == 0 { // Its time comes now.
			e.Deadline = now
			b.Add(KindOrder, ids[(i+n/4)%n], &e, record, &found)
			for shard := range b.shards {
				if b.NextDue(shard) <= now {
					b.DueIn(shard, now, 10, &found, expire)
				}
			}
		}
		i++
	}
	for range 4 * n {
		round()
	}
	if got := testing.AllocsPerRun(n, round); got != 0 {
		t.Errorf("%v allocations per round", got)
	}
}
