package plan_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clickcollect/clickcollect/allocator/internal/plan"
	"github.com/clickcollect/clickcollect/allocator/internal/topology"
	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/bench/scaletest"
	"github.com/clickcollect/clickcollect/geo"
)

// ranks gives the locations of a world terms, areas and kinds, from few that are alike to
// none, takes some away, and draws rules.
func (w *world) ranks() {
	few := 1 + w.r.IntN(6)
	drawn := make([]topology.Place, few)
	area, err := geo.NewArea([]geo.Point{{Lat: 50, Lon: 20}, {Lat: 50, Lon: 20.7}, {Lat: 51, Lon: 20.7}, {Lat: 51, Lon: 20}})
	must(w.t, err)
	for i := range drawn {
		p := &drawn[i]
		p.Kind = topology.Kind(w.r.IntN(int(topology.Kinds)))
		if w.r.IntN(5) == 0 {
			p.Area = area
		}
		if w.r.IntN(4) == 0 {
			continue
		}
		p.Terms = &topology.Terms{Priority: w.r.IntN(3), Offline: w.r.IntN(9) == 0, Hours: []string{"", "09:00-17:00", "Mo-Fr 08:00-12:00; PH off", "off"}[min(w.r.IntN(9)/2, 3)],
			Zone: []string{"", "Europe/Berlin"}[w.r.IntN(2)], Prep: time.Duration(w.r.IntN(3)) * time.Hour, Delivery: time.Duration(w.r.IntN(2)) * time.Hour}
		if w.r.IntN(3) == 0 {
			p.Terms.Transfer = time.Hour
			p.Terms.Forms = []sourcing.Form{sourcing.Collect, sourcing.Ship, sourcing.ShipToStore}[w.r.IntN(2):]
		}
		if w.r.IntN(5) == 0 {
			p.Terms.Channels = []string{"web"}
		}
	}
	places := make([]topology.Place, 0, len(w.sites))
	for i := range w.sites {
		s, p := &w.sites[i], drawn[w.r.IntN(few)]
		if p.ID, p.Point = s.id, s.point; p.Terms != nil {
			terms := *p.Terms
			terms.Groups, p.Terms = []string{"north", "south"}[:w.r.IntN(3)], &terms
		}
		places = append(places, p)
	}
	must(w.t, w.places.Set(places, 2))
	for i := range w.sites {
		if w.r.IntN(20) > 0 || i == 0 {
			continue
		}
		for sku, units := range w.sites[i].units {
			w.move(i, sku, -units)
		}
		if _, err := w.places.Remove(w.sites[i].id, 3); err != nil {
			w.t.Fatal(err)
		}
	}
	w.view.Catalogue = w.places.Load()
	w.view.Rules = w.rules()
}

func (w *world) rules() *sourcing.Rules {
	told := func(c *sourcing.Candidate) {
		if c.Site == nil || c.Request == nil || c.Ready.IsZero() || c.Start.IsZero() || c.Left < 0 || w.view.Catalogue.SiteOf(w.view.Catalogue.Slot(c.Number)) != c.Site {
			w.t.Errorf("a rule is told %+v", c)
		}
	}
	keys := append(sourcing.Keys(sourcing.ByDistance, sourcing.ByPriority, sourcing.ByReady, sourcing.ByCost, sourcing.ByLeft, sourcing.ByRoom),
		sourcing.ByDistance.In(20_000), sourcing.ByReady.In(3600), sourcing.KindsFirst(1, 2), sourcing.Keys(sourcing.ByLeft)[0].Reverse(),
		sourcing.Key{Name: "own", Compare: func(a, b *sourcing.Candidate) int {
			told(a)
			told(b)
			return strings.Compare(a.Site.ID[2:], b.Site.ID[2:])
		}},
		sourcing.Key{Name: "panics", Compare: func(a, b *sourcing.Candidate) int { panic("so") }})
	filter := func(name string, of int) sourcing.Filter {
		return sourcing.Filter{Name: name, Pass: func(c *sourcing.Candidate) bool {
			told(c)
			return (int(c.Number)+int(c.Left))%of > 0
		}}
	}
	r := &sourcing.Rules{Costs: sourcing.Costs{Parcel: 100, PerLine: 1, PerKm: int64(w.r.IntN(2))}}
	for _, i := range w.r.Perm(len(keys))[:1+w.r.IntN(3)] {
		r.Keys = append(r.Keys, keys[i])
	}
	for range w.r.IntN(2) {
		r.Hard = append(r.Hard, filter("hard", 7))
	}
	for i := range max(0, w.r.IntN(5)-2) {
		r.Soft = append(r.Soft, filter(fmt.Sprint("soft ", i), 1+w.r.IntN(3)))
	}
	return r
}

