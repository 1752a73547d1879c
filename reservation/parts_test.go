package reservation

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math"
	"strings"
	"testing"

	"github.com/clickcollect/clickcollect/reservation/history"
	"github.com/clickcollect/clickcollect/reservation/internal/journal/faultdisk"
)

// part is one of an order at a location, with its number.
func part(id string, number int, slot uint32, lines ...Line) Part {
	return Part{Hold: Hold{ID: id, Part: uint8(number), Slot: slot, Deadline: 1000}, Lines: lines}
}

// TestPartsAreAllOrNothing takes from several locations, and says which line is
// short over all parts; two parts may want the same goods.
func TestPartsAreAllOrNothing(t *testing.T) {
	l := floorOf(t, 3, 0, roomy)
	tea := received(t, l, "a", 0, "tea", 5)
	received(t, l, "b", 1, "tea", 5)
	cup := received(t, l, "c", 1, "cup", 2)
	var p Parts
	var found Entry
	free := func(sku, slot uint32, want int64) {
		t.Helper()
		if got := l.Available(sku, slot).Available; got != want {
			t.Errorf("SKU %d at %d: %d available, want %d", sku, slot, got, want)
		}
	}
	for _, c := range []struct {
		parts []Part
		want  int
		err   error
	}{
		{[]Part{part("x", 1, 0, units(tea, 5)), part("x", 2, 1, units(tea, 1), units(cup, 3))}, 2, nil},
		{[]Part{part("x", 1, 0, units(tea, 6)), part("x", 2, 1, units(cup, 2))}, 0, nil},
		{[]Part{part("x", 1, 2, units(cup, 1))}, 0, nil},
		{[]Part{part("x", 1, 0, units(tea, 3)), part("x", 2, 0, units(tea, 3))}, 0, nil},
		{[]Part{part("x", 1, 0, Line{SKU: tea, Quantity: 3, Keep: 3})}, 0, nil},
		{[]Part{part("x", 1, 0, units(tea, 3)), part("x", 2, 0, units(tea, 2)), part("x", 3, 1, units(tea, 1), units(cup, 1))}, Done, nil},
		{[]Part{part("x", 1, 1, units(tea, 1)), part("x", 9, 1, units(cup, 1))}, Known, nil},
		{[]Part{part("x", 9, 1, units(tea, 1)), part("x", 3, 1, units(cup, 1))}, Failed, ErrConflict},
		{[]Part{part("y", 1, 1, units(tea, 1)), part("x", 4, 1, units(cup, 1))}, Failed, ErrInvalid},
		{[]Part{part("y", 1, 1, units(tea, 1)), part("y", 1, 1, units(cup, 1))}, Failed, ErrInvalid},
		{[]Part{part("y", 0, 1, units(tea, 1)), part("y", 1, 1, units(cup, 1))}, Failed, ErrInvalid},
		{[]Part{part("y", 1, 1, units(cup, 1), units(tea, 1))}, Failed, ErrInvalid},
		{[]Part{part("y", 1, 1, units(tea, 0))}, Failed, ErrInvalid},
		{[]Part{part("y", 1, 1)}, Failed, ErrInvalid},
		{nil, Failed, ErrInvalid},
		{[]Part{{Hold: Hold{ID: "y", Slot: 1, Note: make([]byte, MaxNoteBytes+1)}, Lines: []Line{units(tea, 1)}}}, Failed, ErrInvalid},
	} {
		got := p.Reserve(l, c.parts, &found)
		if got != c.want || !errors.Is(p.Err(), c.err) || c.err == nil && p.Err() != nil {
			t.Errorf("%+v: got %d, %v, want %d, %v", c.parts, got, p.Err(), c.want, c.err)
		}
		if got == Known && (found.Slot != 0 || found.Lines[0].Held != 3) {
			t.Errorf("known is %+v", found)
		}
	}
	free(tea, 0, 0)
	free(tea, 1, 4)
	free(cup, 1, 1)
	if state := do(t, l, Change{Verb: history.Canceled, ID: "x", Part: 2}); state != Canceled {
		t.Error(state)
	}
	free(tea, 0, 2)
	if l.Find("x", &found); found.State != Held {
		t.Errorf("the other part is %v", found.State)
	}
	p.Reset()
	var c Claim
	table := l.Table()
	h := Hold{ID: "z", Slot: 1, Note: make([]byte, MaxNoteBytes+1)}
	if !c.Bind(l, table, []Line{units(tea, 1)}) || c.Reserve(table.Space.Number(1), &h, &found) != Failed || !errors.Is(c.Err(), ErrInvalid) {
		t.Errorf("a note too long: %v", c.Err())
	}
	free(tea, 1, 4)
}

