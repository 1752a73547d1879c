package channels

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/clickcollect/clickcollect/reservation"
	"github.com/clickcollect/clickcollect/reservation/history"
	"pgregory.net/rapid"
)

// locations are more than two notes have.
const locations = 600

// world is channels of a new ledger with some SKUs and locations.
func world(t testing.TB, skus ...string) (*Channels, *reservation.Ledger) {
	t.Helper()
	l := reservation.New(reservation.Options{SKUs: 1000, Locations: locations + 10, Remember: 1000})
	t.Cleanup(func() { _ = l.Close() })
	order := make([]uint32, locations)
	for i := range order {
		slot, _, err := l.AddSlot(fmt.Sprint("L", i), nil, 1)
		if err != nil {
			t.Fatal(err)
		}
		order[i] = slot
	}
	l.Renumber(order, 8, func(*reservation.Table) {})
	for _, sku := range skus {
		receive(t, l, sku, 0, 20)
	}
	c, err := Open(l)
	if err != nil {
		t.Fatal(err)
	}
	return c, l
}

func receive(t testing.TB, l *reservation.Ledger, sku string, slot uint32, units int64) {
	t.Helper()
	m := reservation.Movement{ID: fmt.Sprint("in", sku, slot), Cause: history.Received, Slot: slot, Now: 1, Lines: []reservation.MovementLine{{SKU: sku, Units: units}}}
	if _, err := l.Move(&m); err != nil {
		t.Fatal(err)
	}
}

func set(t testing.TB, c *Channels, list ...Level) {
	t.Helper()
	change, err := c.SetLevels(list)
	if err != nil {
		t.Fatal(err)
	}
	defer change.End()
	if _, err := change.Write(2); err != nil {
		t.Fatal(err)
	}
}

// key is what a level is for.
type key struct {
	channel   string
	sku, slot uint32
}

// plain is levels in a map, looked up by the rule as it is written.
type plain map[key]int64

func (p plain) of(channel string, sku, slot uint32) int64 {
	for _, c := range []string{channel, ""} {
		for _, k := range []key{{c, sku, slot}, {c, sku, reservation.Everywhere}, {c, reservation.EverySKU, slot}, {c, reservation.EverySKU, reservation.Everywhere}} {
			if units, ok := p[k]; ok {
				return units
			}
		}
	}
	return 0
}

// TestLevelsAsTheTwin sets and withdraws levels against the twin, and opens the room
// anew in between.
func TestLevelsAsTheTwin(t *testing.T) {
	c, l := world(t, "a", "b/ü%")
	rapid.Check(t, func(r *rapid.T) {
		twin := plain{}
		var all []Level
		for _, v := range c.Levels() { // of the check before
			v.Units, v.Unset = 0, true
			all = append(all, v)
		}
		set(t, c, all...)
		channel := rapid.SampledFrom([]string{"", "web", "wéb/1", "%"})
		sku := rapid.SampledFrom([]uint32{0, 1, reservation.EverySKU})
		slot := rapid.SampledFrom([]uint32{0, 1, 255, 256, 599, reservation.Everywhere})
		for range rapid.IntRange(1, 12).Draw(r, "changes") {
			var list []Level
			for range rapid.IntRange(0, 5).Draw(r, "levels") {
				v := Level{Channel: channel.Draw(r, "channel"), SKU: sku.Draw(r, "SKU"), Slot: slot.Draw(r, "slot"), Unset: rapid.Bool().Draw(r, "unset")}
				if v.Unset {
					delete(twin, key{v.Channel, v.SKU, v.Slot})
				} else {
					v.Units = rapid.Int64Range(0, reservation.MaxQuantity).Draw(r, "units")
					twin[key{v.Channel, v.SKU, v.Slot}] = v.Units
				}
				list = append(list, v)
			}
			set(t, c, list...)
			if rapid.Bool().Draw(r, "anew") {
				var err error
				if c, err = Open(l); err != nil {
					r.Fatal(err)
				}
			}
			compare(r, c, twin)
		}
	})
}

