package reservation

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/clickcollect/clickcollect/reservation/history"
	"github.com/clickcollect/clickcollect/reservation/internal/journal/faultdisk"
)

// formed is a part of a form, and of a store if goods are brought to one.
func formed(id string, number int, slot uint32, f Form, store uint32, lines ...Line) Part {
	p := part(id, number, slot, lines...)
	p.Form, p.Store = f, store
	return p
}

// TestFormIsKept makes reservations of every form, alone and as parts, takes them
// elsewhere, whole and in part, with and without another form, and asks for the form
// then, after a restart, and after one from a snapshot.
func TestFormIsKept(t *testing.T) {
	disk := faultdisk.New(1)
	l := onDisk(t, disk, 0)
	tea := received(t, l, "a", 0, "tea", 99)
	received(t, l, "b", 1, "tea", 99)
	var p Parts
	var c Claim
	var found Entry
	reroute := func(r Reroute) {
		t.Helper()
		if how := p.Reroute(l, &r, &found); how != Done {
			t.Fatal(how, p.Err())
		}
	}
	table := l.Table()
	for id, f := range map[string]Form{"nobody said": Unsaid, "fetched": Fetched, "sent": Sent, "brought": Brought} {
		h := Hold{ID: id, Deadline: 1000, Form: f}
		if f == Brought {
			h.Store = 1
		}
		if !c.Bind(l, table, []Line{units(tea, 2)}) || c.Reserve(table.Space.Number(0), &h, &found) != Done {
			t.Fatal(id, c.Err())
		}
	}
	parts := []Part{formed("x", 1, 0, Brought, 1, units(tea, 2)), formed("x", 2, 1, Brought, 1, units(tea, 2)), formed("x", 3, 1, Sent, 0, units(tea, 2))}
	if how := p.Reserve(l, parts, &found); how != Done {
		t.Fatal(how, p.Err())
	}
	if how := p.Reserve(l, []Part{formed("first", 1, 1, Brought, 0, units(tea, 3))}, &found); how != Done {
		t.Fatal(how, p.Err())
	}
	reroute(Reroute{ID: "first", Lines: []Line{units(tea, 1)}, To: part("first", 2, 0, units(tea, 1))})
	reroute(Reroute{ID: "first", Lines: []Line{units(tea, 1)}, To: formed("first", 3, 0, Sent, 0, units(tea, 1))})
	reroute(Reroute{ID: "x", To: part("", 0, 1, units(tea, 2))})
	reroute(Reroute{ID: "nobody said", To: formed("", 0, 1, Brought, 0, units(tea, 2))})
	reroute(Reroute{ID: "brought", To: formed("", 0, 1, Sent, 0, units(tea, 2))})
	do(t, l, Change{Verb: history.Confirmed, ID: "x", Part: 2})
	do(t, l, Change{Verb: history.Canceled, ID: "fetched"})

	want := map[string]struct {
		form  Form
		store uint32
	}{"nobody said": {Brought, 0}, "fetched": {Fetched, 0}, "sent": {Sent, 0}, "brought": {Sent, 0},
		"x": {Brought, 1}, "x 2": {Brought, 1}, "x 3": {Sent, 0}, "first": {Brought, 0}, "first 2": {Brought, 0}, "first 3": {Sent, 0}}
	before := allOf(l)
	for name, how := range map[string]func(){"as it was": nil, "from the journal": func() {}, "from a snapshot": func() { mustDo(t, l.Snapshot(t.Context(), 9)) }} {
		if how != nil {
			mustDo(t, l.queue.Step())
			how()
			mustDo(t, l.Close())
			disk = disk.Kill()
			l = onDisk(t, disk, 0)
		}
		for id, w := range want {
			order, number := id, 0
			for n := 2; n < 4; n++ {
				if of, is := strings.CutSuffix(id, fmt.Sprint(" ", n)); is {
					order, number = of, n
				}
			}
			if !l.FindPart(order, number, &found) || found.Form != w.form || found.To != w.store {
				t.Errorf("%s: %s is %v to %d, want %v to %d", name, id, found.Form, found.To, w.form, w.store)
			}
		}
		if got := allOf(l); !maps.Equal(got, before) {
			t.Errorf("%s: %v, want %v", name, got, before)
		}
	}
	mustDo(t, l.Close())
}

// TestFormIsRefused: a form, or a store, that there is not is not written down.
func TestFormIsRefused(t *testing.T) {
	l := floorOf(t, 3, 0, roomy)
	tea := received(t, l, "a", 0, "tea", 9)
	var p Parts
	var c Claim
	var found Entry
	if how := p.Reserve(l, []Part{part("x", 0, 0, units(tea, 1))}, &found); how != Done {
		t.Fatal(how, p.Err())
	}
	for field, to := range map[string]Part{"Form": formed("o", 0, 0, 4, 0, units(tea, 1)), "Store": formed("o", 0, 0, Brought, uint32(l.Slots()), units(tea, 1)),
		"Store of goods that are sent": formed("o", 0, 0, Sent, 1, units(tea, 1)), "Store without a form": formed("o", 0, 0, Unsaid, 1, units(tea, 1))} {
		if how := p.Reserve(l, []Part{to}, &found); how != Failed || !errors.Is(p.Err(), ErrInvalid) {
			t.Errorf("%s: %d, %v", field, how, p.Err())
		}
		r := Reroute{ID: "x", To: to}
		if how := p.Reroute(l, &r, &found); how != Failed || !errors.Is(p.Err(), ErrInvalid) {
			t.Errorf("%s, to reroute: %d, %v", field, how, p.Err())
		}
		table := l.Table()
		if !c.Bind(l, table, to.Lines) || c.Reserve(table.Space.Number(0), &to.Hold, &found) != Failed || !errors.Is(c.Err(), ErrInvalid) {
			t.Errorf("%s, to claim: %v", field, c.Err())
		}
	}
	if got := l.Available(tea, 0).Available; got != 8 {
		t.Errorf("%d available", got)
	}
}