// TestPartsFillTables puts so many parts into the book that its tables grow while
// several are locked.
func TestPartsFillTables(t *testing.T) {
	const orders, each = 3000, 7
	l := floorOf(t, 1, 0, roomy)
	tea := received(t, l, "a", 0, "tea", orders*each)
	var p Parts
	var found Entry
	for i := range orders {
		var parts []Part
		for j := range each {
			parts = append(parts, part(fmt.Sprint(i), 1+j, 0, units(tea, 1)))
		}
		if how := p.Reserve(l, parts, &found); how != Done {
			t.Fatal(how, p.Err())
		}
	}
	for i := range orders {
		for j := range each {
			if !l.FindPart(fmt.Sprint(i), 1+j, &found) || found.Lines[0].Held != 1 {
				t.Fatalf("part %d of %d: %+v", j, i, found)
			}
		}
	}
	if live, _ := l.state.Book.Len(); live != orders*each || l.Available(tea, 0).Available != 0 {
		t.Errorf("%d live, %+v", live, l.Available(tea, 0))
	}
}

// TestRerouteIsRefused names the refusals; nothing is changed by any of them.
func TestRerouteIsRefused(t *testing.T) {
	l := floorOf(t, 3, 0, roomy)
	tea := received(t, l, "a", 0, "tea", 12)
	received(t, l, "b", 1, "tea", 2)
	for id, verbs := range map[string][]history.Kind{"held": nil, "ready": {history.Confirmed, history.Ready}, "ended": {history.Canceled},
		"partly": {history.Confirmed}, "two": nil} {
		if how, _ := reserve(l, id, 1, 0, units(tea, 2)); how != Done {
			t.Fatal(how)
		}
		for _, verb := range verbs {
			do(t, l, Change{Verb: verb, ID: id, Deadline: 1000})
		}
	}
	do(t, l, Change{Verb: history.ShortPicked, ID: "partly", Lines: []Line{units(tea, 1)}})
	before := l.Available(tea, 0)
	to := func(number uint8, slot uint32, lines ...Line) Part {
		return Part{Hold: Hold{Part: number, Slot: slot}, Lines: lines}
	}
	var p Parts
	var found Entry
	if how := p.Reroute(l, &Reroute{ID: "two", Lines: []Line{units(tea, 1)}, To: to(2, 0, units(tea, 1))}, &found); how != Done {
		t.Fatal(how, p.Err())
	}
	for name, c := range map[string]struct {
		r    Reroute
		want int
		err  error
	}{
		"short":                 {Reroute{ID: "held", To: to(0, 2, units(tea, 2))}, 0, nil},
		"what is kept":          {Reroute{ID: "held", To: to(0, 1, Line{SKU: tea, Quantity: 2, Keep: 1})}, 0, nil},
		"there":                 {Reroute{ID: "held", To: to(0, 0, units(tea, 2))}, Known, nil},
		"the part is there":     {Reroute{ID: "two", To: to(2, 1, units(tea, 1))}, Known, nil},
		"unknown":               {Reroute{ID: "none", To: to(0, 1, units(tea, 1))}, Failed, ErrNotFound},
		"nowhere":               {Reroute{ID: "held", To: to(0, 7, units(tea, 2))}, Failed, ErrUnknownLocation},
		"ready":                 {Reroute{ID: "ready", To: to(0, 1, units(tea, 2))}, Failed, ErrState},
		"ended":                 {Reroute{ID: "ended", To: to(0, 1, units(tea, 2))}, Failed, ErrEnded},
		"ended and not missing": {Reroute{ID: "ended", Missing: true, To: to(2, 1, units(tea, 1))}, Failed, ErrState},
		"not all":               {Reroute{ID: "held", Lines: []Line{units(tea, 1)}, To: to(0, 1, units(tea, 1))}, Failed, ErrInvalid},
		"other lines":           {Reroute{ID: "held", To: to(0, 1, units(tea, 1))}, Failed, ErrInvalid},
		"partly missing":        {Reroute{ID: "partly", To: to(0, 1, units(tea, 1))}, Failed, ErrState},
		"more than there is":    {Reroute{ID: "held", Lines: []Line{units(tea, 3)}, To: to(2, 1, units(tea, 2))}, Failed, ErrShortage},
		"missing in place":      {Reroute{ID: "partly", Missing: true, To: to(0, 1, units(tea, 1))}, Failed, ErrInvalid},
		"itself":                {Reroute{ID: "held", To: to(1, 1, units(tea, 1))}, Failed, ErrInvalid},
		"its own part":          {Reroute{ID: "two", Part: 2, To: to(2, 1, units(tea, 1))}, Failed, ErrInvalid},
		"no such part":          {Reroute{ID: "two", Part: 3, To: to(4, 1, units(tea, 1))}, Failed, ErrNotFound},
		"no lines":              {Reroute{ID: "held", To: to(0, 1)}, Failed, ErrInvalid},
	} {
		if got := p.Reroute(l, &c.r, &found); got != c.want || !errors.Is(p.Err(), c.err) || c.err == nil && p.Err() != nil {
			t.Errorf("%s: got %d, %v, want %d, %v", name, got, p.Err(), c.want, c.err)
		}
	}
	if after := l.Available(tea, 0); after != before || l.Available(tea, 1).Available != 2 {
		t.Errorf("at first %+v, then %+v", before, after)
	}
	// What was not found is served from elsewhere, and what is left ends by itself.
	r := Reroute{ID: "partly", Missing: true, To: to(2, 1, units(tea, 1))}
	if got := p.Reroute(l, &r, &found); got != Done || found.Lines[0].Missing != 0 || found.Lines[0].Rerouted != 1 || found.State != Confirmed {
		t.Errorf("%d %v %+v", got, p.Err(), found)
	}
	if l.FindPart("partly", 2, &found); found.State != Confirmed || found.From != 1 || found.Parts != 2 {
		t.Errorf("%+v", found)
	}
}

