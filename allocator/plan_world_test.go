package allocator

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/geo"
)

// planSite is a location of a small world, with its hours in plain numbers.
type planSite struct {
	Location
	terms    Terms
	zone     *time.Location
	from, to int // opening hours of the local clock; 0 and 24: always
	weekdays bool
	never    bool
	stock    map[string]int64
}

// planWorld is a few locations with a little stock, and everything an order may
// ask for and a rule may say.
type planWorld struct {
	r     *rand.Rand
	now   time.Time
	sites []*planSite
	skus  []string
	zones []*time.Location
	area  *geo.Area
}

// planRules are rules with each filter and key besides as plain code.
type planRules struct {
	sourcing.Rules
	hard, soft []planFilter
	keys       []planKey
}

type planFilter struct {
	filter sourcing.Filter
	pass   func(v *planView) bool
}

// planKey is a key with the number it ranks by, the least first.
type planKey struct {
	key   sourcing.Key
	value func(v *planView) float64
}

// planView is a location seen by a form of an order.
type planView struct {
	site     *planSite
	form     sourcing.Form
	distance geo.Meters
	now      time.Time
	ready    time.Time
	cost     int64
	left     int64
}

func newPlanWorld(t testing.TB, seed uint64) *planWorld {
	t.Helper()
	w := &planWorld{r: rand.New(rand.NewPCG(seed, 7)), zones: []*time.Location{time.UTC}}
	warsaw, err := time.LoadLocation("Europe/Warsaw")
	must(t, err)
	w.zones = append(w.zones, warsaw)
	w.area, err = geo.NewArea([]geo.Point{{Lat: 49, Lon: 19}, {Lat: 49, Lon: 21}, {Lat: 50.025, Lon: 21}, {Lat: 50.025, Lon: 19}})
	must(t, err)
	w.now = time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC).Add(time.Duration(w.r.IntN(336)) * 30 * time.Minute)
	for i := range 2 + w.r.IntN(4) {
		w.skus = append(w.skus, fmt.Sprint("s", i))
	}
	for i := range 2 + w.r.IntN(6) {
		w.sites = append(w.sites, w.site(i))
	}
	return w
}

// one is true in one of n draws.
func (w *planWorld) one(n int) bool { return w.r.IntN(n) == 0 }

// some draws a few of a list.
func some[E any](w *planWorld, list ...E) (few []E) {
	for _, e := range list {
		if w.one(2) {
			few = append(few, e)
		}
	}
	return few
}

func (w *planWorld) point() geo.Point {
	return geo.Point{Lat: 50 + float64(w.r.IntN(6))/100, Lon: 20 + float64(w.r.IntN(2))/100}
}

func (w *planWorld) site(i int) *planSite {
	s := &planSite{Location: Location{ID: fmt.Sprint("L", i), Point: w.point(), Kind: Kind(w.r.IntN(3))}, zone: time.UTC, to: 24, stock: map[string]int64{}}
	if w.one(8) {
		s.Area = w.area
	}
	for _, sku := range w.skus {
		if !w.one(3) {
			s.stock[sku] = w.r.Int64N(5)
		}
	}
	if w.one(3) {
		return s
	}
	t := &s.terms
	t.Offline = w.one(15)
	t.Groups = some(w, "north", "south")
	t.Priority = w.r.IntN(3)
	if w.one(4) {
		t.Forms = some(w, sourcing.Collect, sourcing.ShipToStore, sourcing.Ship)
	}
	if w.one(5) {
		t.Payments = some(w, "card", "cash")
	}
	if w.one(5) {
		t.Channels = some(w, "web", "till")
	}
	if w.one(3) {
		w.hours(s)
	}
	lead := func(most int) time.Duration { return time.Duration(w.r.IntN(most)) * 30 * time.Minute }
	if w.one(2) {
		t.Prep, t.Transfer, t.Delivery = lead(12), lead(60), lead(60)
	}
	if w.one(4) {
		t.CutOff = lead(47)
	}
	if s.zone = w.zones[w.r.IntN(2)]; s.zone != time.UTC {
		t.Zone = s.zone.String()
	}
	s.Terms = t
	return s
}

