package sourcing

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/clickcollect/clickcollect/allocator/hours"
	"github.com/clickcollect/clickcollect/geo"
)

// holds tells of each reason by itself, whatever else is against a candidate,
// whether it holds: the definitions, written once more. Sites are always open or
// never, and periods are full for ever or never.
func holds(c *Candidate, reason Reason) bool {
	r, s, at := c.Request, c.Site, c.Request.At
	own := at != nil && at.ID == s.ID
	brought := r.Form == ShipToStore
	sites := []*Site{s}
	if brought && at != nil && !own {
		sites = append(sites, at)
	}
	far := own || !s.Unplaced && (brought && at != nil && !at.Unplaced || !brought && r.HasPoint) // the distance means something
	every := func(ok func(*Site) bool) bool {
		return !slices.ContainsFunc(sites, func(s *Site) bool { return !ok(s) })
	}
	has := func(list []string, name string) bool { return len(list) == 0 || slices.Contains(list, name) }
	open := func(s *Site) bool { return s.Calendar.Schedule == nil || s.Calendar.Open(r.Now) }
	ready := r.Now.Add(s.Prep)
	switch {
	case r.Form == Ship:
		ready = ready.Add(s.Delivery)
	case brought && !own:
		ready = ready.Add(s.Transfer)
	}
	switch reason {
	case TooFar:
		return far && r.Within > 0 && c.Distance > r.Within
	case WrongKind:
		hands := func(s *Site) bool {
			return r.CollectAt == 0 || (r.CollectAt|r.Kinds)&(1<<s.Kind) != 0 || slices.Contains(s.Forms, Collect)
		}
		return r.Kinds != 0 && r.Kinds&(1<<s.Kind) == 0 || r.Form == Collect && !hands(s) || brought && at != nil && !hands(at)
	case OutsideArea:
		return s.Area != nil && !brought && !own && r.HasPoint && !s.Area.Contains(r.Near)
	case Offline:
		return !every(func(s *Site) bool { return !s.Offline })
	case NotInChannel:
		return !every(func(s *Site) bool { return has(s.Channels, r.Channel) })
	case NoSuchForm:
		return brought && (at == nil || !at.Serves(Collect) || !own && !s.Serves(ShipToStore)) || !brought && !s.Serves(r.Form)
	case NoSuchPayment:
		payee := s
		if brought && at != nil {
			payee = at
		}
		return r.Payment != "" && !has(payee.Payments, r.Payment)
	case NotInGroup:
		return len(r.Groups) > 0 && !slices.ContainsFunc(r.Groups, func(g string) bool { return slices.Contains(s.Groups, g) })
	case Excluded:
		return slices.Contains(r.Exclude, s.ID)
	case Unplaced:
		return !far
	case Closed:
		return !every(open)
	case Late:
		end := ready
		if !r.Window.IsZero() {
			end = r.Window
		}
		return !r.Window.IsZero() && ready.After(r.Window) || !r.NeededBy.IsZero() && end.After(r.NeededBy)
	case Full:
		left, _ := r.Room(s, r.Now, 1)
		return left == 0
	case ByRule:
		return c.Left < 0
	}
	return false
}

// drawnSite draws attributes that fit rarely enough, and often enough.
func drawnSite(t *rapid.T, id string, area *geo.Area, never *hours.Schedule) *Site {
	rare := func(name string) bool { return rapid.IntRange(0, 7).Draw(t, id+name) == 0 }
	some := func(name string, from ...string) []string {
		return from[rapid.IntRange(0, len(from)).Draw(t, id+name):]
	}
	s := &Site{ID: id, Kind: uint8(rapid.IntRange(0, 2).Draw(t, id+"kind")), Unplaced: rare("unplaced"), Offline: rare("offline"),
		Groups: some("groups", "south", "city"), Payments: some("payments", "prepaid", "till"), Channels: some("channels", "app", "web"),
		Prep: 10, Transfer: 5, Delivery: 7}
	s.Forms = []Form{Collect, ShipToStore, Ship}[rapid.IntRange(0, 3).Draw(t, id+"forms"):]
	if rare("area") {
		s.Area = area
	}
	if rare("never") {
		s.Calendar.Schedule = never
	}
	return s
}

