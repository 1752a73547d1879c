package book_test

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/clickcollect/clickcollect/reservation/internal/book"
	"github.com/clickcollect/clickcollect/reservation/internal/commit"
	"github.com/clickcollect/clickcollect/reservation/life"
)

// What follows sees the book through its door alone, so its inside can be exchanged: a
// plain map, and what every book must do besides. How many ended ones are remembered,
// and what a full journal leaves, the tests from inside try.

// key is an order, or a part of one, or another ID in its name space.
type key struct {
	kind book.Kind
	book.Name
}

// plain is a book that is a map.
type plain struct {
	b       *book.Book
	entries map[key]book.Entry
	came    map[book.Name]int // of live orders: the how manyth to come to its location
	arrived int
	now     int64
	last    uint64 // record
}

// Append and AppendAll number records.
func (w *plain) Append([]byte) (commit.Ticket, error) {
	w.last++
	return commit.Ticket{Sequence: w.last}, nil
}

func (w *plain) AppendAll(records ...[]byte) (commit.Ticket, error) {
	w.last += uint64(len(records))
	return commit.Ticket{Sequence: w.last}, nil
}

const (
	remind    = 1000
	locations = 3
)

// open begins with an empty book, which remembers all that is tried here.
func (w *plain) open(shards int) {
	w.b = book.Fixed(1000, shards)
	w.b.Sink, w.b.RemindBefore = w, remind
}

// ids are made of each other's pieces.
var ids = []string{"a", "b", "a/1", "a/2", "a/2/2", "a\x00", "b/2", "a longer ID than all the others"}

func drawID(t *rapid.T) string { return rapid.SampledFrom(ids).Draw(t, "id") }

// drawKey is an order or a part of it.
func drawKey(t *rapid.T) key {
	part := rapid.SampledFrom([]uint8{0, 0, 2, 3, 4}).Draw(t, "part")
	return key{book.KindOrder, book.Name{ID: drawID(t), Part: part}}
}

// find is what is there.
func (w *plain) find(k key, into *book.Entry) bool {
	if k.kind == book.KindOrder {
		return w.b.FindPart(k.Name, into)
	}
	return w.b.Find(k.kind, k.ID, into)
}

// draw is an order that has come so far.
func (w *plain) draw(t *rapid.T) book.Entry {
	e := book.Entry{Fingerprint: rapid.Uint64().Draw(t, "fingerprint"), Distance: rapid.Float64().Draw(t, "distance"), Since: w.now,
		Lines: []life.Line{{SKU: 1, Quantity: 3}, {SKU: 4, Quantity: 1}}[:rapid.IntRange(1, 2).Draw(t, "lines")]}
	e.Refs = book.Refs{Order: rapid.SampledFrom([]string{"", "o1", "o2"}).Draw(t, "order"), Customer: rapid.SampledFrom([]string{"", "c"}).Draw(t, "customer")}
	e.Parts = uint8(rapid.IntRange(0, 3).Draw(t, "parts"))
	if rapid.Bool().Draw(t, "noted") {
		e.Note, e.Promise = "note", rapid.Int64Range(0, 9).Draw(t, "promise")
	}
	e.Form = life.Form(rapid.IntRange(0, 3).Draw(t, "form"))
	w.turn(t, &e)
	e.Origin = e.Location
	return e
}

// turn brings an entry into some state.
func (w *plain) turn(t *rapid.T, e *book.Entry) {
	states := []life.State{life.Held, life.Held, life.Confirmed, life.Ready, life.Canceled}
	if e.State.Ended() {
		states = states[4:]
	}
	e.State = rapid.SampledFrom(states).Draw(t, "state")
	e.Location, e.Pickup = rapid.Uint32Range(0, locations-1).Draw(t, "location"), 0
	if !e.State.Ended() {
		e.Deadline = w.now + rapid.Int64Range(0, 1<<rapid.IntRange(0, 30).Draw(t, "digits")).Draw(t, "deadline")
	}
	if e.State == life.Ready {
		e.Pickup = w.now + rapid.Int64Range(1, 1<<20).Draw(t, "pickup")
	}
	for i := range e.Lines {
		e.Lines[i] = life.Line{SKU: e.Lines[i].SKU, Quantity: e.Lines[i].Quantity}
		e.Lines[i].Imply(e.State)
	}
	if l := &e.Lines[0]; e.State == life.Confirmed && rapid.Bool().Draw(t, "partly") {
		l.Confirmed, l.Missing = 1, 2
	}
}