// wishes draws what an order says of locations.
func (w *world) wishes(ask *plan.Ask, f sourcing.Form) {
	r := &ask.Requests[f]
	for range w.r.IntN(4) * w.r.IntN(8) {
		id := fmt.Sprintf("L%02d", w.r.IntN(len(w.sites)+5))
		r.Prefer = append(r.Prefer, id)
		if slot, ok := w.ledger.Slot(id); ok {
			ask.Prefer = append(ask.Prefer, slot)
		}
	}
	for range w.r.IntN(3) * w.r.IntN(5) {
		r.Exclude = append(r.Exclude, fmt.Sprintf("L%02d", w.r.IntN(len(w.sites))))
	}
	if w.r.IntN(4) == 0 {
		r.Groups = []string{"south"}
	}
	if w.r.IntN(4) == 0 {
		r.Within = geo.Meters(1000 * w.r.IntN(100))
	}
	if w.r.IntN(4) == 0 {
		r.NeededBy = r.Now.Add(time.Duration(1+w.r.IntN(30)) * time.Hour)
	}
	if w.r.IntN(2) == 0 {
		r.Channel = "web"
	}
	if w.r.IntN(3) == 0 { // every fifth has no room for an hour or two, every other fifth for two orders
		r.Room = func(s *sourcing.Site, at time.Time, lines int) (int64, time.Time) {
			switch until := r.Now.Add(time.Duration(s.ID[2]%2+1) * time.Hour); {
			case s.ID[2]%5 == 0 && at.Before(until):
				return 0, until
			case s.ID[2]%5 == 1:
				return 2, at.Add(time.Hour)
			}
			return -1, time.Time{}
		}
	}
	if slot, ok := w.ledger.Slot(w.sites[w.r.IntN(len(w.sites))].id); f == sourcing.ShipToStore {
		if !ok {
			slot, _ = w.ledger.Slot(w.sites[0].id) // is always there
		}
		ask.At, r.At, r.Within = slot, w.view.Catalogue.SiteOf(slot), 0
		r.Near = r.At.Point
	}
	r.Index()
	if len(r.Groups) > 0 {
		r.Members(w.view.Catalogue.InGroups(r.Groups))
	}
}

// judged is a location with what there is against it.
type judged struct {
	sourcing.Candidate
	reason sourcing.Reason
	met    int // the first soft filters, as many as it meets
}

