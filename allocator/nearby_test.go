package allocator

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clickcollect/clickcollect/allocator/internal/goods"
	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/geo"
	"github.com/clickcollect/clickcollect/reservation"
)

// plainly takes away from a world what keeps orders off the hot path.
func (w *planWorld) plainly() {
	for _, s := range w.sites {
		s.Terms, s.terms, s.Area = nil, Terms{}, nil
		s.zone, s.from, s.to, s.weekdays, s.never = time.UTC, 0, 24, false, false
	}
}

// franchise gives some of the goods to another owner.
func (w *planWorld) franchise() {
	for _, s := range w.sites {
		if s.Terms != nil && w.one(3) {
			s.Terms.Owner = "Nowak & Sons"
		}
	}
}

// furnish sets in an engine what a world knows nothing of: levels, quotas, bundles, lots,
// windows, capacities and cool-downs. On the hot path there are only levels.
func (w *planWorld) furnish(t *testing.T, a *Allocator, plain bool) {
	t.Helper()
	ctx := t.Context()
	site := func() string { return w.sites[w.r.IntN(len(w.sites))].ID }
	sku := func() string { return w.skus[w.r.IntN(len(w.skus))] }
	channel := func() string { return []string{"", "web", "till"}[w.r.IntN(3)] }
	if w.one(2) {
		must(t, a.SetProtection(ctx, Protection{Channel: channel(), SKU: sku(), Location: site(), Units: w.r.Int64N(3)}, Protection{SKU: sku(), Units: w.r.Int64N(2)}))
	}
	if w.one(3) {
		must(t, a.SetSafetyStock(ctx, SafetyStock{SKU: sku(), Location: site(), Units: w.r.Int64N(3)}))
	}
	must(t, a.SetBundles(ctx, Bundle{SKU: "kit", Parts: []Component{{SKU: w.skus[0], Quantity: 1 + w.r.Int64N(2)}, {SKU: w.skus[1], Quantity: 1}}}))
	if plain {
		return
	}
	quotas, lots := w.r.IntN(4), 0
	if w.one(2) { // a SKU has one or the other
		quotas, lots = 0, w.r.IntN(5)
	}
	for i := range quotas {
		at, of := site(), sku()
		if n, err := a.Stock().AvailableTo("", of, at); err == nil && n > 0 {
			must(t, a.SetQuota(ctx, Quota{ID: fmt.Sprint("quota", i), Channel: "web", SKU: of, Location: at, Units: 1 + w.r.Int64N(n)}))
		}
	}
	for i := range lots {
		of := sku()
		must(t, a.Receive(ctx, Receipt{ID: fmt.Sprint("lot", i), Location: site(), Lines: []Line{{of, 1 + w.r.Int64N(3)}},
			Lots: map[string]Lot{of: {ID: "A", Expires: w.now.AddDate(0, 0, w.r.IntN(4)-1)}}}), a.SetShelfLife(ctx, ShelfLife{SKU: of, Keeps: time.Duration(w.r.IntN(30)) * time.Hour}))
	}
	if w.one(2) {
		must(t, a.SetCapacity(ctx, Capacity{Location: site(), Orders: 1 + w.r.Int64N(2)}))
	}
	for _, s := range w.sites {
		if w.one(2) {
			must(t, a.SetWindows(ctx, Window{Location: s.ID, Start: w.windowStart(), Length: time.Hour, Places: 1 + w.r.Int64N(2)}))
		}
		slot, ok := a.ledger.Slot(s.ID)
		if handle, known := a.ledger.SKU(sku()); ok && known && w.one(6) {
			_, err := a.moves.cool.Begin(slot, []reservation.Line{{SKU: handle, Quantity: 1}}, a.gate.Now(), a.gate.Now()+1e6)
			must(t, err)
		}
	}
}

func (w *planWorld) windowStart() time.Time { return w.now.Truncate(time.Hour).Add(30 * time.Hour) }

// near draws an order that one location is to fill.
func (w *planWorld) near(n int) Order {
	o := w.order(n)
	o.MaxLocations, o.Partial, o.Forms, o.Prefer, o.Together = 1, false, nil, nil, nil
	if o.At == "" && o.Form == sourcing.ShipToStore {
		o.Form = sourcing.Collect
	}
	if o.Form == sourcing.Ship || o.At == "" {
		o.Near = w.point()
	}
	if w.one(3) {
		o.Lines = append(o.Lines, Line{"kit", 1 + w.r.Int64N(2)})
	}
	if w.one(6) {
		o.Substitutes = map[string][]string{o.Lines[0].SKU: {w.skus[0], w.skus[1]}}
	}
	if o.Form == sourcing.Collect && w.one(6) {
		o.Window = w.windowStart()
	}
	return o
}

