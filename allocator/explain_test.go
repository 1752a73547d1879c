package allocator

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clickcollect/clickcollect/allocator/sourcing"
)

// explained checks the explanation of an answer: the reason that it names against
// a location must hold by itself, as the twin sees the world.
func (p *planTwin) explained(got Allocation, err error) error {
	e, why := got.Explain(), (*NoLocationError)(nil)
	if err != nil {
		if !errors.As(err, &why) {
			return err
		}
		e = why.Explain()
		if len(e.Chosen) > 0 {
			return fmt.Errorf("refused, but %s is chosen", e.Chosen[0].Site)
		}
	}
	p.soft = len(p.rules.soft) - len(e.GivenUp)
	if err != nil {
		p.soft = 0
	}
	if err := p.explainedOnce(e); err != nil {
		return err
	}
	for _, r := range e.Rejected {
		at := slices.IndexFunc(p.sites, func(s *planSite) bool { return s.ID == r.Site })
		if at < 0 || !slices.Contains(p.forms, r.Form) {
			return fmt.Errorf("%s, %v: no such location or form", r.Site, r.Form)
		}
		if !p.holds(&r, p.sites[at], e) {
			return fmt.Errorf("%s, %v, is said to be %v (%s), which does not hold\n%v", r.Site, r.Form, r.Reason, r.Detail, e)
		}
	}
	return roundTrip(e)
}

// explainedOnce checks that each location is named once for a form, and that no
// location of a small world is passed over in silence.
func (p *planTwin) explainedOnce(e sourcing.Explanation) error {
	named := map[string]bool{}
	for _, c := range slices.Concat(e.Chosen, e.Rejected) {
		key := fmt.Sprint(c.Site, c.Form)
		if named[key] {
			return fmt.Errorf("%s, %v, is named twice\n%v", c.Site, c.Form, e)
		}
		named[key] = true
	}
	want := 0
	for _, f := range p.forms {
		if f == sourcing.Collect && p.at != nil {
			want++
		} else {
			want += len(p.sites)
		}
	}
	if len(named) < min(want, 20) {
		return fmt.Errorf("%d of %d locations are named\n%v", len(named), want, e)
	}
	return nil
}

// holds says whether a reason alone rules a location out.
func (p *planTwin) holds(r *sourcing.Considered, s *planSite, e sourcing.Explanation) bool {
	all := p.choices(r.Form)
	at := slices.IndexFunc(all, func(c *planChoice) bool { return c.site == s })
	switch r.Reason {
	case sourcing.Short:
		i := slices.IndexFunc(p.wants, func(w planWant) bool { return w.sku == r.Detail && w.form == r.Form })
		return i >= 0 && s.stock[r.Detail] < p.wants[i].units
	case sourcing.ByRule:
		if at < 0 {
			return false
		}
		p.whole(all[at])
		broken := func(f planFilter) bool { return f.filter.Name == r.Detail && !f.pass(&all[at].planView) }
		return slices.ContainsFunc(p.rules.hard, broken) || slices.ContainsFunc(p.rules.soft[:p.soft], broken)
	case sourcing.Outranked:
		if at < 0 || !p.whole(all[at]) || !p.allowed(&all[at].planView) || len(e.Chosen) == 0 {
			return false
		}
		return p.outranked(all, all[at], e)
	case sourcing.Apart:
		return at >= 0 && p.allowed(&all[at].planView) && slices.ContainsFunc(all[at].has, func(n int64) bool { return n > 0 })
	}
	return slices.Contains(planReasons[:], r.Reason) && p.against(r.Reason, s, r.Form)
}

// outranked says whether the choice is better than a location that could have
// filled the order.
func (p *planTwin) outranked(all []*planChoice, c *planChoice, e sourcing.Explanation) bool {
	if len(e.Chosen) > 1 || len(p.forms) > 1 {
		return false // the others are apart
	}
	first := slices.IndexFunc(all, func(c *planChoice) bool { return c.site.ID == e.Chosen[0].Site })
	if first < 0 {
		return false
	}
	if c.form == sourcing.ShipToStore { // the chosen store first, then the least cost
		return all[first].site == p.at || p.whole(all[first]) && all[first].cost <= c.cost
	}
	return p.whole(all[first]) && p.better(&all[first].planView, &c.planView)
}