// put notes what is there from now on.
func (w *plain) put(k key, e *book.Entry) {
	was, there := w.entries[k]
	kept := *e
	kept.Lines = slices.Clone(e.Lines)
	w.entries[k] = kept
	if k.kind == book.KindOrder && (!there || was.State.Ended() || was.Location != e.Location) {
		w.arrived++
		w.came[k.Name] = w.arrived
	}
}

// add puts an order or a movement in, unless it is there.
func (w *plain) add(t *rapid.T) {
	k := drawKey(t)
	e := w.draw(t)
	e.Part = k.Part
	if k.kind = rapid.SampledFrom([]book.Kind{book.KindOrder, book.KindOrder, book.KindMovement, book.KindTransfer}).Draw(t, "kind"); k.kind != book.KindOrder {
		k.Part = 0 // what has no lines has no state of its own
		e = book.Entry{Fingerprint: e.Fingerprint, Location: e.Location, Origin: e.Location, Deadline: w.now}
		if k.kind == book.KindTransfer {
			e.State, e.To, e.Since, e.Lines = life.InTransit, 2, w.now, []life.Line{{SKU: 1, Quantity: 2, Confirmed: 2}}
		}
	}
	var found book.Entry
	was, there := w.entries[k]
	last := w.last
	ticket, added, err := w.b.Add(k.kind, k.ID, &e, []byte{1}, &found)
	switch {
	case err != nil || added == there:
		t.Fatalf("add %v: %v, %v, there before: %v", k, added, err, there)
	case there:
		w.same(t, k, &found, &was)
	case ticket.Sequence != last+1 || e.Sequence != last+1:
		t.Fatalf("add %v: record %d, the entry says %d, want %d", k, ticket.Sequence, e.Sequence, last+1)
	default:
		w.put(k, &e)
	}
}

// addAll puts the parts of an order in, all or none.
func (w *plain) addAll(t *rapid.T) {
	var parts []*book.Entry
	var records [][]byte
	want, id := -1, drawID(t)
	for i, part := range rapid.SliceOfNDistinct(rapid.SampledFrom([]uint8{0, 2, 3, 4}), 1, 4, rapid.ID).Draw(t, "parts") {
		e := w.draw(t)
		e.Part = part
		parts = append(parts, &e)
		records = append(records, []byte{1})
		if _, there := w.entries[key{book.KindOrder, book.Name{ID: id, Part: part}}]; there && want < 0 {
			want = i
		}
	}
	first := w.last + 1
	_, there, err := w.b.AddAll(id, parts, records, new(book.Entry))
	if err != nil || there != want {
		t.Fatalf("all of %d: %d is there, want %d: %v", len(parts), there, want, err)
	}
	for i, e := range parts {
		if want >= 0 {
			break
		}
		if e.Sequence != first+uint64(i) {
			t.Fatalf("part %d has record %d, the first %d", i, e.Sequence, first)
		}
		w.put(key{book.KindOrder, book.Name{ID: id, Part: e.Part}}, e)
	}
}

// rule is a function as a rule of the book.
type rule func(id string, e *book.Entry) ([]byte, error)

func (f rule) Apply(id string, e *book.Entry) ([]byte, error) { return f(id, e) }

// change turns an order, or refuses to.
func (w *plain) change(t *rapid.T) {
	k := drawKey(t)
	was, there := w.entries[k]
	refuse := rapid.IntRange(0, 5).Draw(t, "refuse") == 0
	var e book.Entry
	_, err := w.b.ChangePart(k.Name, &e, rule(func(id string, e *book.Entry) ([]byte, error) {
		w.same(t, key{k.kind, book.Name{ID: id, Part: e.Part}}, e, &was)
		if refuse {
			e.Deadline++
			return nil, errRefused
		}
		w.turn(t, e)
		return []byte{1}, nil
	}))
	switch {
	case !there && err == book.ErrNotFound, there && refuse && err == errRefused:
	case there && !refuse && err == nil && e.Sequence == w.last:
		w.put(k, &e)
	default:
		t.Fatalf("change %v: %v", k, err)
	}
}

var errRefused = fmt.Errorf("the rule says no")

func (w *plain) drop(t *rapid.T) {
	k := drawKey(t)
	w.b.DropPart(k.Name)
	delete(w.entries, k)
}

