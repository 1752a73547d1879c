package book

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/clickcollect/clickcollect/reservation/life"
)

// allFunc is a rule for all parts of an order that is a function; what is no part of
// several it changes by the same function.
type allFunc func(id string, parts []Member) ([]byte, error)

func (f allFunc) ApplyAll(id string, parts []Member) ([]byte, error) { return f(id, parts) }

func (f allFunc) Apply(id string, e *Entry) ([]byte, error) {
	one := []Member{{Entry: *e}}
	record, err := f(id, one)
	*e = one[0].Entry
	return record, err
}

// sameParts compares parts with what should be there.
func sameParts(got []Member, want []Entry) bool {
	return slices.EqualFunc(got, want, func(m Member, e Entry) bool { return sameEntry(&m.Entry, &e) })
}

// findAll compares what is found of an order at once.
func (r *trial) findAll(t *rapid.T) {
	for _, id := range append([]string{"none"}, pieces...) {
		r.parts = r.b.FindAll(id, r.parts)
		if want := r.w.all(id); !sameParts(r.parts, want) {
			t.Fatalf("all of %q are %+v, want %+v", id, r.parts, want)
		}
	}
}

// changeAll changes some parts of an order at once, or refuses to.
func (r *trial) changeAll(t *rapid.T) {
	id := rapid.SampledFrom(pieces).Draw(t, "id")
	want, last := r.w.all(id), r.sink.last
	r.sink.full = rapid.IntRange(0, 9).Draw(t, "full") == 0
	how, log := rapid.IntRange(0, 9).Draw(t, "how"), rapid.Bool().Draw(t, "record")
	ticket, err := r.b.ChangeAll(id, &r.parts, allFunc(func(given string, parts []Member) ([]byte, error) {
		if given != id || !sameParts(parts, want) {
			t.Fatalf("the rule was given %q %+v, want %q %+v", given, parts, id, want)
		}
		for i := range parts {
			m := &parts[i]
			if m.Changed {
				t.Fatalf("part %d of %q has changed before the rule", m.Part, id)
			}
			if rapid.Bool().Draw(t, "changed") {
				r.drawRest(t, &m.Entry, m.State.Ended())
				if want[i].State.Ended() {
					m.Deadline = want[i].Deadline
				}
				m.Changed = true
			}
		}
		switch how {
		case 0:
			return nil, errRule
		case 1:
			m := &parts[len(parts)-1]
			m.Note, m.Changed = strings.Repeat("n", MaxIDBytes), true
		}
		if log {
			return []byte{1}, nil
		}
		return nil, nil
	}))
	logs := log && r.b.Sink != nil
	switch {
	case len(want) == 0:
		if err != ErrNotFound {
			t.Fatalf("change = %v, want ErrNotFound", err)
		}
	case how < 2 || logs && r.sink.full:
		if err == nil || r.sink.last != last {
			t.Fatalf("change = %v, %d records", err, r.sink.last-last)
		}
	default:
		if err != nil || logs && (ticket.Sequence != last+1 || r.sink.last != last+1) || !logs && ticket.Sequence != 0 {
			t.Fatalf("change = %+v, %v", ticket, err)
		}
		r.changed(t, id, want, logs)
	}
}

// changed tells the twin what became of the parts of an order, which was in r.parts.
func (r *trial) changed(t *rapid.T, id string, before []Entry, logs bool) {
	for i := range r.parts {
		m := &r.parts[i]
		switch {
		case m.Changed:
			if logs && m.Sequence != r.sink.last {
				t.Fatalf("part %d of %q has record %d, want %d", m.Part, id, m.Sequence, r.sink.last)
			}
			r.w.change(KindOrder, Name{id, m.Part}, &m.Entry, false)
		case !sameEntry(&m.Entry, &before[i]):
			t.Fatalf("part %d of %q has changed", m.Part, id)
		}
	}
	r.w.regroup(id)
}