// roundTrip checks that an explanation says the same after a way as JSON.
func roundTrip(e sourcing.Explanation) error {
	text, err := json.Marshal(e)
	if err != nil {
		return err
	}
	var back sourcing.Explanation
	if err := json.Unmarshal(text, &back); err != nil {
		return err
	}
	again, err := json.Marshal(back)
	if err != nil || !bytes.Equal(text, again) || back.String() != e.String() {
		return fmt.Errorf("as JSON %s, and then %s, %v", text, again, err)
	}
	return nil
}

// TestExplainCatches: an explanation with another reason, or with a location
// twice, is caught.
func TestExplainCatches(t *testing.T) {
	w := newPlanWorld(t, 4)
	a := w.engine(t)
	defer func() { must(t, a.Close()) }()
	reasons, wrong, caught := 0, 0, 0
	for n := range 60 {
		rules := w.rules()
		must(t, a.SetRules(rules.Rules))
		o := w.order(n)
		p := w.twin(o, &rules)
		got, err := a.Quote(o)
		e := got.Explain()
		if err != nil {
			e = as[*NoLocationError](t, err).Explain()
		}
		p.soft = len(rules.soft) - len(e.GivenUp)
		for i, r := range e.Rejected {
			reasons++
			at := slices.IndexFunc(w.sites, func(s *planSite) bool { return s.ID == r.Site })
			for other := sourcing.TooFar; other <= sourcing.Apart; other++ {
				if other != r.Reason && other != sourcing.Outranked && other != sourcing.Apart {
					wrong++
					r.Reason = other
					if !p.holds(&r, w.sites[at], e) {
						caught++
					}
				}
			}
			twice := e
			twice.Rejected = append(slices.Clone(e.Rejected), e.Rejected[i])
			if p.explainedOnce(twice) == nil {
				t.Fatal("a location is named twice")
			}
		}
	}
	if reasons < 50 || caught < wrong*9/10 || caught == wrong {
		t.Errorf("of %d reasons %d wrong ones, %d caught", reasons, wrong, caught)
	}
}

// explainShop is a street of four with hours, at a Monday noon.
func explainShop(t *testing.T) *Allocator {
	noon := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	a := opened(t, Options{Clock: func() time.Time { return noon }})
	must(t, a.SetLocations(t.Context(),
		Location{ID: "Corner", Point: streetPoint(0), Terms: &Terms{Hours: "Mo-Fr 09:00-18:00", Prep: time.Hour}},
		Location{ID: "Market", Point: streetPoint(1), Terms: &Terms{Offline: true}},
		Location{ID: "Station", Point: streetPoint(2), Terms: &Terms{Groups: []string{"small"}}},
		Location{ID: "Depot", Kind: Warehouse, Point: streetPoint(9), Terms: &Terms{Prep: 2 * time.Hour, Forms: []sourcing.Form{sourcing.Collect, sourcing.Ship}}}))
	stocked(t, a, "Corner", "tea", 1)
	stocked(t, a, "Station", "cup", 5)
	stocked(t, a, "Station", "tea", 1)
	stocked(t, a, "Depot", "cup", 5)
	stocked(t, a, "Depot", "tea", 5)
	return a
}

func explains(t *testing.T, e sourcing.Explanation, want string) {
	t.Helper()
	if got := e.String(); got != strings.TrimLeft(want, "\n") {
		t.Errorf("got\n%s\nwant%s", got, want)
	}
}