// dueAt is when something is to be done about an order.
func dueAt(e *book.Entry) (at int64, due bool) {
	switch {
	case e.State == life.Held:
		return e.Deadline, true
	case e.State == life.Ready && e.Reminded:
		return e.Pickup, true
	case e.State == life.Ready:
		return e.Pickup - remind, true
	}
	return 0, false
}

// expire lets time go by: whoever is due is given once, and ends.
func (w *plain) expire(t *rapid.T) {
	w.now += rapid.Int64Range(0, 1<<rapid.IntRange(0, 31).Draw(t, "digits")).Draw(t, "time")
	w.b.Look(w.now)
	var got, want []book.Name
	ended := map[book.Name]book.Entry{}
	for k, e := range w.entries {
		if at, due := dueAt(&e); due && k.kind == book.KindOrder {
			if next := w.b.NextDue(book.ShardOf(w.b.Hash(k.kind, k.ID), w.b.Shards())); next > at {
				t.Fatalf("%v is due at %d, and its shard at %d", k, at, next)
			}
			if at <= w.now {
				want = append(want, k.Name)
			}
		}
	}
	for shard := range w.b.Shards() {
		var e book.Entry
		for {
			n, err := w.b.DueIn(shard, w.now, 2, &e, rule(func(id string, e *book.Entry) ([]byte, error) {
				n := book.Name{ID: string([]byte(id)), Part: e.Part} // the ID is good for so long only
				got = append(got, n)
				e.State, e.Deadline, e.Pickup = life.Expired, w.now, 0
				for i := range e.Lines {
					e.Lines[i] = life.Line{SKU: e.Lines[i].SKU, Quantity: e.Lines[i].Quantity}
					e.Lines[i].Imply(e.State)
				}
				after := *e
				after.Lines = slices.Clone(e.Lines)
				after.Sequence = w.last + 1
				ended[n] = after
				return []byte{1}, nil
			}))
			if err != nil {
				t.Fatal(err)
			}
			if n < 2 {
				break
			}
		}
	}
	slices.SortFunc(got, book.Name.Compare)
	slices.SortFunc(want, book.Name.Compare)
	if !slices.Equal(got, want) {
		t.Fatalf("at %d %v were given, due are %v", w.now, got, want)
	}
	for n, e := range ended {
		w.put(key{book.KindOrder, n}, &e)
	}
}

// restart brings all that there is into another book, in the order in which it is
// written down.
func (w *plain) restart(t *rapid.T) {
	old := w.b
	w.open(1 << rapid.IntRange(0, 3).Draw(t, "shards"))
	w.b.Loosen()
	old.Dump(func(kind book.Kind, id string, e *book.Entry) bool {
		w.b.Load(kind, id, e)
		return true
	})
	w.b.Settle(rapid.IntRange(1, 3).Draw(t, "workers"), w.now)
	live := slices.SortedFunc(maps.Keys(w.came), func(a, b book.Name) int { // they are on their shelves by when they were made
		x, y := w.entries[key{book.KindOrder, a}], w.entries[key{book.KindOrder, b}]
		return cmp.Or(cmp.Compare(x.Since, y.Since), cmp.Compare(x.Sequence, y.Sequence))
	})
	for i, n := range live {
		w.came[n] = i
	}
	w.arrived = len(live)
}

// same compares an entry with what it should be.
func (w *plain) same(t *rapid.T, k key, got, want *book.Entry) {
	t.Helper()
	x, y := *got, *want
	if len(x.Lines) == 0 {
		x.Lines = nil
	}
	if len(y.Lines) == 0 {
		y.Lines = nil
	}
	if !reflect.DeepEqual(x, y) {
		t.Fatalf("%v is\n%+v, want\n%+v", k, x, y)
	}
}

// waits tells the parts that have ended while another part of their order is live: they
// are no more forgotten than that. An order that knows of no parts is none of them.
func (w *plain) waits(k key) bool {
	several := func(k key, e *book.Entry) bool { return k.Part > 1 || e.Parts > 1 }
	own := w.entries[k]
	if k.kind != book.KindOrder || !several(k, &own) {
		return false
	}
	for other, e := range w.entries {
		if other.kind == book.KindOrder && other.ID == k.ID && several(other, &e) && !e.State.Ended() {
			return true
		}
	}
	return false
}

