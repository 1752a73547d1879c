package book

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/clickcollect/clickcollect/reservation/life"
)

// fixedKey makes the placement of records the same in every run.
var fixedKey = hashKey{0x243F6A8885A308D3, 0x13198A2E03707344, 0xA4093822299F31D0}

// checkBook runs a property with a fixed seed unless one is given as a flag.
func checkBook(t rapid.TB, property func(*rapid.T)) {
	t.Helper()
	if f := flag.Lookup("rapid.seed"); f != nil && f.Value.String() == "0" {
		if err := f.Value.Set("20251"); err != nil {
			t.Fatal(err)
		}
		defer f.Value.Set("0")
	}
	rapid.Check(t, property)
}

// trial is a book, its twin, and the time.
type trial struct {
	b        *Book
	w        *twin
	sink     countingSink
	remember int
	now      int64
	got      Entry
	parts    []Member
	sabotage func(*Book) // breaks the book after each step, to see it found out
}

func newTrial(t *rapid.T, used uint64) *trial {
	r := &trial{remember: rapid.SampledFrom([]int{0, 1, 3, 5000}).Draw(t, "remember"), now: 1_790_000_000_000}
	if rapid.Bool().Draw(t, "young") {
		r.now = 1000
	}
	r.b = newKeyedBook(r.remember, fixedKey)
	r.b.used = used
	if rapid.Bool().Draw(t, "log") {
		r.b.Sink = &r.sink
	}
	r.b.RemindBefore = rapid.SampledFrom([]int64{0, 1000, 3_600_000}).Draw(t, "remind")
	r.b.RememberFor = rapid.SampledFrom([]int64{0, 0, 1, 5000, 86_400_000}).Draw(t, "for")
	r.w = newTwin(r.b, r.remember)
	return r
}

func drawKind(t *rapid.T) Kind {
	return rapid.SampledFrom([]Kind{KindOrder, KindOrder, KindOrder, KindOrder, KindMovement, KindTransfer, KindChange}).Draw(t, "kind")
}

// pieces are IDs that are made of each other's pieces.
var pieces = []string{"x", "x/1", "x/2", "x/2/2", "x\x00", "x\x00\x02", "x/"}

// drawName is an ID, and of an order often a part.
func drawName(t *rapid.T, kind Kind) Name {
	if rapid.Bool().Draw(t, "plain") {
		n := rapid.IntRange(0, 140).Draw(t, "id")
		return Name{ID: strings.Repeat("x", n%23) + fmt.Sprint(n)}
	}
	n := Name{ID: rapid.SampledFrom(pieces).Draw(t, "id")}
	if kind == KindOrder {
		n.Part = rapid.SampledFrom([]uint8{0, 0, 2, 3, 4, 255}).Draw(t, "part")
	}
	return n
}

func drawKey(t *rapid.T) string {
	return rapid.SampledFrom([]string{"", "", "a", "b", "c", "a longer reference than the others"}).Draw(t, "key")
}

func (r *trial) drawTime(t *rapid.T) int64 {
	return r.now + rapid.Int64Range(0, 1<<rapid.IntRange(0, 42).Draw(t, "digits")).Draw(t, "in")
}

