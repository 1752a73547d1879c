package allocator

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/clickcollect/clickcollect/allocator/sourcing"
)

// from is an order of a channel.
func from(channel, id string, lines ...Line) Order {
	o := ordered(id, lines...)
	o.Channel = channel
	return o
}

// open is how many units a channel may take.
func open(t testing.TB, a *Allocator, channel, sku, location string, want int64) {
	t.Helper()
	got, err := a.Stock().AvailableTo(channel, sku, location)
	must(t, err)
	if got != want {
		t.Fatalf("channel %q may take %d %s at %s, want %d", channel, got, sku, location, want)
	}
}

func TestProtectionPrecedence(t *testing.T) {
	a := street(t, 2, Options{})
	for _, at := range []string{"L0", "L1"} {
		stocked(t, a, at, "tea", 100)
		stocked(t, a, at, "cup", 100)
	}
	// From the widest to the narrowest: each one decides alone, whether it is higher
	// or lower than the one before.
	for i, p := range []Protection{
		{}, {Location: "L0"}, {SKU: "tea"}, {SKU: "tea", Location: "L0"},
		{Channel: "web"}, {Channel: "web", Location: "L0"}, {Channel: "web", SKU: "tea"}, {Channel: "web", SKU: "tea", Location: "L0"},
	} {
		p.Units = []int64{50, 40, 60, 30, 70, 20, 80, 10}[i]
		must(t, a.SetProtection(t.Context(), p))
		open(t, a, "web", "tea", "L0", 100-p.Units)
	}
	open(t, a, "web", "tea", "L1", 20)
	open(t, a, "web", "cup", "L0", 80)
	open(t, a, "web", "cup", "L1", 30)
	open(t, a, "app", "tea", "L0", 70)
	open(t, a, "app", "tea", "L1", 40)
	open(t, a, "", "cup", "L0", 60)
	open(t, a, "", "cup", "L1", 50)
	want := []Protection{
		{Units: 50}, {Location: "L0", Units: 40}, {SKU: "tea", Units: 60}, {SKU: "tea", Location: "L0", Units: 30},
		{Channel: "web", Units: 70}, {Channel: "web", Location: "L0", Units: 20},
		{Channel: "web", SKU: "tea", Units: 80}, {Channel: "web", SKU: "tea", Location: "L0", Units: 10},
	}
	if got := slices.Collect(a.Protections()); !slices.Equal(got, want) {
		t.Errorf("got %+v", got)
	}
	for _, p := range slices.Backward(want) {
		p.Units, p.Unset = 0, true
		must(t, a.SetProtection(t.Context(), p))
	}
	open(t, a, "web", "tea", "L0", 100)
	if got := slices.Collect(a.Protections()); len(got) != 0 || a.channels.LevelsOf("web") != nil || a.channels.LevelsOf("") != nil {
		t.Errorf("left over: %+v", got)
	}
}

func TestProtectionNested(t *testing.T) {
	for _, planned := range []bool{false, true} {
		t.Run(fmt.Sprintf("planned=%v", planned), func(t *testing.T) {
			a := street(t, 1, Options{})
			stocked(t, a, "L0", "tea", 30)
			must(t, a.SetProtection(t.Context(), Protection{Channel: "C2", Units: 5}, Protection{Channel: "C3", Units: 20}))
			if planned {
				plannedAll(t, a)
			}
			n := 0
			take := func(channel string, units int64, ok bool) {
				t.Helper()
				n++
				_, err := a.Allocate(t.Context(), from(channel, fmt.Sprint(n), Line{"tea", units}))
				if ok == (err != nil) || err != nil && !errors.Is(err, ErrNoLocation) {
					t.Fatalf("%s, %d units: %v", channel, units, err)
				}
			}
			take("C3", 11, false)
			take("C3", 10, true)
			take("C3", 1, false)
			take("C2", 16, false)
			take("C2", 15, true)
			take("C2", 1, false)
			take("C1", 6, false)
			take("", 1, true)
			take("C1", 4, true)
			take("C1", 1, false)
			shelf(t, a, "L0", "tea", 30, 30, 0)
		})
	}
}