// addAll puts the parts of an order in, all or none.
func (r *trial) addAll(t *rapid.T) {
	id := rapid.SampledFrom(pieces).Draw(t, "id")
	var parts []*Entry
	var records [][]byte
	there := -1
	for i, part := range rapid.SliceOfNDistinct(rapid.SampledFrom([]uint8{0, 2, 3, 4}), 1, 4, rapid.ID).Draw(t, "parts") {
		e := r.drawEntry(t, KindOrder, part)
		parts, records = append(parts, &e), append(records, []byte{1})
		if there < 0 && r.w.entries[twinID{KindOrder, Name{id, part}}] != nil {
			there = i
		}
	}
	r.sink.full = rapid.IntRange(0, 9).Draw(t, "full") == 0
	last := r.sink.last
	_, got, err := r.b.AddAll(id, parts, records, &r.got)
	switch {
	case there >= 0:
		if got != there || err != nil || !sameEntry(&r.got, &r.w.entries[twinID{KindOrder, Name{id, parts[there].Part}}].Entry) {
			t.Fatalf("addAll = %d, %v with %+v, want %d", got, err, r.got, there)
		}
	case r.b.Sink != nil && r.sink.full:
		if got != -1 || err != errSink {
			t.Fatalf("addAll = %d, %v with a full sink", got, err)
		}
	default:
		for i, e := range parts {
			if got != -1 || err != nil || r.b.Sink != nil && e.Sequence != last+1+uint64(i) {
				t.Fatalf("addAll = %d, %v, part %d has record %d", got, err, e.Part, e.Sequence)
			}
			r.w.put(KindOrder, Name{id, e.Part}, e)
		}
		r.w.regroup(id)
	}
}

// mover is a Mover that is a function.
type mover func(id string, e, part *Entry) ([][]byte, error)

func (f mover) Move(id string, e, part *Entry) ([][]byte, error) { return f(id, e, part) }

// move makes another part out of one, or refuses to.
func (r *trial) move(t *rapid.T) {
	n := Name{ID: rapid.SampledFrom(pieces).Draw(t, "id"), Part: rapid.SampledFrom([]uint8{0, 2, 3}).Draw(t, "part")}
	part := r.drawEntry(t, KindOrder, rapid.SampledFrom([]uint8{2, 3, 4}).Draw(t, "to"))
	to := twinID{KindOrder, Name{n.ID, part.Part}}
	from := r.w.entries[twinID{KindOrder, n}]
	there := r.w.entries[to] != nil
	refuse, last := rapid.IntRange(0, 9).Draw(t, "refuse") == 0, r.sink.last
	r.sink.full = false
	var e Entry
	_, added, err := r.b.Move(n, &e, &part, mover(func(id string, e, _ *Entry) ([][]byte, error) {
		if id != n.ID || !sameEntry(e, &from.Entry) {
			t.Fatalf("the rule was given %q %+v, want %v %+v", id, e, n, from)
		}
		r.drawRest(t, e, e.State.Ended())
		if from.State.Ended() {
			e.Deadline = from.Deadline
		}
		if refuse {
			return nil, errRule
		}
		return [][]byte{{1}, {2}}, nil
	}), &r.got)
	switch {
	case from == nil:
		if err != ErrNotFound {
			t.Fatalf("move = %v, want ErrNotFound", err)
		}
	case there:
		if added || err != nil || !sameEntry(&r.got, &r.w.entries[to].Entry) {
			t.Fatalf("move = %v, %v with %+v", added, err, r.got)
		}
	case refuse:
		if added || err != errRule || r.sink.last != last {
			t.Fatalf("move = %v, %v", added, err)
		}
	default:
		if !added || err != nil || r.b.Sink != nil && (part.Sequence != last+1 || e.Sequence != last+2) {
			t.Fatalf("move = %v, %v, records %d and %d after %d", added, err, part.Sequence, e.Sequence, last)
		}
		r.w.change(KindOrder, n, &e, false)
		r.w.put(KindOrder, to.Name, &part)
		r.w.regroup(n.ID)
	}
}

// expireTogether lets time pass and ends what is due, of an order of several parts at
// once.
func (r *trial) expireTogether(t *rapid.T) {
	r.now = r.drawTime(t)
	r.sink.full = false
	refuse := rapid.IntRange(0, 19).Draw(t, "refuse")
	for i := range r.b.shards {
		r.expireShardTogether(t, i, refuse)
	}
}