// drawRest draws all that a rule may change.
func (r *trial) drawRest(t *rapid.T, e *Entry, ended bool) {
	states := []life.State{life.Held, life.Held, life.Held, life.Confirmed, life.Accepted, life.InTransit, life.Ready, life.Ready, life.Packed, life.Shipped,
		life.Collected, life.Canceled, life.Expired, life.NoShow, life.Returned, life.Rerouted, life.Delivered, life.Lost, life.ReturnedToSender}
	if ended {
		states = states[10:]
	}
	e.State = rapid.SampledFrom(states).Draw(t, "state")
	for i := range e.Lines {
		l := &e.Lines[i]
		*l = entryLine{SKU: l.SKU, Quantity: l.Quantity}
		l.Imply(e.State)
	}
	if len(e.Lines) > 0 && rapid.IntRange(0, 2).Draw(t, "partial") == 0 {
		l := &e.Lines[rapid.IntRange(0, len(e.Lines)-1).Draw(t, "line")]
		units := rapid.Uint32Range(0, l.Quantity)
		*l = entryLine{SKU: l.SKU, Quantity: l.Quantity, Confirmed: units.Draw(t, "confirmed"), Collected: units.Draw(t, "collected"),
			Returned: units.Draw(t, "returned"), Missing: units.Draw(t, "missing"), Lapsed: units.Draw(t, "lapsed"), Short: units.Draw(t, "short"), Rerouted: units.Draw(t, "rerouted")}
		if !e.State.Ended() {
			l.Held = units.Draw(t, "held")
		}
	}
	e.Location = rapid.Uint32Range(0, 5).Draw(t, "location")
	if e.Origin = e.Location; rapid.IntRange(0, 3).Draw(t, "moved") == 0 {
		e.Origin = rapid.Uint32Range(0, 5).Draw(t, "origin")
	}
	e.To = rapid.Uint32Range(0, 1).Draw(t, "to")
	e.Deadline, e.Pickup = r.drawTime(t), 0
	if e.State == life.Ready {
		e.Pickup = r.drawTime(t)
	}
	if e.State.Ended() {
		e.Deadline = r.now
	}
	e.Reminded = rapid.Bool().Draw(t, "reminded")
	if e.Parcel = (Parcel{}); rapid.IntRange(0, 3).Draw(t, "parcel") == 0 {
		e.Parcel = Parcel{Carrier: drawKey(t), Tracking: drawKey(t)}
	}
	e.Form = life.Form(rapid.IntRange(0, 3).Draw(t, "form"))
	e.Refs = Refs{}
	if rapid.Bool().Draw(t, "refs") {
		e.Refs = Refs{Order: drawKey(t), Customer: drawKey(t), Owner: drawKey(t), Channel: drawKey(t), Code: drawKey(t)}
	}
	switch rapid.IntRange(0, 3).Draw(t, "past") {
	case 0:
		e.Promise = rapid.Int64().Draw(t, "promise")
	case 1:
		// An order never has fewer parts than it had.
		e.Parts = max(e.Parts, uint8(rapid.IntRange(0, 3).Draw(t, "parts")))
		e.From, e.Note = uint8(rapid.IntRange(0, 3).Draw(t, "from")), drawKey(t)
	}
}

func (r *trial) drawEntry(t *rapid.T, kind Kind, part uint8) Entry {
	e := Entry{
		Part: part, Fingerprint: rapid.Uint64().Draw(t, "fingerprint"), Sequence: rapid.Uint64().Draw(t, "sequence"), Distance: rapid.Float64().Draw(t, "distance"),
	}
	if kind == KindMovement || kind == KindChange {
		e.Deadline = r.now
		return e
	}
	sku := uint32(0)
	for range rapid.IntRange(1, 9).Draw(t, "lines") {
		sku += rapid.Uint32Range(1, 3).Draw(t, "gap")
		e.Lines = append(e.Lines, entryLine{SKU: sku, Quantity: rapid.SampledFrom([]uint32{1, 2, 3, math.MaxInt32}).Draw(t, "quantity")})
	}
	r.drawRest(t, &e, false)
	return e
}

func (r *trial) add(t *rapid.T) {
	kind := drawKind(t)
	n := drawName(t, kind)
	e := r.drawEntry(t, kind, n.Part)
	var record []byte
	if rapid.Bool().Draw(t, "record") {
		record = []byte{1}
	}
	r.sink.full = rapid.IntRange(0, 9).Draw(t, "full") == 0
	logs, last := record != nil && r.b.Sink != nil, r.sink.last
	there := r.w.entries[twinID{kind, n}]
	ticket, added, err := r.b.Add(kind, n.ID, &e, record, &r.got)
	switch {
	case there != nil:
		if added || err != nil || !sameEntry(&r.got, &there.Entry) {
			t.Fatalf("add = %v, %v with %+v, want %+v", added, err, r.got, there)
		}
	case logs && r.sink.full:
		if added || err != errSink || r.b.find(kind, n, &r.got) {
			t.Fatalf("add = %v, %v with a full sink", added, err)
		}
	default:
		if !added || err != nil || logs && (ticket.Sequence != last+1 || e.Sequence != last+1) || !logs && ticket.Sequence != 0 {
			t.Fatalf("add = %+v, %v, %v, sequence %d after %d", ticket, added, err, e.Sequence, last)
		}
		r.w.put(kind, n, &e)
		r.w.regrouped(kind, n, &e)
	}
}