// A shop keeps its last units for people who walk in; its own desk and the till
// are no channel of the web.
func TestProtectionOfWalkIns(t *testing.T) {
	a := street(t, 2, Options{})
	stocked(t, a, "L0", "tea", 3)
	stocked(t, a, "L1", "tea", 3)
	must(t, a.SetProtection(t.Context(), Protection{Location: "L0", Units: 3}, Protection{Channel: "desk", Units: 0}))
	allocated(t, a, from("web", "w", Line{"tea", 1}), "L1")
	_, err := a.Allocate(t.Context(), Order{ID: "at", At: "L0", Channel: "web", Lines: []Line{{"tea", 1}}})
	refused(t, err, ErrNoLocation, `allocator: order "at": no location can fill the order: 0 short, 0 too far, 0 of another kind, 0 outside the service area, 1 for other reasons; nearest: "L0" 0.0 km `+
		sourcing.Protected.String()+` of SKU "tea"`)
	allocated(t, a, from("desk", "d", Line{"tea", 1}), "L0")
	must(t, a.Sell(t.Context(), Sale{ID: "till", Location: "L0", Lines: []Line{{"tea", 2}}}))
	shelf(t, a, "L0", "tea", 1, 1, 0)
}

func TestSetProtectionRefusals(t *testing.T) {
	a := street(t, 1, Options{})
	stocked(t, a, "L0", "tea", 3)
	must(t, a.SetProtection(t.Context(), Protection{Channel: "web", Units: 1}))
	good := Protection{Channel: "app", Units: 2}
	for _, c := range []struct {
		p    Protection
		fact error
		text string
	}{
		{Protection{Units: -1}, ErrInvalid, `invalid levels[1].Units -1: must be 0 to 2147483647`},
		{Protection{Units: tooMuch}, ErrInvalid, `invalid levels[1].Units 2147483648: must be 0 to 2147483647`},
		{Protection{Units: 1, Unset: true}, ErrInvalid, `invalid levels[1].Units 1: must be 0 with Unset`},
		{Protection{Channel: "a\x00b"}, ErrInvalid, `invalid levels[1].Channel "a\x00b": must not have a zero byte`},
		{Protection{SKU: "hat"}, ErrUnknownSKU, `unknown SKU: "hat"`},
		{Protection{Location: "L9"}, ErrUnknownLocation, `unknown location: "L9"`},
	} {
		err := a.SetProtection(t.Context(), good, c.p)
		if err == nil || !errors.Is(err, c.fact) {
			t.Errorf("%+v: %v", c.p, err)
		} else if text, _ := strings.CutPrefix(err.Error(), "allocator: set protection: "); text != c.text {
			t.Errorf("%+v:\n got %s\nwant %s", c.p, text, c.text)
		}
	}
	open(t, a, "app", "tea", "L0", 3)
	open(t, a, "web", "tea", "L0", 2)
	must(t, a.SetProtection(t.Context(), good, Protection{Channel: "app", Units: 3})) // the later counts
	open(t, a, "app", "tea", "L0", 0)
}

// Levels are read back, and so is what they are for when names have odd letters.
func TestProtectionRestart(t *testing.T) {
	o := Options{Dir: t.TempDir()}
	set := []Protection{
		{Units: 1}, {Location: "L/0 %", Units: 2}, {SKU: "tea/green", Units: 0}, {SKU: "tea/green", Location: "L/0 %", Units: 4},
		{Channel: "wéb/1", Units: 5}, {Channel: "wéb/1", SKU: "tea/green", Units: 6}, {Channel: "wéb/1", SKU: "tea/green", Location: "L/0 %", Units: 7},
	}
	for round := range 3 {
		a, err := Open(t.Context(), o)
		must(t, err)
		if round == 0 {
			must(t, a.SetLocations(t.Context(), Location{ID: "L/0 %", Point: streetPoint(0)}))
			stocked(t, a, "L/0 %", "tea/green", 10)
			must(t, a.SetProtection(t.Context(), set...))
		}
		if got := slices.Collect(a.Protections()); !slices.Equal(got, set) {
			t.Fatalf("round %d: got %+v", round, got)
		}
		open(t, a, "wéb/1", "tea/green", "L/0 %", 3)
		open(t, a, "app", "tea/green", "L/0 %", 6)
		if round == 1 {
			must(t, a.Snapshot(t.Context()))
		}
		must(t, a.Close())
	}
}