func (r *trial) expireShardTogether(t *rapid.T, shard, refuse int) {
	s := &r.b.shards[shard]
	want := r.w.dueNames(s, r.now)
	calls := 0
	n, err := r.b.DueIn(shard, r.now, 1000, &r.got, allFunc(func(id string, parts []Member) ([]byte, error) {
		calls++
		id = strings.Clone(id)
		due := r.givenTogether(t, id, parts, want)
		if calls == refuse {
			return nil, errRule
		}
		var record []byte
		if rapid.Bool().Draw(t, "record") {
			record = []byte{1}
			if rapid.Bool().Draw(t, "one") {
				due = due[:1] // the others come again
			}
		}
		for _, i := range due {
			m := &parts[i]
			if m.Fingerprint%3 == 0 {
				m.State, m.Deadline, m.Changed = life.Held, r.now+1+int64(m.Fingerprint%1000), true // held for longer
				m.Lines[0] = entryLine{SKU: m.Lines[0].SKU, Quantity: m.Lines[0].Quantity, Held: 1}
				m.Pickup = 0
			} else {
				m.State, m.Deadline, m.Changed = life.Expired, r.now, true
			}
			after := m.Entry
			if record != nil && r.b.Sink != nil {
				after.Sequence = r.sink.last + 1 // as it is going to be
			}
			r.w.change(KindOrder, Name{id, m.Part}, &after, false)
			want = slices.DeleteFunc(want, func(n Name) bool { return n == Name{id, m.Part} })
		}
		r.w.regroup(id)
		return record, nil
	}))
	switch {
	case calls == refuse && calls > 0:
		if err != errRule || n != calls-1 {
			t.Fatalf("dueIn = %d, %v after %d calls", n, err, calls)
		}
		return
	case err != nil || n != calls:
		t.Fatalf("dueIn = %d, %v after %d calls", n, err, calls)
	}
	r.w.forgetOutdated(s, r.now)
	if left := r.w.dueNames(s, r.now); len(left) > 0 {
		t.Fatalf("at %d these are due: %v", r.now, left)
	}
}

// givenTogether checks what a rule was given of an order of which something is due, and
// returns which of it is.
func (r *trial) givenTogether(t *rapid.T, id string, parts []Member, want []Name) (due []int) {
	waited := false
	for i := range parts {
		n := Name{id, parts[i].Part}
		there := r.w.entries[twinID{KindOrder, n}]
		if there == nil || !sameEntry(&parts[i].Entry, &there.Entry) {
			t.Fatalf("at %d the rule was given %v %+v, there is %+v", r.now, n, parts[i].Entry, there)
		}
		if r.w.due(&there.Entry) <= r.now {
			due = append(due, i)
			waited = waited || slices.Contains(want, n)
		}
	}
	if alone := parts[0].ref == 0; !waited || !alone && len(parts) != len(r.w.all(id)) || alone && parts[0].several() && slices.ContainsFunc(r.w.all(id), func(e Entry) bool { return e.Part == parts[0].Part }) {
		t.Fatalf("at %d the rule was given %d parts of %q, due are %v", r.now, len(parts), id, want)
	}
	return due
}

// manyActions are what the model does to orders of several parts.
func (r *trial) manyActions() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){"changeAll": r.changeAll, "changeAll too": r.changeAll, "addAll": r.addAll, "move": r.move, "expire together": r.expireTogether}
}

// partsOf are parts of an order, one for each number.
func partsOf(state life.State, deadline int64, numbers ...uint8) (parts []*Entry) {
	for _, n := range numbers {
		e := orderOf(uint64(n), 1)
		e.Location = 0
		e.Part, e.Parts, e.State, e.Deadline = n, uint8(len(numbers)), state, deadline
		e.Lines[0].Imply(state)
		parts = append(parts, &e)
	}
	return parts
}

// endMember ends a part.
func endMember(m *Member, state life.State, now int64) {
	m.State, m.Deadline, m.Changed = state, now, true
	l := &m.Lines[0]
	*l = entryLine{SKU: l.SKU, Quantity: l.Quantity}
	l.Imply(state)
}

// One change ends one part of an order and changes another that ended long ago, and no
// more than one is remembered: one of the two is forgotten. It used to be written back
// after that, into memory that was free.
func TestChangeAllForgets(t *testing.T) {
	b := newKeyedBook(1, fixedKey)
	parts := append(partsOf(life.Held, 5, 0), partsOf(life.Collected, 1, 2)...)
	parts[0].Parts, parts[1].Parts = 2, 2
	if _, _, err := b.AddAll("o", parts, nil, nil); err != nil {
		t.Fatal(err)
	}
	var room []Member
	_, err := b.ChangeAll("o", &room, allFunc(func(_ string, parts []Member) ([]byte, error) {
		endMember(&parts[0], life.Canceled, 2)
		parts[1].Rejects, parts[1].Changed = 1, true
		return nil, nil
	}))
	var e Entry
	if err != nil || b.Find(KindOrder, "o", &e) || !b.FindPart(Name{"o", 2}, &e) || e.State != life.Collected {
		t.Errorf("change = %v, the last one is %+v", err, e)
	}
	if err := soundBook(b); err != nil {
		t.Error(err)
	}
}