func (w *planWorld) hours(s *planSite) {
	if s.never = w.one(10); s.never {
		s.terms.Hours = "off"
		return
	}
	s.from, s.weekdays = 6+w.r.IntN(5), w.one(2)
	s.to = s.from + 2 + w.r.IntN(10)
	days := "Mo-Su"
	if s.weekdays {
		days = "Mo-Fr"
	}
	s.terms.Hours = fmt.Sprintf("%s %02d:00-%02d:00", days, s.from, s.to)
}

// open says whether a site is open in the half hour that begins then.
func (s *planSite) open(at time.Time) bool {
	local := at.In(s.zone)
	hour, day := local.Hour(), local.Weekday()
	return !s.never && hour >= s.from && hour < s.to && !(s.weekdays && (day == time.Saturday || day == time.Sunday))
}

// engine is the world behind the real door; the caller closes it.
func (w *planWorld) engine(t testing.TB) *Allocator {
	t.Helper()
	a, err := Open(t.Context(), Options{Clock: func() time.Time { return w.now }, ManualExpiry: true, MaxSKUs: 64, MaxLocations: 64, Remember: 1024})
	must(t, err)
	var all []Location
	var goods []Receipt
	for _, s := range w.sites {
		all = append(all, s.Location)
		in := Receipt{ID: "in " + s.ID, Location: s.ID}
		for _, sku := range w.skus {
			if s.stock[sku] > 0 {
				in.Lines = append(in.Lines, Line{sku, s.stock[sku]})
			}
		}
		if len(in.Lines) > 0 {
			goods = append(goods, in)
		}
	}
	// Every SKU is known, if only by a unit that is sold again.
	goods = append(goods, Receipt{ID: "all", Location: "L0"})
	sold := Sale{ID: "sold", Location: "L0"}
	for _, sku := range w.skus {
		goods[len(goods)-1].Lines = append(goods[len(goods)-1].Lines, Line{sku, 1})
		sold.Lines = append(sold.Lines, Line{sku, 1})
	}
	must(t, a.SetLocations(t.Context(), all...), a.Receive(t.Context(), goods...), a.Sell(t.Context(), sold))
	return a
}

// order draws an order.
func (w *planWorld) order(n int) Order {
	o := Order{ID: fmt.Sprint("o", n), Near: w.point()}
	perm := w.r.Perm(len(w.skus))
	count := 1 + w.r.IntN(min(4, len(w.skus)))
	for _, i := range perm[:count] {
		o.Lines = append(o.Lines, Line{w.skus[i], 1 + w.r.Int64N(3)})
	}
	if w.one(8) {
		o.Lines = append(o.Lines, Line{w.skus[perm[0]], 1})
	}
	if w.one(4) {
		return o // the hot path, if nothing else is set
	}
	o.Form = sourcing.Form(w.r.IntN(3))
	if w.one(4) {
		o.Forms = map[string]sourcing.Form{}
		for _, line := range o.Lines {
			if w.one(2) {
				o.Forms[line.SKU] = sourcing.Form(w.r.IntN(3))
			}
		}
	}
	_, brought := w.formsOf(o)[sourcing.ShipToStore]
	if brought || w.one(4) {
		o.At = w.sites[w.r.IntN(len(w.sites))].ID
		if _, sent := w.formsOf(o)[sourcing.Ship]; !sent && w.one(4) {
			o.Near = geo.Point{}
		}
	}
	w.asks(&o)
	if count > 1 && w.one(5) {
		o.Together = [][]string{{w.skus[perm[0]], w.skus[perm[1]]}}
	}
	return o
}

// asks draws the smaller wishes of an order.
func (w *planWorld) asks(o *Order) {
	if w.one(4) {
		o.MaxDistance = geo.Meters(500 + w.r.IntN(4000))
	}
	if w.one(8) {
		o.Kinds = []Kind{Kind(w.r.IntN(2)), Warehouse}
	}
	if w.one(2) {
		o.MaxLocations = 1 + w.r.IntN(4)
	}
	ids := func() (list []string) {
		for range 1 + w.r.IntN(2) {
			list = append(list, w.sites[w.r.IntN(len(w.sites))].ID)
		}
		return list
	}
	if w.one(6) {
		o.Exclude = ids()
	}
	if w.one(6) {
		o.Prefer = ids()
	}
	if w.one(8) {
		o.Groups = []string{"north"}
	}
	if w.one(6) {
		o.Payment = []string{"card", "cash"}[w.r.IntN(2)]
	}
	if w.one(4) {
		o.Channel = []string{"web", "till"}[w.r.IntN(2)]
	}
	if w.one(5) {
		o.NeededBy = w.now.Add(time.Duration(w.r.IntN(120)) * 30 * time.Minute)
	}
	o.Partial = w.one(4)
}