func compare(r *rapid.T, c *Channels, twin plain) {
	is := map[key]int64{}
	for _, v := range c.Levels() {
		is[key{v.Channel, v.SKU, v.Slot}] = v.Units
	}
	if !maps.Equal(is, twin) {
		r.Fatalf("set is %v, the twin has %v", is, twin)
	}
	for _, channel := range []string{"", "web", "wéb/1", "%", "other"} {
		levels := c.LevelsOf(channel)
		for _, sku := range []uint32{0, 1} {
			for _, slot := range []uint32{0, 1, 2, 255, 256, 599} {
				if got, want := levels.Of(sku, slot), twin.of(channel, sku, slot); got != want {
					r.Fatalf("%q, SKU %d at %d: %d, the twin says %d", channel, sku, slot, got, want)
				}
			}
		}
	}
}

// TestLevelGoesWithItsLocation removes a location: what was set for it is not listed,
// and does not count for the one that comes under its ID.
func TestLevelGoesWithItsLocation(t *testing.T) {
	c, l := world(t, "a")
	set(t, c, Level{Slot: 7, SKU: reservation.EverySKU, Units: 3}, Level{Slot: 8, SKU: 0, Units: 4})
	if _, err := l.Remove(7, 3, func() {}); err != nil {
		t.Fatal(err)
	}
	slot, _, err := l.AddSlot("L7", nil, 4)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := c.Levels(), []Level{{Slot: 8, SKU: 0, Units: 4}}; !slices.Equal(got, want) {
		t.Errorf("%+v", got)
	}
	if units := c.LevelsOf("x").Of(0, slot); units != 0 {
		t.Errorf("%d units are protected at the new location", units)
	}
}

// shelf is what is at one location, by channel; "" is what is there for everybody.
type shelf struct {
	free map[string]int64
	lent map[[2]string]int64
}

// TestQuotasAsTheTwin sets units aside, lends them and gives them back against a map.
func TestQuotasAsTheTwin(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		c, l := world(t, "tea")
		w := shelf{map[string]int64{"": 20}, map[[2]string]int64{}}
		channels := []string{"", "web", "app"}
		for step := range rapid.IntRange(1, 30).Draw(r, "steps") {
			m := reservation.Movement{ID: fmt.Sprint("m", step), Slot: 0, Now: 2}
			from := rapid.SampledFrom(channels).Draw(r, "from")
			to := rapid.SampledFrom(channels[1:]).Draw(r, "to")
			ok := true
			if rapid.Bool().Draw(r, "quota") {
				units := rapid.Int64Range(0, 25).Draw(r, "units")
				SetAside(&m, "tea", to, units)
				if by := units - w.free[to]; by <= w.free[""] {
					w.free[""], w.free[to] = w.free[""]-by, units
				} else {
					ok = false
				}
			} else {
				if from == to {
					continue
				}
				units := rapid.Int64Range(1, 12).Draw(r, "units")
				loan := [2]string{from, to}
				if rapid.Bool().Draw(r, "back") {
					units = -units
				}
				Lend(&m, "tea", from, to, units)
				ok = w.free[from] >= units && w.free[to] >= -units && w.lent[loan] >= -units
				if ok {
					w.free[from], w.free[to], w.lent[loan] = w.free[from]-units, w.free[to]+units, w.lent[loan]+units
				}
			}
			_, err := c.Move(&m, "tea")
			var short *reservation.ShortageError
			if (err == nil) != ok || !ok && (!errors.As(err, &short) || short.SKU != "tea" || short.Location != "L0") {
				r.Fatalf("%+v: %v, the twin says %v of %+v", m, err, ok, w)
			}
			w.check(r, c, l)
		}
	})
}