var errRule = errors.New("the rule says no")

func (r *trial) change(t *rapid.T) {
	kind := drawKind(t)
	n := drawName(t, kind)
	there := r.w.entries[twinID{kind, n}]
	r.sink.full = rapid.IntRange(0, 9).Draw(t, "full") == 0
	refuse, log := rapid.IntRange(0, 9).Draw(t, "refuse") == 0, rapid.Bool().Draw(t, "record")
	last := r.sink.last
	ticket, err := r.b.change(kind, n, &r.got, ruleFunc(func(given string, e *Entry) ([]byte, error) {
		if there == nil || given != n.ID || !sameEntry(e, &there.Entry) {
			t.Fatalf("the rule was given %q %+v, want %v %+v", given, e, n, there)
		}
		r.drawRest(t, e, e.State.Ended())
		if there.State.Ended() {
			e.Deadline = there.Deadline
		}
		if refuse {
			return nil, errRule
		}
		if log {
			return []byte{1}, nil
		}
		return nil, nil
	}))
	logs := log && r.b.Sink != nil
	switch {
	case there == nil:
		if err != ErrNotFound {
			t.Fatalf("change = %v, want ErrNotFound", err)
		}
	case refuse || logs && r.sink.full:
		if err != errRule && err != errSink || r.sink.last != last {
			t.Fatalf("change = %v", err)
		}
	default:
		if err != nil || logs && (ticket.Sequence != last+1 || r.got.Sequence != last+1) || !logs && ticket.Sequence != 0 {
			t.Fatalf("change = %+v, %v", ticket, err)
		}
		r.w.change(kind, n, &r.got, false)
		r.w.regrouped(kind, n, &r.got)
	}
}

// expire lets time pass, mostly forwards, and applies a rule to what is due.
func (r *trial) expire(t *rapid.T) {
	now := r.drawTime(t)
	if rapid.IntRange(0, 4).Draw(t, "back") == 0 {
		now = max(0, r.now-rapid.Int64Range(0, 100_000).Draw(t, "by"))
	} else {
		r.now = now
	}
	most := rapid.SampledFrom([]int{1, 3, 1000}).Draw(t, "most")
	refuse := rapid.IntRange(0, 19).Draw(t, "refuse")
	for i := range r.b.shards {
		r.expireShard(t, i, now, most, refuse)
	}
}