// formsOf is the forms in which an order's lines go.
func (w *planWorld) formsOf(o Order) map[sourcing.Form]bool {
	forms := map[sourcing.Form]bool{}
	for _, line := range o.Lines {
		forms[formOf(o, line.SKU)] = true
	}
	return forms
}

func formOf(o Order, sku string) sourcing.Form {
	if f, ok := o.Forms[sku]; ok {
		return f
	}
	return o.Form
}

// rules draws a set of rules.
func (w *planWorld) rules() planRules {
	filters := []planFilter{
		{sourcing.InGroups("south"), func(v *planView) bool { return slices.Contains(v.site.terms.Groups, "south") }},
		{sourcing.OfKinds(uint8(Warehouse)).Not(), func(v *planView) bool { return v.site.Kind != Warehouse }},
		{sourcing.Within(3000), func(v *planView) bool { return v.distance <= 3000 }},
		{sourcing.ReadyIn(10 * time.Hour), func(v *planView) bool { return v.ready.Sub(v.now) <= 10*time.Hour }},
	}
	keys := []planKey{
		{sourcing.Keys(sourcing.ByDistance)[0], func(v *planView) float64 { return float64(v.distance) }},
		{sourcing.Keys(sourcing.ByPriority)[0], func(v *planView) float64 { return float64(v.site.terms.Priority) }},
		{sourcing.Keys(sourcing.ByReady)[0], func(v *planView) float64 { return v.ready.Sub(v.now).Seconds() }},
		{sourcing.Keys(sourcing.ByCost)[0], func(v *planView) float64 { return float64(v.cost) }},
		{sourcing.Keys(sourcing.ByLeft)[0], func(v *planView) float64 { return -float64(v.left) }},
		{sourcing.KindsFirst(uint8(Warehouse)), func(v *planView) float64 {
			if v.site.Kind == Warehouse {
				return 0
			}
			return 1
		}},
		{sourcing.ByDistance.In(2000), func(v *planView) float64 { return float64(int64(v.distance / 2000)) }},
	}
	var r planRules
	for _, i := range w.r.Perm(len(filters))[:w.r.IntN(3)] {
		if w.one(2) {
			r.soft = append(r.soft, filters[i])
			r.Soft = append(r.Soft, filters[i].filter)
		} else if w.one(2) {
			r.hard = append(r.hard, filters[i])
			r.Hard = append(r.Hard, filters[i].filter)
		}
	}
	if w.one(2) {
		for _, i := range w.r.Perm(len(keys))[:1+w.r.IntN(2)] {
			r.keys = append(r.keys, keys[i])
			r.Keys = append(r.Keys, keys[i].key)
		}
	}
	if w.one(2) {
		r.Costs = sourcing.Costs{Parcel: w.r.Int64N(600), Transfer: w.r.Int64N(400), PerKm: w.r.Int64N(60), PerLine: w.r.Int64N(3) * 30}
		if w.one(2) {
			salt := w.r.Int64N(100)
			r.Costs.Price = func(sku string, units int64, s *sourcing.Site) int64 {
				return units * (int64(s.ID[1]-'0')*37 + int64(sku[1]-'0')*11 + salt) % 200
			}
		}
	}
	if w.one(3) {
		r.MaxLocations = w.r.IntN(4)
	}
	return r
}

// String is the world with what it has now.
func (w *planWorld) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "now %s\n", w.now.Format("Mon 2006-01-02 15:04"))
	for _, s := range w.sites {
		fmt.Fprintf(&b, "  %s %v %v area %v terms %+v stock %v\n", s.ID, s.Kind, s.Point, s.Area != nil, s.terms, s.stock)
	}
	return b.String()
}

func (r *planRules) String() string {
	var names []string
	for _, f := range r.Hard {
		names = append(names, "hard "+f.Name)
	}
	for _, f := range r.Soft {
		names = append(names, "soft "+f.Name)
	}
	for _, k := range r.Keys {
		names = append(names, "key "+k.Name)
	}
	c := r.Costs
	return fmt.Sprintf("%v costs %d %d %d %d price %v, most %d", names, c.Parcel, c.Transfer, c.PerKm, c.PerLine, c.Price != nil, r.MaxLocations)
}
