package reservation

import (
	"fmt"
	"slices"
	"testing"

	"github.com/clickcollect/clickcollect/reservation/history"
)

// formerRecords are an order of two parts, a third one that units of the first were taken
// to, and an order that is called like a part of another.
func formerRecords() []history.Record {
	tea := func(units int64) []history.Line { return []history.Line{{Units: units}} }
	held := func(id string, slot uint32, parts uint8, ref string, units int64) history.Record {
		return history.Record{Kind: history.Held, Time: 5, ID: id, Slot: slot, Deadline: 9000, Fingerprint: 7, Order: "ref", Parts: parts, Ref: ref, Lines: tea(units)}
	}
	change := func(kind history.Kind, id string, units int64) history.Record {
		return history.Record{Kind: kind, Time: 6, ID: id, Order: "ref", Lines: tea(units)}
	}
	return []history.Record{
		{Kind: history.Moved, Time: 4, Cause: history.Received, ID: "a", Lines: []history.Line{{Units: 20, OnHand: 20}}},
		{Kind: history.Moved, Time: 4, Cause: history.Received, ID: "b", Slot: 1, Lines: []history.Line{{Units: 20, OnHand: 20}}},
		held("o", 0, 2, "", 3), held("o/2", 1, 2, "", 2),
		change(history.Confirmed, "o/2", 2), change(history.Confirmed, "o", 3),
		held("o/3", 1, 3, "o", 1), change(history.Confirmed, "o/3", 1),
		{Kind: history.Rerouted, Time: 7, Cause: history.Offline, ID: "o", To: 1, Ref: "o/3", Parts: 3, Order: "ref", Lines: tea(1)},
		held("p/2", 0, 0, "", 1), // of an order that is called so
		held("p", 1, 0, "", 1), change(history.Canceled, "p/2", 1),
	}
}

// TestFormerParts opens what a version wrote that gave parts IDs of their own: they are
// parts by number, of the order and in the order of its numbers, and an order that is only
// called like a part stays one. What is changed since is there after another restart, too.
func TestFormerParts(t *testing.T) {
	o := Options{SKUs: 8, Locations: 8, Remember: 64, Dir: t.TempDir()}
	l, err := Open(o)
	mustDo(t, err)
	for _, name := range []string{"a", "b"} {
		_, _, err = l.AddSlot(name, nil, 1)
		mustDo(t, err)
	}
	_, err = l.addSKU("tea", 1)
	mustDo(t, err)
	for _, r := range formerRecords() {
		_, err := l.append(&r)
		mustDo(t, err)
	}
	mustDo(t, l.Close())
	parts := func(id string) (text string) {
		for _, e := range l.FindAll(id, nil) {
			text += fmt.Sprintf("%d of %d from %d: %v at %d; ", e.Part, e.Parts, e.From, e.State, e.Slot)
		}
		return text
	}
	reopen := func() {
		t.Helper()
		l, err = Open(o)
		mustDo(t, err)
		l.Renumber([]uint32{0, 1}, 0, func(*Table) {})
		mustDo(t, l.Fill())
	}
	reopen()
	want := map[string]string{"o": "1 of 3 from 0: confirmed at 0; 2 of 2 from 0: confirmed at 1; 3 of 3 from 1: confirmed at 1; ",
		"p": "1 of 1 from 0: held at 1; ", "p/2": "1 of 1 from 0: canceled at 0; ", "o/2": "", "o/3": ""}
	check := func() {
		t.Helper()
		for id, text := range want {
			if got := parts(id); got != text {
				t.Errorf("%q: got %s, want %s", id, got, text)
			}
		}
		if names := slices.Collect(l.OfOrder("ref")); fmt.Sprint(names) != "[{o 0} {o 2} {o 3} {p 0} {p/2 0}]" {
			t.Errorf("%v", names)
		}
		if a, err := l.Audit(t.Context(), nil); err != nil || len(a.Differences) > 0 {
			t.Errorf("audit: %v %+v", err, a.Differences)
		}
	}
	check()
	do(t, l, Change{Verb: history.Ready, ID: "o", Now: 10, Deadline: 100})
	do(t, l, Change{Verb: history.Collected, ID: "o", Part: 3, Now: 11})
	do(t, l, Change{Verb: history.Canceled, ID: "o", Now: 12})
	want["o"] = "1 of 3 from 0: canceled at 0; 2 of 2 from 0: canceled at 1; 3 of 3 from 1: collected at 1; "
	check()
	mustDo(t, l.Close())
	reopen()
	check()
	mustDo(t, l.Snapshot(t.Context(), 20), l.Close())
	reopen()
	check()
	mustDo(t, l.Close())
}