// levelTwin is the levels as a list, looked through by the rule as it is written.
type levelTwin []Protection

func (w levelTwin) of(channel, sku, location string) int64 {
	for _, c := range []string{channel, ""} {
		for _, sc := range [][2]string{{sku, location}, {sku, ""}, {"", location}, {"", ""}} {
			for _, p := range slices.Backward(w) {
				if p.Channel == c && p.SKU == sc[0] && p.Location == sc[1] {
					if !p.Unset {
						return p.Units
					}
					break
				}
			}
		}
	}
	return 0
}

func TestProtectionEqualsTwin(t *testing.T) {
	const locations = 700 // more than two notes
	a := street(t, locations, Options{})
	skus, channels := []string{"a", "b", "c"}, []string{"", "x", "y", "z"}
	for _, sku := range skus {
		stocked(t, a, "L0", sku, 1)
	}
	r := rand.New(rand.NewPCG(4, 7))
	var twin levelTwin
	place := func() string {
		if r.IntN(3) == 0 {
			return ""
		}
		return fmt.Sprintf("L%d", r.IntN(20)*37%locations)
	}
	for range 40 {
		var set []Protection
		for range r.IntN(30) {
			p := Protection{Channel: channels[r.IntN(4)], Location: place(), Unset: r.IntN(4) == 0}
			if r.IntN(3) > 0 {
				p.SKU = skus[r.IntN(3)]
			}
			if !p.Unset {
				p.Units = r.Int64N(1000)
			}
			set = append(set, p)
		}
		must(t, a.SetProtection(t.Context(), set...))
		twin = append(twin, set...)
		for range 200 {
			channel, sku, location := channels[r.IntN(4)], skus[r.IntN(3)], fmt.Sprintf("L%d", r.IntN(20)*37%locations)
			handle, _ := a.ledger.SKU(sku)
			slot, _ := a.ledger.Slot(location)
			if got, want := a.channels.LevelsOf(channel).Of(handle, slot), twin.of(channel, sku, location); got != want {
				t.Fatalf("%s %s %s: got %d, want %d", channel, sku, location, got, want)
			}
		}
	}
}

// What is kept for others is told as that by everything that says why: by a refusal of the
// hot path, by one of a plan, and by what asks without ordering.
func TestProtectionIsTold(t *testing.T) {
	a := street(t, 2, Options{})
	stocked(t, a, "L0", "tea", 3)
	must(t, a.SetProtection(t.Context(), Protection{SKU: "tea", Units: 3}))
	hot, planned := ordered("hot", Line{"tea", 1}), ordered("planned", Line{"tea", 1})
	planned.Partial = true
	for _, o := range []Order{hot, planned} {
		_, err := a.Allocate(t.Context(), o)
		none := as[*NoLocationError](t, err)
		asked, err := a.Explain(o)
		must(t, err)
		for what, e := range map[string]sourcing.Explanation{"the refusal": none.Explain(), "Explain": asked} {
			if len(e.Rejected) != 2 || e.Rejected[0].Reason != sourcing.Protected || e.Rejected[0].Detail != "tea" || e.Rejected[1].Reason != sourcing.Short {
				t.Errorf("%s: %s says %v", o.ID, what, e)
			}
		}
		if c := none.Candidates(); len(c) != 2 || c[0].Reason != sourcing.Protected || c[0].SKU != "tea" || c[1].Reason != sourcing.Short {
			t.Errorf("%s: the refusal names %+v", o.ID, c)
		}
		if c := none.Counts(); c != (ReasonCounts{Short: 1, Other: 1}) {
			t.Errorf("%s: the refusal counts %+v", o.ID, c)
		}
	}
}