func drawnCandidate(t *rapid.T, area *geo.Area, never *hours.Schedule) *Candidate {
	rare := func(name string) bool { return rapid.IntRange(0, 5).Draw(t, name) == 0 }
	r := &Request{Now: monday, Form: Form(rapid.IntRange(0, 2).Draw(t, "form")), HasPoint: !rare("no point"), Channel: "web"}
	left := int64(1)
	if rare("full") {
		left = 0
	}
	r.Room = func(*Site, time.Time, int) (int64, time.Time) { return left, time.Time{} }
	c := &Candidate{Site: drawnSite(t, "x", area, never), Request: r, Distance: geo.Meters(rapid.IntRange(0, 3).Draw(t, "distance"))}
	if !rare("no store") {
		r.At = drawnSite(t, rapid.SampledFrom([]string{"x", "y", "y"}).Draw(t, "store"), area, never)
		if r.At.ID == "x" {
			r.At = c.Site
		}
	}
	if rare("inside") {
		r.Near = geo.Point{Lat: 50.5, Lon: 19.5}
	}
	r.Kinds = uint8(rapid.SampledFrom([]int{0, 0, 3, 4}).Draw(t, "kinds"))
	r.CollectAt = uint8(rapid.SampledFrom([]int{0, 3, 3, 5}).Draw(t, "collect at"))
	r.Within = geo.Meters(rapid.SampledFrom([]int{0, 0, 2}).Draw(t, "within"))
	r.Payment = rapid.SampledFrom([]string{"", "till", "prepaid"}).Draw(t, "payment")
	r.Groups = rapid.SampledFrom([][]string{nil, nil, {"city"}, {"north", "south"}}).Draw(t, "groups")
	r.Exclude = rapid.SampledFrom([][]string{nil, nil, nil, {"z", "x"}}).Draw(t, "exclude")
	soon := func(name string) time.Time {
		n := rapid.IntRange(0, 40).Draw(t, name)
		if n > 20 {
			return time.Time{}
		}
		return monday.Add(time.Duration(n))
	}
	r.Window, r.NeededBy = soon("window"), soon("needed by")
	if rare("by rule") {
		c.Left = -1
	}
	return c
}

// TestFirstReason: a candidate counts under the first reason, in the order of the
// numbers, that holds by itself; with none it passes.
func TestFirstReason(t *testing.T) {
	area, never := area(t), schedule(t, "off")
	check := func(t rapid.TB, c *Candidate) Reason {
		want := Reason(0)
		for r := OtherOwner; r > 0; r-- {
			if holds(c, r) {
				want = r
			}
		}
		got, _ := judge(&keepsOne, c)
		if got != want {
			t.Fatalf("got %v, want %v: %+v of %+v for %+v", got, want, c, c.Site, c.Request)
		}
		return got
	}
	rapid.Check(t, func(t *rapid.T) { check(t, drawnCandidate(t, area, never)) })
	// The same draws in every run, short or not, so that nearly every reason is met.
	drawn := rapid.Custom(func(t *rapid.T) *Candidate { return drawnCandidate(t, area, never) })
	seen := make(map[Reason]int)
	for seed := range 300 {
		seen[check(t, drawn.Example(seed))]++
	}
	if len(seen) < 10 {
		t.Errorf("only %d reasons were drawn: %v", len(seen), seen)
	}
}

// TestLate: a promise that is known and too late is a reason, one that is not
// known is none.
func TestLate(t *testing.T) {
	var rules Rules
	c := candidate(t)
	if reason, _ := rules.Check(c); reason != 0 {
		t.Errorf("no promise is known, yet %v", reason)
	}
	c.Ready = c.Request.NeededBy.Add(1)
	if reason, _ := rules.Check(c); reason != Late {
		t.Errorf("late, yet %v", reason)
	}
	c.Ready = c.Request.NeededBy
	if reason, _ := rules.Check(c); reason != 0 {
		t.Errorf("in time, yet %v", reason)
	}
	c.Request.Window = c.Ready.Add(-1)
	if reason, _ := rules.Check(c); reason != Late {
		t.Errorf("after the window begins, yet %v", reason)
	}
}