func (r *trial) expireShard(t *rapid.T, shard int, now int64, most, refuse int) {
	s := &r.b.shards[shard]
	want := r.w.dueNames(s, now)
	next := r.b.NextDue(shard)
	for _, n := range want {
		if due := r.w.due(&r.w.entries[twinID{KindOrder, n}].Entry); due < next {
			t.Fatalf("nextDue = %d, %v is due at %d", next, n, due)
		}
	}
	calls, times := 0, map[Name]int{}
	r.sink.full = false
	n, err := r.b.DueIn(shard, now, most, &r.got, ruleFunc(func(id string, e *Entry) ([]byte, error) {
		calls++
		n := Name{strings.Clone(id), e.Part}
		there := r.w.entries[twinID{KindOrder, n}]
		if there == nil || !slices.Contains(want, n) || r.w.due(&there.Entry) > now || !sameEntry(e, &there.Entry) {
			t.Fatalf("at %d the rule was given %v %+v, there is %+v", now, n, e, there)
		}
		if calls == refuse {
			return nil, errRule
		}
		was := r.w.due(e)
		switch {
		case e.Fingerprint%5 == 0: // Nothing to do.
		case e.State == life.Ready && !e.Reminded:
			e.Reminded = true
		case e.Fingerprint%5 == 1:
			e.Deadline, e.Since = now+1+int64(e.Fingerprint%100_000), now+1
		default:
			e.State, e.Deadline = life.Expired, now
		}
		// With a record it comes again for as long as it is due: three times here.
		var record []byte
		if times[n]++; e.Fingerprint%3 == 0 && times[n] < 3 {
			record = []byte{}
		}
		if due := r.w.due(e); due > now || due == was && record == nil {
			want = slices.DeleteFunc(want, func(o Name) bool { return o == n })
		}
		if record != nil && r.b.Sink != nil {
			e.Sequence = r.sink.last + 1 // As it is going to be.
		}
		r.w.change(KindOrder, n, e, record == nil)
		r.w.regrouped(KindOrder, n, e)
		return record, nil
	}))
	switch {
	case calls == refuse && calls > 0:
		if err != errRule || n != calls-1 {
			t.Fatalf("dueIn = %d, %v after %d calls", n, err, calls)
		}
		return
	case err != nil || n != calls || n > most:
		t.Fatalf("dueIn = %d, %v after %d calls", n, err, calls)
	}
	r.w.forgetOutdated(s, now)
	if left := r.w.dueNames(s, now); n < most && len(left) > 0 {
		t.Fatalf("dueIn(%d) = %d of %d, but these are due: %v", now, n, most, left)
	}
}

// reload writes everything out and reads it into a new book, or a part of it
// into the old one.
func (r *trial) reload(t *rapid.T) {
	b := newKeyedBook(r.remember, fixedKey)
	b.used, b.Sink, b.RemindBefore, b.RememberFor = r.b.used, r.b.Sink, r.b.RemindBefore, r.b.RememberFor
	w := newTwin(b, r.remember)
	r.b.Dump(func(kind Kind, id string, e *Entry) bool {
		b.Load(kind, id, e)
		w.put(kind, Name{id, e.Part}, e)
		w.regrouped(kind, Name{id, e.Part}, e)
		return true
	})
	// By time, loading may forget what nobody had got round to.
	if len(w.entries) != len(r.w.entries) && (b.RememberFor == 0 || len(w.entries) > len(r.w.entries)) {
		t.Fatalf("%d entries after reload, want %d", len(w.entries), len(r.w.entries))
	}
	r.b, r.w = b, w
}

func (r *trial) load(t *rapid.T) {
	kind := drawKind(t)
	n := drawName(t, kind)
	e := r.drawEntry(t, kind, n.Part)
	there := r.w.entries[twinID{kind, n}] != nil
	r.w.drop(kind, n)
	r.w.put(kind, n, &e)
	if there && kind == KindOrder {
		r.w.regroup(n.ID)
	}
	r.w.regrouped(kind, n, &e)
	r.b.Load(kind, n.ID, &e)
}

// compareAll compares every entry, every list and the counts of book and twin.
func (r *trial) compareAll(t *rapid.T) {
	if r.sabotage != nil {
		r.sabotage(r.b)
	}
	live, kept := 0, r.w.remembered()
	for key, want := range r.w.entries {
		if !r.b.find(key.kind, key.Name, &r.got) || !sameEntry(&r.got, &want.Entry) {
			t.Fatalf("find(%v) = %+v, want %+v", key, r.got, want)
		}
		if !Remembered(key.kind, want.State) {
			live++
		}
	}
	if l, k := r.b.Len(); l != live || k != kept {
		t.Fatalf("len = %d, %d, want %d, %d", l, k, live, kept)
	}
	seen := map[twinID]bool{}
	r.b.Dump(func(kind Kind, id string, e *Entry) bool {
		key := twinID{kind, Name{id, e.Part}}
		want := r.w.entries[key]
		if seen[key] || want == nil || !sameEntry(e, &want.Entry) {
			t.Fatalf("dump gave %v again (%v) or wrong: %+v, want %+v", key, seen[key], e, want)
		}
		seen[key] = true
		return true
	})
	if len(seen) != len(r.w.entries) {
		t.Fatalf("dump gave %d of %d", len(seen), len(r.w.entries))
	}
	orders := 0
	r.goesOn(t)
	for id, e := range r.b.All() {
		orders++
		key := twinID{KindOrder, Name{id, e.Part}}
		if want := r.w.entries[key]; want == nil || !sameEntry(e, &want.Entry) {
			t.Fatalf("all gave %q %+v, want %+v", id, e, want)
		}
		delete(seen, key)
	}
	if orders+len(seen) != len(r.w.entries) {
		t.Fatalf("all gave %d orders, and %d other entries are left of %d", orders, len(seen), len(r.w.entries))
	}
	r.compareLists(t)
	r.findAll(t)
	if err := soundBook(r.b); err != nil {
		t.Fatal(err)
	}
}