// TestPastsAreRecovered writes everything that only some reservations have, and
// notes, and reads it again: from the journal, and from a snapshot.
func TestPastsAreRecovered(t *testing.T) {
	disk := faultdisk.New(1)
	l := onDisk(t, disk, 0)
	tea := received(t, l, "a", 0, "tea", 9)
	received(t, l, "b", 1, "tea", 9)
	var p Parts
	var found Entry
	note := bytes.Repeat([]byte{0, 255}, MaxNoteBytes/2)
	parts := []Part{part("x", 1, 0, units(tea, 2)), part("x", 2, 1, units(tea, 1))}
	parts[0].Note = note
	if how := p.Reserve(l, parts, &found); how != Done {
		t.Fatal(how, p.Err())
	}
	do(t, l, Change{Verb: history.Confirmed, ID: "x"})
	do(t, l, Change{Verb: history.Accepted, ID: "x"})
	for range math.MaxUint8 + 3 {
		do(t, l, Change{Verb: history.Rejected, ID: "x", Part: 1, Cause: history.ByStore})
	}
	r := Reroute{ID: "x", Lines: []Line{units(tea, 1)}, To: part("x", 3, 1, units(tea, 1))}
	if how := p.Reroute(l, &r, &found); how != Done {
		t.Fatal(how, p.Err())
	}
	_, err := l.SetNotes(5, Note{Key: "b", Value: []byte("1")}, Note{Key: "a", Value: []byte("2")}, Note{Key: "b", Value: []byte("3")}, Note{Key: "c", Value: []byte("4")}, Note{Key: "c", Value: nil})
	mustDo(t, err)
	if _, err := l.SetNotes(5, Note{Key: "z", Value: []byte("1")}, Note{Key: "", Value: nil}); !errors.Is(err, ErrInvalid) || l.Note("z") != nil {
		t.Errorf("a note without a key: %v", err)
	}
	want := allOf(l)
	if e := want[PartName("x", 1)]; !strings.Contains(e, "Parts:3 From:0 Rejects:255") {
		t.Errorf("%s", e)
	}
	for name, how := range map[string]func(){"the journal": func() {}, "a snapshot": func() { mustDo(t, l.Snapshot(t.Context(), 9)) }} {
		mustDo(t, l.queue.Step())
		how()
		mustDo(t, l.Close())
		disk = disk.Kill()
		l = onDisk(t, disk, 0)
		if got := allOf(l); !maps.Equal(got, want) {
			t.Errorf("from %s: %v, want %v", name, got, want)
		}
		if got := string(l.Note("a")) + string(l.Note("b")) + string(l.Note("c")); got != "23" {
			t.Errorf("from %s: notes %q", name, got)
		}
	}
	mustDo(t, l.Close())
}

// allOf spells every reservation.
func allOf(l *Ledger) map[Name]string {
	all := map[Name]string{}
	for id, e := range l.All() {
		all[PartName(id, e.Part)] = fmt.Sprintf("%+v", *e)
	}
	return all
}
