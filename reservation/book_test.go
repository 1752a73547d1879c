package reservation

import (
	"flag"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// fixedKey makes the placement of records the same in every run.
var fixedKey = hashKey{0x243F6A8885A308D3, 0x13198A2E03707344, 0xA4093822299F31D0}

// checkBook runs a property with a fixed seed unless one is given as a flag.
func checkBook(t *testing.T, property func(*rapid.T)) {
	t.Helper()
	if f := flag.Lookup("rapid.seed"); f != nil && f.Value.String() == "0" {
		if err := f.Value.Set("20251"); err != nil {
			t.Fatal(err)
		}
		defer f.Value.Set("0")
	}
	rapid.Check(t, property)
}

// twinID is an ID in its name space.
type twinID struct {
	kind entryKind
	id   string
}

// twin is the book without speed: maps, slices, and a queue per shard, which
// it asks the book for because the shard decides who is forgotten when.
type twin struct {
	b       *book
	entries map[twinID]entry
	queues  map[*shard]map[entryKind][]string
	keep    int
}

func newTwin(b *book, remember int) *twin {
	return &twin{b: b, entries: map[twinID]entry{}, queues: map[*shard]map[entryKind][]string{},
		keep: rememberedPerShard(remember, len(b.shards))}
}

func (w *twin) queue(kind entryKind, id string) map[entryKind][]string {
	s, _ := w.b.shardOf(kind, id)
	if w.queues[s] == nil {
		w.queues[s] = map[entryKind][]string{}
	}
	return w.queues[s]
}

func (w *twin) remember(kind entryKind, id string) {
	q := w.queue(kind, id)
	q[kind] = append(q[kind], id)
	for len(q[kind]) > w.keep {
		delete(w.entries, twinID{kind, q[kind][0]})
		q[kind] = q[kind][1:]
	}
}

func (w *twin) add(kind entryKind, id string, e entry) (entry, bool) {
	if there, ok := w.entries[twinID{kind, id}]; ok {
		return there, false
	}
	e.lines = slices.Clone(e.lines)
	w.entries[twinID{kind, id}] = e
	if kind == kindMovement || e.state != Held {
		w.remember(kind, id)
	}
	return entry{}, true
}

func (w *twin) drop(kind entryKind, id string) {
	e, ok := w.entries[twinID{kind, id}]
	if !ok {
		return
	}
	delete(w.entries, twinID{kind, id})
	if kind == kindMovement || e.state != Held {
		q := w.queue(kind, id)
		q[kind] = slices.DeleteFunc(slices.Clone(q[kind]), func(s string) bool { return s == id })
	}
}

func (w *twin) resolve(id string, to State, lines []entryLine) (state State, taken []entryLine, outcome resolveOutcome) {
	e, ok := w.entries[twinID{kindOrder, id}]
	if !ok {
		return 0, nil, notFound
	}
	if e.state != Held {
		return e.state, nil, alreadyEnded
	}
	if lines == nil {
		for _, l := range e.lines {
			lines = append(lines, entryLine{sku: l.sku, quantity: l.held})
		}
	}
	for _, l := range lines {
		i := slices.IndexFunc(e.lines, func(o entryLine) bool { return o.sku == l.sku })
		if i < 0 {
			return Held, []entryLine{{sku: l.sku, quantity: l.quantity}}, notHeld
		}
		if l.quantity > e.lines[i].held {
			return Held, []entryLine{{sku: l.sku, quantity: l.quantity, held: e.lines[i].held}}, notHeld
		}
	}
	for _, l := range lines {
		i := slices.IndexFunc(e.lines, func(o entryLine) bool { return o.sku == l.sku })
		e.lines[i].held -= l.quantity
		if to == Collected {
			e.lines[i].collected += l.quantity
		}
		if l.quantity > 0 {
			taken = append(taken, entryLine{sku: l.sku, quantity: l.quantity})
		}
	}
	held, collected := uint32(0), uint32(0)
	for _, l := range e.lines {
		held, collected = held+l.held, collected+l.collected
	}
	if held == 0 {
		e.state = Canceled
		if collected > 0 {
			e.state = Collected
		}
	}
	w.entries[twinID{kindOrder, id}] = e
	if e.state != Held {
		w.remember(kindOrder, id)
	}
	return e.state, taken, resolved
}

func sameEntry(a, b *entry) bool {
	return a.fingerprint == b.fingerprint && a.location == b.location && a.state == b.state &&
		math.Float64bits(a.distance) == math.Float64bits(b.distance) && slices.Equal(a.lines, b.lines)
}

func drawKind(t *rapid.T) entryKind {
	return rapid.SampledFrom([]entryKind{kindOrder, kindOrder, kindOrder, kindMovement}).Draw(t, "kind")
}

func drawID(t *rapid.T) string {
	n := rapid.IntRange(0, 150).Draw(t, "id")
	return strings.Repeat("x", n%23) + fmt.Sprint(n)
}

func drawEntry(t *rapid.T, kind entryKind) entry {
	e := entry{
		fingerprint: rapid.Uint64().Draw(t, "fingerprint"), location: rapid.Uint32().Draw(t, "location"),
		distance: rapid.Float64().Draw(t, "distance"),
	}
	if kind == kindMovement {
		return e
	}
	e.state = Held
	sku := uint32(0)
	for range rapid.IntRange(1, 9).Draw(t, "lines") {
		sku += rapid.Uint32Range(1, 3).Draw(t, "gap")
		q := rapid.SampledFrom([]uint32{1, 2, 3, math.MaxInt32}).Draw(t, "quantity")
		e.lines = append(e.lines, entryLine{sku: sku, quantity: q, held: q})
	}
	if rapid.IntRange(0, 9).Draw(t, "ended") == 0 {
		e.state = Canceled
		for i := range e.lines {
			e.lines[i].held = 0
		}
	}
	return e
}

func drawWant(t *rapid.T) []entryLine {
	if rapid.Bool().Draw(t, "whole") {
		return nil
	}
	want := []entryLine{}
	sku := uint32(0)
	for range rapid.IntRange(0, 3).Draw(t, "wanted lines") {
		sku += rapid.Uint32Range(1, 5).Draw(t, "gap")
		want = append(want, entryLine{sku: sku, quantity: rapid.Uint32Range(0, 2).Draw(t, "units")})
	}
	return want
}

// compareAll compares every entry and the counts of book and twin.
func (w *twin) compareAll(t *rapid.T) {
	var got entry
	live, kept := 0, 0
	for key, want := range w.entries {
		if !w.b.find(key.kind, key.id, &got) || !sameEntry(&got, &want) {
			t.Fatalf("find(%v) = %+v, want %+v", key, got, want)
		}
		if key.kind == kindOrder && want.state == Held {
			live++
		} else {
			kept++
		}
	}
	if h, r := w.b.len(); h != live || r != kept {
		t.Fatalf("len = %d, %d, want %d, %d", h, r, live, kept)
	}
	seen := map[string]bool{}
	for id, e := range w.b.all() {
		want, ok := w.entries[twinID{kindOrder, id}]
		if seen[id] || !ok || !sameEntry(e, &want) {
			t.Fatalf("all gave %q again (%v) or wrong: %+v, want %+v", id, seen[id], e, want)
		}
		seen[id] = true
	}
	for key := range w.entries {
		if key.kind == kindOrder && !seen[key.id] {
			t.Fatalf("all left out %q", key.id)
		}
	}
}

func modelProperty(used uint64) func(*rapid.T) {
	return func(t *rapid.T) {
		remember := rapid.SampledFrom([]int{0, 1, 3, 5000}).Draw(t, "remember")
		b := newKeyedBook(remember, fixedKey)
		b.used = used
		w := newTwin(b, remember)
		var found entry
		var buf []entryLine
		t.Repeat(map[string]func(*rapid.T){
			"": w.compareAll,
			"add": func(t *rapid.T) {
				kind, id := drawKind(t), drawID(t)
				e := drawEntry(t, kind)
				there, want := w.add(kind, id, e)
				if got := b.add(kind, id, &e, &found); got != want || !got && !sameEntry(&found, &there) {
					t.Fatalf("add = %v with %+v, want %v with %+v", got, found, want, there)
				}
			},
			"find": func(t *rapid.T) {
				kind, id := drawKind(t), drawID(t)
				_, want := w.entries[twinID{kind, id}]
				if got := b.find(kind, id, &found); got != want {
					t.Fatalf("find = %v, want %v", got, want)
				}
			},
			"drop": func(t *rapid.T) {
				kind, id := drawKind(t), drawID(t)
				w.drop(kind, id)
				b.drop(kind, id)
			},
			"resolve": func(t *rapid.T) {
				id, want := drawID(t), drawWant(t)
				to := rapid.SampledFrom([]State{Collected, Canceled}).Draw(t, "to")
				state, taken, outcome := w.resolve(id, to, want)
				_, gotState, gotTaken, gotOutcome := b.resolve(id, to, want, buf[:0])
				buf = gotTaken
				if gotState != state || gotOutcome != outcome || !slices.Equal(gotTaken, taken) {
					t.Fatalf("resolve = %v %v %v, want %v %v %v", gotState, gotTaken, gotOutcome, state, taken, outcome)
				}
			},
		})
	}
}

func TestBookModel(t *testing.T)            { checkBook(t, modelProperty(math.MaxUint64)) }
func TestBookModelOneShard(t *testing.T)    { checkBook(t, modelProperty(math.MaxUint32)) }
func TestBookModelEightHashes(t *testing.T) { checkBook(t, modelProperty(1<<31|1<<30|1)) }
func TestBookModelOneHash(t *testing.T)     { checkBook(t, modelProperty(0)) }

func TestStateNames(t *testing.T) {
	for s, want := range map[State]string{0: "State(0)", Held: "held", Collected: "collected", Canceled: "canceled"} {
		if got := s.String(); got != want {
			t.Errorf("State(%d) = %q, want %q", uint8(s), got, want)
		}
	}
}
