package reservation

import (
	"errors"
	"testing"

	"github.com/clickcollect/clickcollect/reservation/history"
	"github.com/clickcollect/clickcollect/reservation/life"
)

// formerOf is a verb as the ledger had it before there was a table.
func formerOf(v life.Verb) (c Change) {
	kinds := map[life.Verb]history.Kind{life.Extend: history.Extended, life.Reassign: history.Reassigned, life.Confirm: history.Confirmed,
		life.Accept: history.Accepted, life.Dispatch: history.Dispatched, life.Arrive: history.Arrived, life.MakeReady: history.Ready,
		life.Remind: history.Reminded, life.ShortPick: history.ShortPicked, life.Collect: history.Collected, life.Cancel: history.Canceled,
		life.Expire: history.Expired, life.Abandon: history.NoShow, life.Restock: history.Returned, life.TakeBack: history.Returned,
		life.Lack: history.Shorted, life.Cover: history.Covered, life.Reject: history.Rejected, life.MoveAll: history.Rerouted,
		life.MovePart: history.Rerouted, life.ReplaceMissing: history.Rerouted, life.GiveUp: history.RerouteFailed}
	c.Verb = kinds[v]
	switch v {
	case life.Restock:
		c.Cause = history.Restocked
	case life.TakeBack:
		c.Cause = history.DamagedReturn
	case life.MoveAll:
		c.went = &went{to: 1}
	case life.MovePart:
		c.went = &went{to: 1, ref: "x"}
	case life.ReplaceMissing:
		c.went = &went{to: 1, ref: "x", missing: true}
	}
	c.Now, c.Deadline = 77, 5
	return c
}

func rowLine(l entryLine) life.Line {
	return life.Line{SKU: l.sku, Quantity: l.quantity, Held: l.held, Confirmed: l.confirmed, Collected: l.collected, Returned: l.returned,
		Missing: l.missing, Lapsed: l.lapsed, Short: l.short, Rerouted: l.rerouted}
}

func rowLines(lines []entryLine) (all []life.Line) {
	for _, l := range lines {
		all = append(all, rowLine(l))
	}
	return all
}

// everyLine calls f with every line of up to most units a bucket that is sound.
func everyLine(sku uint32, most uint32, f func(entryLine)) {
	var l entryLine
	l.sku = sku
	buckets := []*uint32{&l.held, &l.confirmed, &l.collected, &l.returned, &l.missing, &l.lapsed, &l.short, &l.rerouted}
	var rec func(i int)
	rec = func(i int) {
		if i == len(buckets) {
			if l.returned > l.collected || l.short > l.held+l.confirmed {
				return
			}
			sum := l.held + l.confirmed + l.collected + l.missing + l.lapsed + l.rerouted
			for canceled := uint32(0); canceled <= 1; canceled++ {
				if l.quantity = sum + canceled; l.quantity > 0 {
					f(l)
				}
			}
			return
		}
		for n := uint32(0); n <= most; n++ {
			*buckets[i] = n
			rec(i + 1)
		}
		*buckets[i] = 0
	}
	rec(0)
}

// TestTableIsWhatWas holds the table to the functions that were there before.
func TestTableIsWhatWas(t *testing.T) {
	n := 0
	var lines [][]entryLine
	everyLine(3, 2, func(l entryLine) { lines = append(lines, []entryLine{l}) })
	var ones []entryLine
	everyLine(5, 1, func(l entryLine) { ones = append(ones, l) })
	for i := range ones {
		for j := i % 7; j < len(ones); j += 7 {
			two := ones[j]
			two.sku = 9
			lines = append(lines, []entryLine{ones[i], two})
		}
	}
	for _, of := range lines {
		for s := Held; s <= Rerouted; s++ {
			e := entry{state: s, deadline: 1, pickup: 2, lines: of}
			if !e.sound() || s == InTransit && total(&e, func(l *entryLine) uint32 { return l.short }) > 0 { // what is on the road is never short
				continue
			}
			for _, v := range life.Verbs() {
				for _, resource := range []bool{false, true} {
					n++
					compareFormer(t, v, &e, resource)
				}
			}
		}
		if t.Failed() {
			return
		}
	}
	t.Log(n, "compared")
}

