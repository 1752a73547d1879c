package book

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/clickcollect/clickcollect/bench/scaletest"
	"github.com/clickcollect/clickcollect/reservation/life"
	"pgregory.net/rapid"
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
			e.Cause, e.Note = id[:min(size, MaxRefBytes)], id[:min(size, MaxNoteBytes)]
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

// An index of few tags, so that runs are long and wrap, against a map.
func TestIndexAgainstMap(t *testing.T) {
	for seed := range uint64(40) {
		random := rand.New(rand.NewPCG(seed, 1))
		x := index{current: newTable(make([]uint64, firstSlots))}
		spread := []uint32{1, 3, 200, math.MaxUint32}[seed%4]
		twin := map[uint32]uint32{} // reference to tag
		for ref := uint32(1); ref < 3000; ref++ {
			tag := math.MaxUint32 - random.Uint32N(spread)
			table := x.tableFor(tag)
			x.put(table, table.place(tag), slotOf(tag, ref))
			twin[ref] = tag
			// Growth begins when asked for, or as late as can be.
			if want, urgent := x.wanted(); urgent || want && seed%3 > 0 {
				x.begin(make([]uint64, 2*len(x.current.slots)))
			}
			if random.IntN(3) == 0 {
				for old, tag := range twin {
					x.take(slotOf(tag, old)) // Never ends if it is not there.
					delete(twin, old)
					break
				}
			}
			if x.entries != len(twin) {
				t.Fatalf("seed %d: %d entries, want %d", seed, x.entries, len(twin))
			}
		}
		for _, ref := range x.references(nil) {
			tag, ok := twin[ref]
			if !ok {
				t.Fatalf("seed %d: reference %d twice or unknown", seed, ref)
			}
			x.take(slotOf(tag, ref))
			delete(twin, ref)
		}
		if len(twin) != 0 || x.entries != 0 {
			t.Fatalf("seed %d: %d left over", seed, len(twin))
		}
	}
}

// Pieces in use never overlap: each is filled with its own byte and read back.
func TestSlabPieces(t *testing.T) {
	checkBook(t, func(t *rapid.T) {
		type piece struct {
			ref  uint32
			size int
			fill byte
		}
		var s slab
		var pieces []piece
		for step := range rapid.IntRange(1, 300).Draw(t, "steps") {
			if len(pieces) > 0 && rapid.IntRange(0, 2).Draw(t, "give") == 0 {
				i := rapid.IntRange(0, len(pieces)-1).Draw(t, "piece")
				s.give(pieces[i].ref, pieces[i].size)
				pieces = slices.Delete(pieces, i, i+1)
				continue
			}
			size := rapid.OneOf(rapid.IntRange(36, 300), rapid.IntRange(36, 40_000)).Draw(t, "size")
			p := piece{s.take(size), size, byte(step)}
			memory := s.at(p.ref)[:size]
			for i := range memory {
				memory[i] = p.fill
			}
			pieces = append(pieces, p)
		}
		for _, p := range pieces {
			for _, got := range s.at(p.ref)[:p.size] {
				if got != p.fill {
					t.Fatalf("piece %+v overwritten by %d", p, got)
				}
			}
		}
	})
}

func TestSlabClasses(t *testing.T) {
	last, lastRounded := -1, 0
	for units := 1; units <= sharedUnits; units++ {
		class, rounded := classOf(units)
		if rounded < units || rounded > units+units/8 || class < last || class > last+1 || (class == last) != (rounded == lastRounded) {
			t.Fatalf("classOf(%d) = %d, %d after %d, %d", units, class, rounded, last, lastRounded)
		}
		last, lastRounded = class, rounded
	}
	if last != sharedClasses-1 {
		t.Fatalf("last class %d", last)
	}
}

func TestBookAllocatesNothing(t *testing.T) {
	b := New(1000)
	b.Sink, b.RememberFor = &countingSink{}, 1000
	const n = 50_000
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