func (w *shelf) check(r *rapid.T, c *Channels, l *reservation.Ledger) {
	if own := l.Available(0, 0).Available; own != w.free[""] {
		r.Fatalf("%d are there for everybody, the twin has %d", own, w.free[""])
	}
	fresh, err := Open(l)
	if err != nil {
		r.Fatal(err)
	}
	asides, loans := map[string]int64{"": w.free[""]}, map[[2]string]int64{}
	for v := range c.Quotas() {
		asides[v.Channel] = v.Available
		if v.SKU != "tea" || v.Slot != 0 || !c.HasQuotas(v.Channel) || !fresh.HasQuotas(v.Channel) || !c.Known(v.Channel) || !c.HasQuotasOf(0) {
			r.Fatalf("%+v is not known", v)
		}
		if handle, ok := c.Quota(v.Channel, 0); !ok || l.Available(handle, 0).Available != v.Available {
			r.Fatalf("%+v is not found", v)
		}
	}
	for v := range c.Loans() {
		loans[[2]string{v.From, v.To}] = v.Units
	}
	for _, m := range []map[string]int64{w.free, asides} {
		maps.DeleteFunc(m, func(channel string, units int64) bool { return units == 0 && channel != "" })
	}
	maps.DeleteFunc(w.lent, func(_ [2]string, units int64) bool { return units == 0 })
	if !maps.Equal(asides, w.free) || !maps.Equal(loans, w.lent) {
		r.Fatalf("%v and %v, the twin has %v and %v", asides, loans, w.free, w.lent)
	}
}

// TestStoredForm holds the notes and names: they are in the journals of every version.
func TestStoredForm(t *testing.T) {
	c, l := world(t, "a", "b/ü%")
	set(t, c, Level{Channel: "wéb/1", SKU: 1, Slot: 258, Units: 300}, Level{Channel: "wéb/1", SKU: 1, Slot: 256, Units: 1},
		Level{SKU: reservation.EverySKU, Slot: reservation.Everywhere, Units: 5})
	want := map[string]string{
		"channels/protection/w%C3%A9b%2F1/b%2F%C3%BC%25/1": "\x01\x00\x01\x02\xac\x02",
		"channels/protection///*":                          "\x01\x00\x05",
	}
	got := map[string]string{}
	for note := range l.Notes("") {
		got[note.Key] = string(note.Value)
	}
	if !maps.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if got := loanName("tea", "", "web"); got != "\x00btea\x00\x00web" {
		t.Errorf("%q", got)
	}
	for _, name := range []string{"tea", "\x00btea", "\x00btea\x00a", "\x00btea\x00a\x00b\x00c", "\x00w1/1"} {
		if _, _, _, ok := takeLoanName(name); ok {
			t.Errorf("%q is taken for a loan", name)
		}
	}
}

// TestDamagedNotes opens ledgers whose notes say nothing, or more than this version
// knows.
func TestDamagedNotes(t *testing.T) {
	for _, k := range []struct {
		note reservation.Note
		want error
	}{
		{reservation.Note{Key: noteArea + "web/a/0", Value: []byte{2, 0, 0}}, reservation.ErrNewer},
		{reservation.Note{Key: noteArea + "web/a/0", Value: []byte{1, 0}}, reservation.ErrCorrupt},
		{reservation.Note{Key: noteArea + "web/a/0", Value: []byte{1, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}}, reservation.ErrCorrupt},
		{reservation.Note{Key: noteArea + "web/nothing/0", Value: []byte{1, 0, 0}}, reservation.ErrCorrupt},
		{reservation.Note{Key: noteArea + "web/a", Value: []byte{1, 0, 0}}, reservation.ErrCorrupt},
		{reservation.Note{Key: noteArea + "web/a/x", Value: []byte{1, 0, 0}}, reservation.ErrCorrupt},
		{reservation.Note{Key: noteArea + "web/%zz/0", Value: []byte{1, 0, 0}}, reservation.ErrCorrupt},
	} {
		_, l := world(t, "a")
		if _, err := l.SetNotes(2, k.note); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(l); !errors.Is(err, k.want) {
			t.Errorf("%q: %v, want %v", k.note, err, k.want)
		}
	}
}