// nearRules are rules that rule locations out, and do not rank them.
func (w *planWorld) nearRules() sourcing.Rules {
	filters := []sourcing.Filter{sourcing.InGroups("south"), sourcing.Within(3000), sourcing.ReadyIn(10 * time.Hour), sourcing.OwnedBy("").For(sourcing.Ship, sourcing.ShipToStore)}
	return sourcing.Rules{Hard: some(w, filters...)}
}

// nearbyCheck asks everything there is to ask about one order.
type nearbyCheck struct {
	*testing.T
	w *planWorld
	a *Allocator
	o Order
}

func (c *nearbyCheck) fault(format string, args ...any) {
	c.Helper()
	c.Errorf("%s\n%+v\n%s", fmt.Sprintf(format, args...), c.o, c.w)
}

// run compares what Nearby shows with what the other calls say of the same order, and
// with where Allocate puts it, of which first is told.
func (c *nearbyCheck) run() (first *Candidate) {
	c.Helper()
	near, err := c.a.Nearby(c.o)
	if err != nil {
		_, other := c.a.Allocate(c.Context(), c.o)
		if !errors.Is(other, ErrInvalid) && !errors.Is(other, ErrUnknownSKU) {
			c.fault("Nearby is refused, %v, and Allocate not: %v", err, other)
		}
		return nil
	}
	all := slices.Collect(near)
	if together := c.a.NearbyAll(3, c.o, c.o)[1]; together.Err != nil || !reflect.DeepEqual(together.Candidates, all[:min(3, len(all))]) && len(all) > 0 {
		c.fault("in a list %+v, alone %+v", together, all)
	}
	c.likeCandidates(all)
	c.likeExplain(all)
	if i := slices.IndexFunc(all, func(s Candidate) bool { return s.Reason == 0 }); i >= 0 {
		first = &all[i]
	}
	if c.o.Form != sourcing.ShipToStore { // which is brought from several, whatever it says
		c.likeAllocate(first)
	}
	for i := range all {
		c.likeAvailable(&all[i])
		if c.o.Form == sourcing.Collect {
			c.likeAt(&all[i])
		}
		if all[i].Reason == sourcing.WrongKind && all[i].Detail == "" && c.o.At == "" {
			c.fault("Nearby shows %s, which is of another kind", all[i].Location)
		}
		if i > 0 && all[i].Distance < all[i-1].Distance {
			c.fault("%s comes behind %s", all[i].Location, all[i-1].Location)
		}
	}
	return first
}

func (c *nearbyCheck) likeCandidates(all []Candidate) {
	c.Helper()
	walk, err := c.a.Candidates(c.o)
	must(c, err)
	could := slices.DeleteFunc(slices.Clone(all), func(s Candidate) bool { return s.Reason != 0 })
	if got := slices.Collect(walk); !reflect.DeepEqual(got, could) && len(got)+len(could) > 0 {
		c.fault("Nearby says that these could %+v, Candidates %+v", could, got)
	}
}

func (c *nearbyCheck) likeExplain(all []Candidate) {
	c.Helper()
	if c.o.Form == sourcing.ShipToStore {
		return // it explains a split: of what is brought, some of the lines are enough
	}
	e, err := c.a.Explain(c.o)
	must(c, err)
	reasons := map[string]sourcing.Considered{}
	for _, r := range e.Rejected {
		reasons[r.Site] = r
	}
	for _, s := range all {
		r, ok := reasons[s.Location]
		if r.Reason == sourcing.Outranked || r.Reason == sourcing.Apart {
			r.Reason = 0
		}
		if ok && (r.Reason != s.Reason || r.Detail != s.Detail || r.Distance != s.Distance) || !ok && s.Reason != 0 {
			c.fault("Nearby says of %s %v %q, Explain %+v", s.Location, s.Reason, s.Detail, r)
		}
		delete(reasons, s.Location)
	}
	for _, r := range reasons { // those that are not shown
		if c.o.At == "" && r.Reason != sourcing.TooFar && (r.Reason != sourcing.WrongKind || r.Detail != "") {
			c.fault("Nearby does not show %+v", r)
		}
	}
}

func (c *nearbyCheck) likeAllocate(first *Candidate) {
	c.Helper()
	got, err := c.a.Allocate(c.Context(), c.o)
	var none *NoLocationError
	switch {
	case first == nil && !errors.As(err, &none):
		c.fault("Nearby says that nobody could, Allocate takes %+v, %v", got, err)
	case first == nil:
	case err != nil || got.Location != first.Location || got.Distance != first.Distance || !got.Ready.Equal(first.Ready):
		c.fault("Nearby says that the first is %+v, Allocate takes %+v, %v", first, got, err)
	}
	if err == nil {
		must(c, c.a.Cancel(c.Context(), c.o.ID))
	}
}