func compareFormer(t *testing.T, v life.Verb, e *entry, resource bool) {
	c, r := formerOf(v), life.Of(v)
	for _, named := range []bool{false, true} {
		if named {
			c.Lines = []Line{{}}
		} else {
			c.Lines = nil
		}
		err := allowed(e, &c)
		got := r.Check(life.State(e.state), rowLines(e.lines), named)
		want := life.Refused(0)
		var ended *EndedError
		if errors.As(err, &ended) {
			want = life.ByEnd
		} else if err != nil {
			want = life.ByState
		}
		if got != want {
			t.Fatalf("%v in %+v, named %v: %v, was %v (%v)", v, *e, named, got, want, err)
		}
		if want != 0 {
			return
		}
	}
	whole := false
	switch c.Verb {
	case history.Extended, history.Reassigned, history.Accepted, history.Reminded:
		whole = true
	}
	if whole != r.Whole || c.afterEnd() != (r.From.Has(life.Canceled)) || hasOnHand(c.Verb) != (r.Says&life.SaysOnHand != 0) {
		t.Fatalf("%v: whole, after the end or on hand", v)
	}
	if touchesShelf(c.Verb) != (r.Lock == life.FloorOf || r.Lock == life.FloorsOfTwo) || marksShort(c.Verb) != (r.Lock == life.FloorHeld) {
		t.Fatalf("%v: lock", v)
	}
	first := &e.lines[0]
	most := int64(0)
	if !whole {
		most = c.movable(first)
		if most != r.Movable(ptr(rowLine(*first))) {
			t.Fatalf("%v of %+v: movable", v, *first)
		}
	}
	if resource {
		most = int64(first.held) + int64(first.confirmed)
		if v == life.Confirm {
			most = int64(first.held)
		}
		if r.MovableResource(ptr(rowLine(*first))) != most {
			t.Fatalf("%v of %+v: movable resource", v, *first)
		}
		if v == life.Arrive || first.short > 0 { // a resource is never short, and is used up before it could arrive
			return
		}
	}
	for units := int64(0); units <= most; units++ {
		old := *e
		old.lines = append([]entryLine(nil), e.lines...)
		k := newClasses()
		if resource {
			k.of.Store(old.lines[0].sku, isResource)
			k.some.Store(true)
		}
		var effects []effect
		var given []Line
		if units > 0 {
			given = []Line{{SKU: first.sku, Quantity: units}}
		}
		advance(&old, &c, given, &effects, k)

		now := rowLines(e.lines)
		var eff life.Effect
		for i := range now {
			m := &r.Goods
			if resource && i == 0 {
				m = &r.Resource
			}
			switch {
			case i == 0 && units > 0:
				eff = m.Apply(&now[i], units)
			case m.Lost:
				m.Apply(&now[i], 0)
			}
		}
		state, over, stale := r.State(life.State(e.state), now)
		for i := range now {
			if now[i] != rowLine(old.lines[i]) {
				t.Fatalf("%v of %d (resource %v) in %+v: line %d is %+v, was %+v", v, units, resource, *e, i, now[i], old.lines[i])
			}
		}
		var was life.Effect
		for _, f := range effects {
			was.Free += f.free
			was.OnHand += f.onHand
		}
		if eff != was || state != life.State(old.state) || over != (old.deadline == 77) {
			t.Fatalf("%v of %d (resource %v) in %+v: %+v, %v, over %v; was %+v, %v, %d", v, units, resource, *e, eff, state, over, was, old.state, old.deadline)
		}
		if was := e.state == Ready && old.state == Held; was != stale && v != life.MakeReady {
			t.Fatalf("%v of %d in %+v: stale %v", v, units, *e, stale)
		}
	}
}

func ptr[T any](v T) *T { return &v }