// An order was forgotten while a part of it lived, and another order has its ID. When
// the time of the part comes, it is the part that is given, alone.
func TestDueAloneOfAForgottenOrder(t *testing.T) {
	b := newKeyedBook(10, fixedKey)
	part := partsOf(life.Held, 5, 2)[0]
	other := orderOf(7, 1)
	other.Deadline = 9
	b.Add(KindOrder, "o", part, nil, nil)
	b.Add(KindOrder, "o", &other, nil, nil)
	var given []Name
	end := allFunc(func(id string, parts []Member) ([]byte, error) {
		for i := range parts {
			given = append(given, Name{strings.Clone(id), parts[i].Part})
			endMember(&parts[i], life.Expired, 5)
		}
		return nil, nil
	})
	var e Entry
	for shard := range b.shards {
		if _, err := b.DueIn(shard, 5, 10, &e, end); err != nil {
			t.Fatal(err)
		}
	}
	if want := []Name{{"o", 2}}; !slices.Equal(given, want) {
		t.Errorf("%v were given, want %v", given, want)
	}
	if !b.Find(KindOrder, "o", &e) || e.State != life.Held || !b.FindPart(Name{"o", 2}, &e) || e.State != life.Expired {
		t.Errorf("the part is %+v", e)
	}
	if err := soundBook(b); err != nil {
		t.Error(err)
	}
}

// Parts of orders go to and fro between two states, all parts of an order at once, from
// many goroutines, and end so in the end, by hand or by time. Whoever reads an order sees
// all parts in one state; and then all timers, shelves and pick lists are right.
func TestChangeAllHammer(t *testing.T) {
	const orders, numbers = 12, 4
	for _, used := range []uint64{math.MaxUint64, 1} {
		b := newKeyedBook(1<<20, fixedKey)
		b.used = used
		for i := range orders {
			if _, _, err := b.AddAll(fmt.Sprint("o", i), partsOf(life.Held, 1000, 0, 2, 3, 4), nil, nil); err != nil {
				t.Fatal(err)
			}
		}
		var work sync.WaitGroup
		for g := range 3 {
			work.Go(func() { toAndFro(t, b, uint64(g), orders, numbers) })
		}
		work.Go(func() {
			var parts []Member
			for i := range 4000 {
				parts = b.FindAll(fmt.Sprint("o", i%orders), parts)
				if fault := mixed(parts, numbers); fault != "" {
					t.Error(fault)
					return
				}
				if i%64 == 0 {
					b.PickList(nil, uint32(i/64%6), nil, nil, 1000)
				}
			}
		})
		work.Wait()
		if fault := endTogether(b, 5000); fault != "" {
			t.Error(fault)
		}
		if live, ended := b.Counts(); live != 0 || ended != orders*numbers {
			t.Errorf("%d live and %d ended", live, ended)
		}
		for location := range uint32(6) {
			if picks, _ := b.PickList(nil, location, nil, nil, 1000); len(picks) > 0 || b.LiveAt(location) != 0 {
				t.Errorf("the pick list of %d has %+v", location, picks)
			}
		}
		if err := soundBook(b); err != nil {
			t.Error(err)
		}
	}
}

// mixed says what is not one state of all parts of an order.
func mixed(parts []Member, numbers int) string {
	for i := range parts {
		m, first := &parts[i], &parts[0]
		if m.State != first.State || m.Location != first.Location || m.Deadline != first.Deadline || m.Rejects != first.Rejects {
			return fmt.Sprintf("part %d is %+v, the first %+v", m.Part, m.Entry, first.Entry)
		}
	}
	if len(parts) != numbers {
		return fmt.Sprintf("%d parts, want %d", len(parts), numbers)
	}
	return ""
}