// likeAt names the location in the order. Its area does not count then: the customer
// comes.
func (c *nearbyCheck) likeAt(s *Candidate) {
	c.Helper()
	if s.Reason == sourcing.OutsideArea {
		return
	}
	o := c.o
	o.At = s.Location
	_, err := c.a.Quote(o)
	var none *NoLocationError
	if errors.As(err, &none) {
		if r := none.Candidates()[0]; s.Reason != r.Reason {
			c.fault("Nearby says of %s %v, at it the reason is %v", s.Location, s.Reason, r.Reason)
		}
	} else if err != nil || s.Reason != 0 {
		c.fault("Nearby says of %s %v, at it: %v", s.Location, s.Reason, err)
	}
}

// likeAvailable compares the units with AvailableTo, which knows of no lot that is gone
// by the time the goods are ready.
func (c *nearbyCheck) likeAvailable(s *Candidate) {
	c.Helper()
	for i, line := range c.o.Lines {
		units, err := c.a.Stock().AvailableTo(c.o.Channel, line.SKU, s.Location)
		must(c, err)
		if lotted := c.w.lotted(c.a, line.SKU); s.Available[i] != units && !lotted || s.Available[i] > units {
			c.fault("%s has %d of %s, AvailableTo %d", s.Location, s.Available[i], line.SKU, units)
		}
		if s.Reason == 0 && s.Available[i] < line.Quantity && c.o.Substitutes == nil {
			c.fault("%s could fill the order with %d of %s", s.Location, s.Available[i], line.SKU)
		}
	}
}

func (w *planWorld) lotted(a *Allocator, sku string) bool {
	return slices.ContainsFunc(madeOf(a, sku), func(p goods.Part) bool { return !a.goods.IsPlain(p.SKU) })
}