// What a franchisee owns is not sent, in no form, also after a restart; his own
// customers collect it, also those of a ship-to-store order that chose his store; and a
// reroute does not send it either.
func TestForeignGoodsAreNotSent(t *testing.T) {
	o := Options{Dir: t.TempDir(), SegmentBytes: 64 << 10,
		Rules: sourcing.Rules{Hard: []sourcing.Filter{sourcing.OwnedBy("").For(sourcing.Ship, sourcing.ShipToStore)}}}
	a := opened(t, o)
	must(t, a.SetLocations(t.Context(),
		Location{ID: "Nowak", Point: streetPoint(0), Terms: &Terms{Owner: "Nowak & Sons"}},
		Location{ID: "Corner", Point: streetPoint(1)},
		Location{ID: "Depot", Kind: Warehouse, Point: streetPoint(9)}))
	stocked(t, a, "Nowak", "tea", 50)
	stocked(t, a, "Depot", "tea", 50)
	shape := func(id string, f sourcing.Form, at string) Order {
		o := ordered(id, Line{"tea", 1})
		o.Form, o.At = f, at
		return o
	}
	must(t, a.Close())
	a = opened(t, o)
	for l := range a.Locations() {
		if l.ID == "Nowak" && l.Terms.Owner != "Nowak & Sons" {
			t.Errorf("after a restart: %+v", l)
		}
	}
	for _, test := range []struct {
		order Order
		from  string
	}{
		{shape("collected", sourcing.Collect, ""), "Nowak"},
		{shape("sent", sourcing.Ship, ""), "Depot"},
		{shape("brought", sourcing.ShipToStore, "Corner"), "Depot"},
		{shape("at home", sourcing.ShipToStore, "Nowak"), "Nowak"},
	} {
		if got, err := a.Allocate(t.Context(), test.order); err != nil || got.Location != test.from {
			t.Errorf("%s: from %q, %v; want %q", test.order.ID, got.Location, err, test.from)
		}
	}
	must(t, a.Confirm(t.Context(), "sent"))
	_, err := a.Reject(t.Context(), "sent")
	var none *NoLocationError
	if !errors.As(err, &none) {
		t.Fatalf("rejected by the depot: %v; want no location", err)
	}
	why, err := a.Explain(shape("asked", sourcing.Ship, ""))
	if must(t, err); !strings.Contains(why.String(), `- "Nowak" ship 0.0 km: another owner's (owned by [""])`) {
		t.Errorf("got\n%s", why)
	}
	if err := a.SetLocations(t.Context(), Location{ID: "X", Point: streetPoint(0), Terms: &Terms{Owner: "a\xff"}}); !errors.Is(err, ErrInvalid) {
		t.Errorf("an owner that is not text: %v", err)
	}
	must(t, a.Close())
}

func TestExplainTexts(t *testing.T) {
	t.Run("the best of those that could", func(t *testing.T) {
		a := explainShop(t)
		must(t, a.SetRules(sourcing.Rules{Soft: []sourcing.Filter{sourcing.InGroups("large")}}))
		got, err := a.Allocate(t.Context(), ordered("one", Line{"cup", 1}, Line{"tea", 1}))
		must(t, err)
		explains(t, got.Explain(), `
order "one" at 2026-11-23T12:00:00Z: 1 location, cost 100
  given up: in large
  + "Station" collect 2.2 km, cost 100: cup, tea
  - "Corner" collect 0.0 km: short (cup)
  - "Market" collect 1.1 km: offline
  - "Depot" collect 10.0 km: outranked
`)
	})
	t.Run("a split", func(t *testing.T) {
		a := explainShop(t)
		o := ordered("two", Line{"cup", 6}, Line{"tea", 1})
		o.Form, o.MaxLocations = sourcing.Ship, 3
		got, err := a.Allocate(t.Context(), o)
		must(t, err)
		explains(t, got.Explain(), `
order "two" at 2026-11-23T12:00:00Z: 2 locations, cost 1272
  + "Station" ship 2.2 km, cost 622: cup, tea
  + "Depot" ship 10.0 km, ready 2026-11-23T14:00:00Z, cost 650: cup
  - "Corner" ship 0.0 km: not worth a part
  - "Market" ship 1.1 km: offline
`)
	})
	t.Run("a refusal", func(t *testing.T) {
		a := explainShop(t)
		o := ordered("three", Line{"tea", 2})
		o.MaxDistance, o.NeededBy = 5000, time.Date(2026, 11, 23, 12, 30, 0, 0, time.UTC)
		_, err := a.Allocate(t.Context(), o)
		explains(t, as[*NoLocationError](t, err).Explain(), `
order "three" at 2026-11-23T12:00:00Z: no location
  - "Corner" collect 0.0 km: too late
  - "Station" collect 2.2 km: short (tea)
  - "Market" collect 1.1 km: offline
  - "Depot" collect 10.0 km: too far
`)
	})
}