// judge asks of every location that has something of every want all there is to ask, one
// after the other, the nearest first.
func (w *world) judge(ask *plan.Ask, f sourcing.Form) (all []judged) {
	r, t := &ask.Requests[f], w.view.Catalogue
	for i := range w.sites {
		slot, ok := w.ledger.Slot(w.sites[i].id)
		if !ok {
			continue
		}
		j := judged{Candidate: sourcing.Candidate{Site: t.SiteOf(slot), Request: r, Number: t.Number(slot), Distance: geo.Distance(r.Near, w.sites[i].point), Room: -1}}
		kinds := *r
		kinds.Groups, kinds.Exclude = nil, nil
		if !kinds.Allows(j.Site) || r.Within > 0 && j.Distance > r.Within ||
			slices.ContainsFunc(ask.Wants, func(want plan.Want) bool { return w.sites[i].units[want.Name] == 0 }) {
			continue // it is not searched for
		}
		if j.reason, _ = j.Static(); j.reason == 0 {
			_, j.reason = j.Promise(r.Lines)
		}
		j.Left = 1 << 40
		for _, want := range ask.Wants {
			j.Left = min(j.Left, w.sites[i].units[want.Name]-want.Units)
			if f != sourcing.ShipToStore || slot != ask.At { // else it is there
				j.Cost += w.view.Rules.Costs.PerLine
			}
		}
		j.Cost += w.view.Rules.Costs.Part(&j.Candidate)
		if j.reason == 0 && j.Left < 0 {
			j.reason = sourcing.Short
		}
		if j.reason == 0 {
			j.reason, _ = w.view.Rules.Check(&j.Candidate)
		}
		for j.reason == 0 && j.met < len(w.view.Rules.Soft) && w.view.Rules.Soft[j.met].Pass(&j.Candidate) {
			j.met++
		}
		all = append(all, j)
	}
	slices.SortFunc(all, func(a, b judged) int { return (&sourcing.Rules{}).CompareKeys(&a.Candidate, &b.Candidate) })
	return all
}

// TestRanksAgainstASort compares the locations that could fill an order, as they are
// walked, with those that are left when each is asked everything, sorted; and what is
// said of all others, nearest first.
func TestRanksAgainstASort(t *testing.T) {
	seeds := uint64(120)
	if scaletest.Full() {
		seeds = 1500
	}
	walked, others := 0, 0
	for seed := range seeds {
		w := newWorld(t, seed, 1+int(seed)%60)
		w.ranks()
		for range 2 {
			near, units := w.drawn()
			f := sourcing.Form(w.r.IntN(3))
			ask := w.asks(f, near, 1, units)
			w.wishes(ask, f)
			n, m := w.ranked(seed, ask, f)
			walked, others = walked+n, others+m
		}
	}
	if walked < 3*int(seeds) || others < 5*int(seeds) {
		t.Errorf("%d walked, %d others: too few to tell", walked, others)
	}
}

// ranked is one order of TestRanksAgainstASort.
func (w *world) ranked(seed uint64, ask *plan.Ask, f sourcing.Form) (walked, others int) {
	w.t.Helper()
	all := w.judge(ask, f)
	soft := len(w.view.Rules.Soft)
	passes := func(j judged) bool { return j.reason == 0 && j.met >= soft }
	for soft > 0 && !slices.ContainsFunc(all, passes) {
		soft--
	}
	var want []*sourcing.Candidate
	for i := range all {
		if passes(all[i]) {
			want = append(want, &all[i].Candidate)
		}
	}
	slices.SortFunc(want, w.view.Rules.Compare)
	p := plan.New(w.view, ask, &w.work)
	for c := range p.Candidates {
		if walked == len(want) {
			w.t.Fatalf("seed %d: number %d is %+v, there are no more", seed, walked, c)
		}
		if *c != *want[walked] {
			w.t.Fatalf("seed %d: number %d is %+v, want %+v", seed, walked, c, want[walked])
		}
		walked++
	}
	if walked < len(want) {
		w.t.Fatalf("seed %d: %d locations, want %d", seed, walked, len(want))
	}
	if len(w.view.Rules.Soft) > 0 || w.view.Rules.Nearest() { // what was ruled out before is named too, or not looked for
		return walked, 0
	}
	said := p.Explain().Rejected
	for i := range all {
		if all[i].reason == 0 || len(said) == 0 {
			continue
		}
		if said[0].Site != all[i].Site.ID || said[0].Reason != all[i].reason || said[0].Distance != all[i].Distance {
			w.t.Fatalf("seed %d: said %+v, want %v for %+v", seed, said[0], all[i].reason, all[i].Candidate)
		}
		said = said[1:]
		others++
	}
	return walked, others
}