// TestNearbyIsWhatAllocateDoes: in random worlds, with everything set that may be set, the
// first location that Nearby says could fill an order is where Allocate puts it, and there
// is none if Allocate refuses it; whatever Nearby says of a location, Candidates, Explain,
// Quote and AvailableTo say too.
func TestNearbyIsWhatAllocateDoes(t *testing.T) {
	reasons, hot, served := map[sourcing.Reason]int{}, 0, 0
	for seed := range uint64(scaled(6000, 500)) {
		w := newPlanWorld(t, seed)
		plain := w.one(3)
		if plain {
			w.plainly()
		}
		w.franchise()
		a := w.engine(t)
		w.furnish(t, a, plain)
		if !plain && w.one(2) {
			must(t, a.SetRules(w.nearRules()))
		}
		for n := range 8 {
			c := nearbyCheck{t, w, a, w.near(n)}
			if plain {
				c.o = Order{ID: c.o.ID, Near: w.point(), Lines: c.o.Lines, MaxDistance: c.o.MaxDistance, Channel: c.o.Channel}
			}
			if !a.needsPlan(a.locations.Load(), &c.o, a.gate.Now()) {
				hot++
			}
			if c.run() != nil {
				served++
			}
			if near, err := a.Nearby(c.o); err == nil {
				for s := range near {
					reasons[s.Reason]++
				}
			}
		}
		must(t, a.Close())
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	reasons[sourcing.Outranked], reasons[sourcing.Apart] = 5, 5 // of choices
	for r := sourcing.OutsideArea; r <= sourcing.OtherOwner; r++ {
		if reasons[r] < 5 && r != sourcing.Unplaced && r != sourcing.RejectedTooOften {
			t.Errorf("%v was the reason %d times: too seldom to tell", r, reasons[r])
		}
	}
	if hot < 100 || served < 500 {
		t.Errorf("%d orders went the hot path, %d were served: too few to tell", hot, served)
	}
}

// TestNearbyShowsEmptyShelves: a shop without the goods is shown too, in its place, with
// what it has and why it could not.
func TestNearbyShowsEmptyShelves(t *testing.T) {
	a := street(t, 4, Options{})
	stocked(t, a, "L1", "x", 3)
	stocked(t, a, "L2", "y", 1)
	must(t, a.SetLocations(t.Context(), Location{ID: "L3", Point: streetPoint(3), Terms: &Terms{Offline: true, Owner: "Nowak & Sons"}}))
	show := func(o Order) string {
		near, err := a.Nearby(o)
		must(t, err)
		var b strings.Builder
		for c := range near {
			fmt.Fprintf(&b, "%s%s %v %v %s; ", c.Location, c.Owner, c.Available, c.Reason, c.Detail)
		}
		return strings.TrimSuffix(b.String(), "; ")
	}
	for _, test := range []struct {
		order Order
		want  string
	}{
		{Order{Near: streetPoint(0), Lines: []Line{{"x", 1}}}, "L0 [0] short x; L1 [3] Reason(0) ; L2 [0] short x; L3Nowak & Sons [0] offline "},
		{Order{Near: streetPoint(0), Lines: []Line{{"x", 4}, {"y", 1}}, MaxDistance: 2500}, "L0 [0 0] short x; L1 [3 0] short x; L2 [0 1] short x"},
		{Order{At: "L2", Lines: []Line{{"x", 4}, {"y", 1}}}, "L2 [0 1] short x"},
	} {
		if got := show(test.order); got != test.want {
			t.Errorf("got  %s\nwant %s", got, test.want)
		}
	}
}

// TestNearbyIsNotRanked: soft filters, keys and what is preferred do not count for what
// is near, since the customer chooses.
func TestNearbyIsNotRanked(t *testing.T) {
	a := street(t, 3, Options{Rules: sourcing.Rules{Soft: []sourcing.Filter{sourcing.InGroups("none")}, Keys: []sourcing.Key{sourcing.Keys(sourcing.ByDistance)[0].Reverse()}}})
	for i := range 3 {
		stocked(t, a, fmt.Sprint("L", i), "tea", 1)
	}
	must(t, a.SetLocations(t.Context(), Location{ID: "L2", Point: streetPoint(2), Terms: &Terms{Groups: []string{"none"}}}))
	near, err := a.Nearby(Order{Near: streetPoint(0), Lines: []Line{{"tea", 1}}, Prefer: []string{"L1"}})
	must(t, err)
	var got []string
	for c := range able(near) {
		got = append(got, c.Location)
	}
	if want := []string{"L0", "L1", "L2"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestNearbyAll: a listing page in one call; what one order has wrong is its own affair.
func TestNearbyAll(t *testing.T) {
	a := street(t, 3, Options{})
	stocked(t, a, "L0", "x", 7)
	stocked(t, a, "L0", "y", 9)
	stocked(t, a, "L1", "y", 9)
	must(t, a.SetBundles(t.Context(), Bundle{SKU: "kit", Parts: []Component{{SKU: "x", Quantity: 2}, {SKU: "y", Quantity: 1}}}))
	basket := func(lines ...Line) Order { return Order{Near: streetPoint(0), Lines: lines} }
	in := func(at string, lines ...Line) Order { return Order{At: at, Lines: lines} }
	got := a.NearbyAll(2, basket(Line{"kit", 1}), basket(Line{"nobody's", 1}), in("L1", Line{"y", 1}), basket(Line{"y", 0}), in("L9", Line{"y", 1}))
	var said []string
	for _, n := range got {
		text := fmt.Sprint(n.Err)
		for _, c := range n.Candidates {
			text += fmt.Sprintf(" %s %v %v", c.Location, c.Available, c.Reason)
		}
		said = append(said, text)
	}
	for i, want := range []string{"<nil> L0 [3] Reason(0) L1 [0] short", `allocator: nearby: unknown SKU: "nobody's"`, "<nil> L1 [9] Reason(0)",
		"allocator: nearby: invalid Lines[0].Quantity 0: must be 1 or more", `allocator: nearby: unknown location: "L9"`} {
		if said[i] != want {
			t.Errorf("order %d: %s, want %s", i, said[i], want)
		}
	}
	refused(t, a.NearbyAll(0, basket(Line{"x", 1}))[0].Err, ErrInvalid, "allocator: nearby: invalid most 0: must be 1 or more")
	must(t, a.Close())
	refused(t, a.NearbyAll(1, basket(Line{"x", 1}))[0].Err, ErrClosed, "allocator: nearby: allocator is closed")
}

// TestNearbyStopsEarly: no location is looked at before it is asked for.
func TestNearbyStopsEarly(t *testing.T) {
	looked := 0
	a := street(t, 300, Options{Rules: sourcing.Rules{Hard: []sourcing.Filter{{Name: "counts", Pass: func(*sourcing.Candidate) bool { looked++; return true }}}}})
	for i := range 300 {
		stocked(t, a, fmt.Sprint("L", i), "tea", 1)
	}
	o := Order{Near: geo.Point{Lat: 51, Lon: 20}, Lines: []Line{{"tea", 1}}}
	near, err := a.Nearby(o)
	must(t, err)
	for range near {
		if looked == 20 {
			break
		}
	}
	if got := a.NearbyAll(20, o)[0]; got.Err != nil || len(got.Candidates) != 20 {
		t.Errorf("got %+v", got)
	}
	if looked != 40 {
		t.Errorf("%d locations were looked at for 20 and 20", looked)
	}
}