func (r *trial) compareLists(t *rapid.T) {
	for location := range uint32(7) {
		var got []Name
		r.b.At(location, func(id string, e *Entry) bool {
			if e.Location != location {
				t.Fatalf("at(%d) gave %q at %d", location, id, e.Location)
			}
			got = append(got, Name{id, e.Part})
			return true
		})
		if want := r.w.at(location); !slices.Equal(got, want) {
			t.Fatalf("at(%d) = %v, want %v", location, got, want)
		}
	}
	for v := range views {
		for _, key := range append([]string{"", "a", "b", "c", "a longer reference than the others", "none"}, pieces...) {
			var got []Name
			r.b.Named(v, key, func(n Name) bool {
				got = append(got, n)
				return true
			})
			if want := r.w.named(v, key); !slices.Equal(got, want) {
				t.Fatalf("named(%d, %q) = %v, want %v", v, key, got, want)
			}
		}
	}
}

func modelProperty(used uint64, sabotage func(*Book)) func(*rapid.T) {
	return func(t *rapid.T) {
		r := newTrial(t, used)
		r.sabotage = sabotage
		actions := map[string]func(*rapid.T){
			"":        r.compareAll,
			"add":     r.add,
			"add too": r.add,
			"change":  r.change,
			"change2": r.change,
			"expire":  r.expire,
			"reload":  r.reload,
			"load":    r.load,
			"drop": func(t *rapid.T) {
				kind := drawKind(t)
				n := drawName(t, kind)
				there := r.w.entries[twinID{kind, n}] != nil
				r.w.drop(kind, n)
				if there && kind == KindOrder {
					r.w.regroup(n.ID)
				}
				r.b.drop(kind, n)
			},
		}
		maps.Copy(actions, r.manyActions())
		t.Repeat(actions)
	}
}

func TestBookModel(t *testing.T)            { checkBook(t, modelProperty(math.MaxUint64, nil)) }
func TestBookModelOneShard(t *testing.T)    { checkBook(t, modelProperty(math.MaxUint32, nil)) }
func TestBookModelEightHashes(t *testing.T) { checkBook(t, modelProperty(1<<31|1<<30|1, nil)) }
func TestBookModelOneHash(t *testing.T)     { checkBook(t, modelProperty(0, nil)) }

func TestStateNames(t *testing.T) {
	names := map[life.State]string{0: "State(0)", life.Held: "held", life.Confirmed: "confirmed", life.Accepted: "accepted", life.InTransit: "in transit", life.Ready: "ready",
		life.Collected: "collected", life.Canceled: "canceled", life.Expired: "expired", life.NoShow: "no-show", life.Returned: "returned", life.Rerouted: "rerouted",
		life.Packed: "packed", life.Shipped: "shipped", life.Delivered: "delivered", life.Lost: "lost", life.ReturnedToSender: "returned to sender", 17: "State(17)"}
	for s, want := range names {
		if got := s.String(); got != want {
			t.Errorf("State(%d) = %q, want %q", uint8(s), got, want)
		}
		if s.Ended() != (s >= life.Collected && s <= life.Rerouted || s >= life.Delivered && s <= life.ReturnedToSender) {
			t.Errorf("%v.Ended() = %v", s, s.Ended())
		}
	}
}
