package cooldown_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/clickcollect/clickcollect/allocator/internal/cooldown"
	"github.com/clickcollect/clickcollect/bench/scaletest"
	"github.com/clickcollect/clickcollect/reservation"
	"github.com/clickcollect/clickcollect/reservation/history"
	"pgregory.net/rapid"
)

const skus, slots = 3, 3

// world is a new ledger with SKUs and locations, which have their numbers as handles.
func world(t testing.TB) *reservation.Ledger {
	t.Helper()
	l := reservation.New(reservation.Options{SKUs: skus, Locations: slots, Remember: 1000})
	t.Cleanup(func() { _ = l.Close() })
	var all []uint32
	for n := range slots {
		slot, _, err := l.AddSlot(fmt.Sprint("L", n), nil, 1)
		if err != nil || slot != uint32(n) {
			t.Fatal(slot, err)
		}
		all = append(all, slot)
	}
	l.Renumber(all, slots, func(*reservation.Table) {})
	for n := range skus {
		m := reservation.Movement{ID: fmt.Sprint("in ", n), Cause: history.Received, Now: 1, Lines: []reservation.MovementLine{{SKU: fmt.Sprint("S", n), Units: 1}}}
		if _, err := l.Move(&m); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

func open(t testing.TB, l *reservation.Ledger) *cooldown.Cooldowns {
	t.Helper()
	c, err := cooldown.Open(l)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestAgainstAMap begins cool-downs, lets time pass and opens the room anew, against a
// map of the times until which each counts. What is past is in no note of a location
// once another one has begun.
func TestAgainstAMap(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		l := world(t)
		c, now, model := open(t, l), int64(1), map[[2]uint32]int64{}
		r.Repeat(map[string]func(*rapid.T){
			"begin": func(*rapid.T) {
				slot, until := rapid.Uint32Range(0, slots-1).Draw(r, "slot"), now+rapid.Int64Range(1, 5).Draw(r, "span")
				var lines []reservation.Line
				for _, sku := range rapid.SliceOfNDistinct(rapid.Uint32Range(0, skus-1), 1, skus, rapid.ID).Draw(r, "SKUs") {
					lines = append(lines, reservation.Line{SKU: sku, Quantity: 1})
					at := [2]uint32{sku, slot}
					model[at] = max(model[at], until)
				}
				if _, err := c.Begin(slot, lines, now, until); err != nil {
					r.Fatal(err)
				}
				there := map[string]bool{}
				for at, until := range model {
					if until > now {
						there[fmt.Sprint("cool/L", at[1])] = true
					}
				}
				for note := range l.Notes("cool/") {
					if !there[note.Key] {
						r.Fatalf("at %d there is the note %q of what is past", now, note.Key)
					}
				}
			},
			"time":  func(*rapid.T) { now += rapid.Int64Range(1, 3).Draw(r, "passes") },
			"again": func(*rapid.T) { c = open(t, l) },
			"": func(*rapid.T) {
				any := false
				for sku := range uint32(skus) {
					for slot := range uint32(slots) {
						want := model[[2]uint32{sku, slot}] > now
						any = any || want
						if got := c.Cooling(sku, slot, now); got != want {
							r.Fatalf("at %d, S%d at L%d: %v", now, sku, slot, got)
						}
					}
				}
				if c.Any(now) != any {
					r.Fatalf("at %d: any %v", now, !any)
				}
			},
		})
	})
}

// TestStoredForm has the bytes of a note, and refuses those of no version so far.
func TestStoredForm(t *testing.T) {
	l := world(t)
	if _, err := open(t, l).Begin(2, []reservation.Line{{SKU: 1, Quantity: 7}, {SKU: 0, Quantity: 1}}, 1, 300); err != nil {
		t.Fatal(err)
	}
	for note := range l.Notes("cool/") {
		if note.Key != "cool/L2" || string(note.Value) != "\x01\x02S0\xac\x02\x02S1\xac\x02" {
			t.Errorf("%q: %q", note.Key, note.Value)
		}
	}
	for value, want := range map[string]error{"\x02": reservation.ErrNewer, "\x01\x05S0": reservation.ErrCorrupt, "\x01\x02S0": reservation.ErrCorrupt} {
		if _, err := l.SetNotes(2, reservation.Note{Key: "cool/L2", Value: []byte(value)}); err != nil {
			t.Fatal(err)
		}
		if _, err := cooldown.Open(l); !errors.Is(err, want) {
			t.Errorf("%q: %v", value, err)
		}
	}
	if _, err := l.SetNotes(3, reservation.Note{Key: "cool/gone", Value: []byte("\x01\x02S0\x09")}, reservation.Note{Key: "cool/L2", Value: []byte("\x01\x03new\x09")}); err != nil {
		t.Fatal(err)
	}
	if open(t, l).Any(1) {
		t.Error("what is of no location, or of no SKU, counts")
	}
}

// TestMutantsAreCaught builds the room with each of its deliberate bugs.
func TestMutantsAreCaught(t *testing.T) {
	mutant := func(name, text, instead, test, says string) scaletest.Mutant {
		return scaletest.Mutant{Name: name, Edits: scaletest.Replace("cooldown.go", text, instead), Test: test, Says: says}
	}
	scaletest.Mutants(t,
		mutant("the last one counts", "until = max(until, c.slots[slot][sku])", "_ = slot", "TestAgainstAMap", `at \d+, S\d at L\d: `),
		mutant("what is past stays written down", "if at == slot || len(skus) < size {", "if at == slot && size >= 0 {", "TestAgainstAMap", `there is the note`),
		mutant("it counts to the end of its last moment", "	return until > now\n", "	return until >= now\n", "TestAgainstAMap", `at \d+, S\d at L\d: true`),
	)
}