// toAndFro changes orders, all parts of one at once; every third change refuses in the
// end.
func toAndFro(t *testing.T, b *Book, seed uint64, orders, numbers int) {
	random := rand.New(rand.NewPCG(seed, 7))
	var parts []Member
	for i := range 1500 {
		_, err := b.ChangeAll(fmt.Sprint("o", random.IntN(orders)), &parts, allFunc(func(_ string, parts []Member) ([]byte, error) {
			if fault := mixed(parts, numbers); fault != "" {
				t.Error(fault)
				return nil, errRule
			}
			location, deadline := uint32(random.IntN(6)), 2000+random.Int64N(1000)
			for j := range parts {
				m := &parts[j]
				m.Location, m.Deadline, m.Rejects, m.Changed = location, deadline, m.Rejects+1, true
				if m.State = life.Held; location > 3 {
					m.State = life.Confirmed
				}
				m.Lines[0] = entryLine{SKU: m.Lines[0].SKU, Quantity: m.Lines[0].Quantity}
				m.Lines[0].Imply(m.State)
				if j == 2 && i%3 == 0 {
					return nil, errRule
				}
			}
			return []byte{1}, nil
		}))
		if (err != nil) != (i%3 == 0) {
			t.Errorf("change %d: %v", i, err)
		}
	}
}

// endTogether ends all orders: those that are held by their time, the others by hand.
// Of those that are held, the rule is given all parts at their time, once.
func endTogether(b *Book, now int64) (fault string) {
	var e Entry
	end := allFunc(func(id string, parts []Member) ([]byte, error) {
		if fault == "" && parts[0].State.Ended() {
			fault = "given again: " + id
		}
		for i := range parts {
			endMember(&parts[i], life.Expired, now)
		}
		return []byte{1}, nil
	})
	for shard := range b.shards {
		if _, err := b.DueIn(shard, now, 1<<20, &e, end); err != nil {
			return err.Error()
		}
		if b.NextDue(shard) <= now {
			return "there is more that is due"
		}
	}
	var left []string
	for id, e := range b.All() {
		if e.State == life.Held {
			return fmt.Sprintf("%q is held until %d", id, e.Deadline)
		}
		if !e.State.Ended() && e.Part == 0 {
			left = append(left, id)
		}
	}
	for _, id := range left {
		if _, err := b.ChangeAll(id, new([]Member), end); err != nil {
			return err.Error()
		}
	}
	return fault
}

// The rule ends one of two parts that are due, and not the one whose time has come first:
// because it made a record, it is given the other one again. It used not to be.
func TestDueOneAfterTheOther(t *testing.T) {
	b := newKeyedBook(10, fixedKey)
	parts := partsOf(life.Held, 5, 0, 2)
	parts[1].Deadline = 4
	if _, _, err := b.AddAll("o", parts, nil, nil); err != nil {
		t.Fatal(err)
	}
	var given []uint8
	end := allFunc(func(id string, parts []Member) ([]byte, error) {
		for i := range parts {
			if !parts[i].State.Ended() {
				given = append(given, parts[i].Part)
				endMember(&parts[i], life.Expired, 5)
				return []byte{1}, nil
			}
		}
		return nil, nil
	})
	var e Entry
	for shard := range b.shards {
		if _, err := b.DueIn(shard, 5, 10, &e, end); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(given, []uint8{0, 2}) {
		t.Errorf("parts %v were ended", given)
	}
	if err := soundBook(b); err != nil {
		t.Error(err)
	}
}

// Of an order of three parts two are due at once, and are given together, with the third,
// which is held for longer: its timer stays, and it comes at its own time.
func TestDueTogether(t *testing.T) {
	b := newKeyedBook(10, fixedKey)
	parts := partsOf(life.Held, 5, 0, 2, 3)
	parts[1].Deadline = 9
	if _, _, err := b.AddAll("o", parts, nil, nil); err != nil {
		t.Fatal(err)
	}
	var given [][]uint8
	var now int64
	end := allFunc(func(id string, parts []Member) ([]byte, error) {
		var due []uint8
		for i := range parts {
			if !parts[i].State.Ended() && parts[i].Deadline <= now {
				due = append(due, parts[i].Part)
				endMember(&parts[i], life.Expired, now)
			}
		}
		given = append(given, due)
		return []byte{1}, nil
	})
	var e Entry
	for now = range int64(12) {
		for shard := range b.shards {
			if n, err := b.DueIn(shard, now, 1, &e, end); err != nil || n > 1 {
				t.Fatal(n, err)
			}
		}
		if err := soundBook(b); err != nil {
			t.Fatal(err)
		}
	}
	if len(given) != 2 || !slices.Equal(given[0], []uint8{0, 3}) || !slices.Equal(given[1], []uint8{2}) {
		t.Errorf("given were %v", given)
	}
}