// check compares all that can be asked.
func (w *plain) check(t *rapid.T) {
	var e book.Entry
	live, remembered, orders := 0, 0, 0
	at := [locations][]book.Name{}
	named := map[string][]book.Name{}
	for k, want := range w.entries {
		if !w.find(k, &e) {
			t.Fatalf("%v is not there", k)
		}
		w.same(t, k, &e, &want)
		switch {
		case !book.Remembered(k.kind, want.State):
			live++
		case !w.waits(k):
			remembered++
		}
		if k.kind != book.KindOrder {
			continue
		}
		orders++
		if !want.State.Ended() {
			at[want.Location] = append(at[want.Location], k.Name)
		}
		for _, name := range []string{"order " + want.Refs.Order, "customer " + want.Refs.Customer} {
			named[name] = append(named[name], k.Name)
		}
		if k.Part > 0 {
			named["whole "+k.ID] = append(named["whole "+k.ID], k.Name)
		}
	}
	if l, r := w.b.Len(); l != live || r != remembered {
		t.Fatalf("%d live and %d remembered, want %d and %d", l, r, live, remembered)
	}
	all := 0
	for id, e := range w.b.All() {
		k := key{book.KindOrder, book.Name{ID: id, Part: e.Part}}
		want := w.entries[k]
		w.same(t, k, e, &want)
		all++
	}
	if all != orders {
		t.Fatalf("the walk met %d orders of %d", all, orders)
	}
	for location := range at {
		w.checkAt(t, uint32(location), at[location])
	}
	for v, names := range map[book.View][]string{book.ByOrder: {"order ", "o1", "o2"}, book.ByCustomer: {"customer ", "c"}, book.ByWhole: append([]string{"whole "}, ids...)} {
		for _, name := range names[1:] {
			var got []book.Name
			w.b.Named(v, name, func(n book.Name) bool { got = append(got, n); return true })
			want := named[names[0]+name]
			slices.SortFunc(want, book.Name.Compare)
			if !slices.Equal(got, want) {
				t.Fatalf("%s%s is of %v, want %v", names[0], name, got, want)
			}
		}
	}
}

// checkAt compares the live orders of a location, by when they came, and its pick list.
func (w *plain) checkAt(t *rapid.T, location uint32, want []book.Name) {
	slices.SortFunc(want, func(a, b book.Name) int { return cmp.Compare(w.came[b], w.came[a]) })
	var got []book.Name
	w.b.At(location, func(id string, e *book.Entry) bool { got = append(got, book.Name{ID: id, Part: e.Part}); return true })
	if !slices.Equal(got, want) || w.b.LiveAt(location) != len(want) {
		t.Fatalf("at %d are %v, %d in all, want %v", location, got, w.b.LiveAt(location), want)
	}
	var picks []book.Pick
	for _, n := range want {
		e := w.entries[key{book.KindOrder, n}]
		p := book.Pick{Class: 2, Name: n}
		switch {
		case e.Promise != 0:
			p.Class, p.Time = 0, e.Promise
		case e.State == life.Ready:
			p.Class, p.Time = 1, e.Pickup
		case e.State == life.Held:
			p.Class, p.Time = 1, e.Deadline
		}
		picks = append(picks, p)
	}
	slices.SortFunc(picks, func(a, b book.Pick) int { return a.Compare(&b) })
	var after *book.Pick
	for {
		page, _ := w.b.PickList(nil, location, after, nil, 2)
		for i := range page {
			if len(picks) == 0 || page[i].Compare(&picks[0]) != 0 {
				t.Fatalf("the pick list of %d has %+v, want %+v", location, page[i], picks)
			}
			picks = picks[1:]
		}
		if len(page) < 2 {
			break
		}
		after = &page[1]
	}
	if len(picks) > 0 {
		t.Fatalf("the pick list of %d lacks %+v", location, picks)
	}
}

// TestBookAgainstAMap tries the book on its door.
func TestBookAgainstAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &plain{entries: map[key]book.Entry{}, came: map[book.Name]int{}, now: 1_790_000_000_000}
		w.open(1 << rapid.IntRange(0, 3).Draw(t, "shards"))
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			rapid.SampledFrom([]func(*rapid.T){w.add, w.add, w.addAll, w.change, w.change, w.drop, w.expire, w.restart}).Draw(t, "step")(t)
			for n := range w.came {
				if e, there := w.entries[key{book.KindOrder, n}]; !there || e.State.Ended() {
					delete(w.came, n)
				}
			}
			w.check(t)
		}
	})
}
