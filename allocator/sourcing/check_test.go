package sourcing

import (
	"slices"
	"testing"
	"time"

	"github.com/clickcollect/clickcollect/allocator/hours"
	"github.com/clickcollect/clickcollect/geo"
)

var (
	monday = time.Date(2026, time.March, 2, 10, 0, 0, 0, time.UTC)
	square = []geo.Point{{Lat: 50, Lon: 19}, {Lat: 50, Lon: 20}, {Lat: 51, Lon: 20}, {Lat: 51, Lon: 19}, {Lat: 50, Lon: 19}}
)

func schedule(t testing.TB, text string) *hours.Schedule {
	t.Helper()
	s, err := hours.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func area(t testing.TB) *geo.Area {
	t.Helper()
	a, err := geo.NewArea(square)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// candidate is a site with every attribute set, for a request that asks for
// every one of them, and passes.
func candidate(t testing.TB) *Candidate {
	return &Candidate{
		Site: &Site{
			ID: "krakow-1", Kind: 1, Point: geo.Point{Lat: 50.06, Lon: 19.94}, Area: area(t),
			Groups: []string{"south", "city"}, Owner: "Mrs Nowak", Forms: []Form{Collect, Ship}, Payments: []string{"prepaid", "till"},
			Channels: []string{"app", "web"}, Calendar: hours.Calendar{Schedule: schedule(t, "Mo-Fr 09:00-17:00")},
			Prep: time.Hour, CutOff: 15 * time.Hour,
		},
		Request: &Request{
			Now: monday, Near: geo.Point{Lat: 50.05, Lon: 19.93}, HasPoint: true, Kinds: 1<<1 | 1<<3, Within: 5000,
			Payment: "till", Channel: "web", Groups: []string{"north", "city"}, Exclude: []string{"krakow-2"},
			NeededBy: monday.Add(2 * time.Hour),
			Room:     func(*Site, time.Time, int) (int64, time.Time) { return 3, monday.Add(8 * time.Hour) },
			Lines:    2,
		},
		Distance: 1300,
	}
}

// judge is what the door does: Static, Promise, Check.
func judge(r *Rules, c *Candidate) (Reason, string) {
	if reason, detail := c.Static(); reason != 0 {
		return reason, detail
	}
	if _, reason := c.Promise(c.Request.Lines); reason != 0 {
		return reason, ""
	}
	return r.Check(c)
}

// faults change one attribute of a candidate that passes, so that exactly one
// reason holds. They stand in the order in which reasons are looked at.
var faults = []struct {
	name   string
	change func(*Candidate)
	reason Reason
	detail string
}{
	{"too far", func(c *Candidate) { c.Distance = 5001 }, TooFar, ""},
	{"kind", func(c *Candidate) { c.Site.Kind = 2 }, WrongKind, ""},
	{"kind out of range", func(c *Candidate) { c.Site.Kind = 200 }, WrongKind, ""},
	{"area", func(c *Candidate) { c.Request.Near.Lat = 51.5 }, OutsideArea, ""},
	{"offline", func(c *Candidate) { c.Site.Offline = true }, Offline, ""},
	{"channel", func(c *Candidate) { c.Request.Channel = "phone" }, NotInChannel, ""},
	{"no channel", func(c *Candidate) { c.Request.Channel = "" }, NotInChannel, ""},
	{"form", func(c *Candidate) { c.Site.Forms = []Form{Ship} }, NoSuchForm, ""},
	{"payment", func(c *Candidate) { c.Request.Payment = "on delivery" }, NoSuchPayment, ""},
	{"group", func(c *Candidate) { c.Site.Groups = []string{"south"} }, NotInGroup, ""},
	{"excluded", func(c *Candidate) { c.Request.Exclude = []string{"x", "krakow-1"} }, Excluded, ""},
	{"site without a place", func(c *Candidate) { c.Site.Unplaced = true }, Unplaced, ""},
	{"customer without a place", func(c *Candidate) { c.Request.HasPoint = false }, Unplaced, ""},
	{"closed", func(c *Candidate) { c.Site.Calendar.Holiday = nil; c.Site.Calendar.Schedule = new(hours.Schedule) }, Closed, ""},
	{"late", func(c *Candidate) { c.Request.NeededBy = monday.Add(time.Hour - 1) }, Late, ""},
	{"late for the window", func(c *Candidate) { c.Request.Window = monday.Add(time.Hour - 1) }, Late, ""},
	{"prep", func(c *Candidate) { c.Site.Prep = 2*time.Hour + 1 }, Late, ""},
	{"cut-off", func(c *Candidate) { c.Site.CutOff = 10*time.Hour - 1 }, Late, ""},
	{"full", func(c *Candidate) {
		c.Request.Room = func(*Site, time.Time, int) (int64, time.Time) { return 0, time.Time{} }
	}, Full, ""},
	{"rule", func(c *Candidate) { c.Left = -1 }, ByRule, "keeps one"},
}

var keepsOne = Rules{Hard: []Filter{{Name: "keeps one", Pass: func(c *Candidate) bool { return c.Left >= 0 }}}}

// TestReasons finds each reason alone, and none when the change is taken back.
func TestReasons(t *testing.T) {
	var want []Reason
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			c := candidate(t)
			if reason, detail := judge(&keepsOne, c); reason != 0 {
				t.Fatalf("the candidate does not pass unchanged: %v %q", reason, detail)
			}
			f.change(c)
			if reason, detail := judge(&keepsOne, c); reason != f.reason || detail != f.detail {
				t.Errorf("got %v %q, want %v %q", reason, detail, f.reason, f.detail)
			}
		})
		want = append(want, f.reason)
	}
	if !slices.IsSorted(want) {
		t.Errorf("the faults are not in the order of the reasons: %v", want)
	}
}

// TestReasonPrecedence breaks a candidate in two ways: the reason that is looked
// at first is told.
func TestReasonPrecedence(t *testing.T) {
	for i, first := range faults {
		for _, second := range faults[i+1:] {
			c := candidate(t)
			second.change(c)
			first.change(c)
			want := first.reason
			switch {
			case first.name == "area" && second.name == "customer without a place":
				want = Unplaced // nobody is outside without a place
			case first.name == "too far" && second.reason == Unplaced:
				want = Unplaced // nor far
			}
			if reason, _ := judge(&keepsOne, c); reason != want {
				t.Errorf("%s and %s: got %v, want %v", first.name, second.name, reason, want)
			}
		}
	}
}

// TestChosenStore: a store the customer names needs no place and no area, but
// all the rest.
func TestChosenStore(t *testing.T) {
	for _, f := range faults {
		c := candidate(t)
		f.change(c)
		c.Request.At = c.Site
		want := f.reason
		if want == OutsideArea || want == Unplaced {
			want = 0
		}
		if reason, _ := judge(&keepsOne, c); reason != want {
			t.Errorf("%s: got %v, want %v", f.name, reason, want)
		}
	}
	c := candidate(t)
	same := *c.Site
	c.Request.At, c.Request.HasPoint = &same, false
	if reason, _ := judge(&keepsOne, c); reason != 0 {
		t.Errorf("another copy of the same site: %v", reason)
	}
}

// TestBroughtToStore: for ship-to-store, what holds against the chosen store
// holds against every source, and says so.
func TestBroughtToStore(t *testing.T) {
	brought := func() (*Candidate, *Site) {
		c := candidate(t)
		at := *c.Site
		at.ID, at.Forms = "krakow-9", []Form{Collect}
		c.Request.Form, c.Request.At, c.Request.HasPoint = ShipToStore, &at, false
		c.Request.Near = geo.Point{}
		c.Site.Forms, c.Site.Payments, c.Site.Transfer = []Form{ShipToStore}, []string{"none"}, time.Hour
		return c, &at
	}
	for _, f := range []struct {
		name   string
		change func(c *Candidate, at *Site)
		reason Reason
		detail string
	}{
		{"nothing", func(*Candidate, *Site) {}, 0, ""},
		{"no store", func(c *Candidate, _ *Site) { c.Request.At = nil }, NoSuchForm, "no chosen store"},
		{"source far", func(c *Candidate, _ *Site) { c.Distance = 6000 }, TooFar, ""},
		{"source offline", func(c *Candidate, _ *Site) { c.Site.Offline = true }, Offline, ""},
		{"store offline", func(_ *Candidate, at *Site) { at.Offline = true }, Offline, "krakow-9"},
		{"source's channel", func(c *Candidate, _ *Site) { c.Site.Channels = []string{"app"} }, NotInChannel, ""},
		{"store's channel", func(_ *Candidate, at *Site) { at.Channels = []string{"app"} }, NotInChannel, "krakow-9"},
		{"source sends nothing", func(c *Candidate, _ *Site) { c.Site.Forms = []Form{Collect} }, NoSuchForm, ""},
		{"store's kind", func(c *Candidate, at *Site) { c.Request.Kinds, c.Request.CollectAt, at.Kind, at.Forms = 0, 2, 2, nil }, WrongKind, "krakow-9"},
		{"store's own forms", func(c *Candidate, at *Site) { c.Request.Kinds, c.Request.CollectAt, at.Kind = 0, 2, 2 }, 0, ""},
		{"source's kind", func(c *Candidate, at *Site) {
			c.Request.Kinds, c.Request.CollectAt, c.Site.Kind, at.Kind, at.Forms = 0, 2, 2, 1, nil
		}, 0, ""},
		{"nobody collects", func(_ *Candidate, at *Site) { at.Forms = []Form{Ship} }, NoSuchForm, "krakow-9"},
		{"store's payment", func(_ *Candidate, at *Site) { at.Payments = []string{"prepaid"} }, NoSuchPayment, "krakow-9"},
		{"source without a place", func(c *Candidate, _ *Site) { c.Site.Unplaced = true }, Unplaced, ""},
		{"store without a place", func(_ *Candidate, at *Site) { at.Unplaced = true }, Unplaced, ""},
		{"store closed", func(_ *Candidate, at *Site) { at.Calendar.Schedule = new(hours.Schedule) }, Closed, ""},
		{"long way", func(c *Candidate, _ *Site) { c.Site.Transfer = 61 * time.Minute }, Late, ""},
		{"the store itself", func(c *Candidate, at *Site) { c.Site, c.Site.Transfer = at, 100*time.Hour }, 0, ""},
	} {
		c, at := brought()
		f.change(c, at)
		if reason, detail := judge(&keepsOne, c); reason != f.reason || detail != f.detail {
			t.Errorf("%s: got %v %q, want %v %q", f.name, reason, detail, f.reason, f.detail)
		}
	}
}

// TestReasonWords: every reason has words of its own that are read back, and
// four have fixed numbers.
func TestReasonWords(t *testing.T) {
	if TooFar != 1 || WrongKind != 2 || OutsideArea != 3 || Short != 4 || Apart != 21 || OtherOwner != 22 {
		t.Error("a fixed number has changed")
	}
	seen := make(map[string]Reason)
	for r := range OtherOwner + 1 {
		text, err := r.MarshalText()
		if err != nil || r > 0 && string(text) != r.String() || (r == 0) != (len(text) == 0) {
			t.Errorf("%d: text %q, words %q, %v", r, text, r, err)
		}
		if other, ok := seen[string(text)]; ok {
			t.Errorf("%d and %d are both %q", r, other, text)
		}
		seen[string(text)] = r
		var back Reason
		if err := back.UnmarshalText(text); err != nil || back != r {
			t.Errorf("%q is read back as %d, %v", text, back, err)
		}
	}
	if _, err := (OtherOwner + 1).MarshalText(); err == nil || (OtherOwner+1).String() != "Reason(23)" {
		t.Error("a number that is no reason has words")
	}
	var r Reason
	if r.UnmarshalText([]byte("nonsense")) == nil {
		t.Error("nonsense is a reason")
	}
	var f Form
	for k := range Ship + 1 {
		text, err := k.MarshalText()
		if err != nil || f.UnmarshalText(text) != nil || f != k {
			t.Errorf("form %d: %q, %v", k, text, err)
		}
	}
	if _, err := Form(9).MarshalText(); err == nil || f.UnmarshalText([]byte("x")) == nil || Form(9).String() != "Form(9)" {
		t.Error("a number that is no form has words")
	}
}

// TestValidate reports every fault at once.
func TestValidate(t *testing.T) {
	if err := new(Rules).Validate(); err != nil {
		t.Error(err)
	}
	good := Rules{Hard: []Filter{OpenNow()}, Soft: []Filter{Within(3)}, Keys: Keys(ByReady, ByDistance), MaxLocations: 3}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	bad := Rules{
		Hard: []Filter{{Name: "x"}}, Soft: []Filter{{Pass: func(*Candidate) bool { return true }, Reason: OtherOwner + 1}}, Keys: Keys(77, 0, ByRoom+1),
		Costs: Costs{Parcel: -1, Transfer: -2, PerKm: -3, PerLine: -4}, MaxLocations: -1, CoolDown: -1, MaxRejects: -1, AcceptWithin: -1,
	}
	want := `sourcing: Hard[0] "x" has no function
sourcing: Soft[0] has the name ""
sourcing: Soft[0] has a reason that is none: 23
sourcing: Keys[0] "Ranking(77)" has no function
sourcing: Keys[1] "Ranking(0)" has no function
sourcing: Keys[2] "Ranking(7)" has no function
sourcing: MaxLocations is below 0: -1
sourcing: MaxRejects is below 0: -1
sourcing: CoolDown is below 0: -1
sourcing: AcceptWithin is below 0: -1
sourcing: Costs.Parcel is below 0: -1
sourcing: Costs.Transfer is below 0: -2
sourcing: Costs.PerKm is below 0: -3
sourcing: Costs.PerLine is below 0: -4`
	if err := bad.Validate(); err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

// TestCollectAt: without Kinds customers collect only at the kinds of CollectAt and
// where a site's Forms say so; with Kinds, and whatever is not collected, it does not count.
func TestCollectAt(t *testing.T) {
	for _, f := range []struct {
		name          string
		form          Form
		kinds, at     uint8
		forms         []Form
		allowed, pass bool
	}{
		{"nothing asked", Collect, 0, 0, nil, true, true},
		{"of another kind", Collect, 0, 0b001, nil, false, false},
		{"of its kind", Collect, 0, 0b100, nil, true, true},
		{"its forms say so", Collect, 0, 0b001, []Form{Ship, Collect}, true, true},
		{"its forms say no", Collect, 0, 0b100, []Form{Ship}, true, false},
		{"the order says so", Collect, 0b100, 0b001, nil, true, true},
		{"the order says so, its forms say no", Collect, 0b100, 0b001, []Form{Ship}, true, false},
		{"the order says another", Collect, 0b010, 0b100, []Form{Collect}, false, false},
		{"sent", Ship, 0, 0b001, nil, true, true},
	} {
		c := candidate(t)
		c.Site.Kind, c.Site.Forms = 2, f.forms
		c.Request.Form, c.Request.Kinds, c.Request.CollectAt = f.form, f.kinds, f.at
		if got := c.Request.Allows(c.Site); got != f.allowed {
			t.Errorf("%s: allowed: %v", f.name, got)
		}
		if reason, _ := c.Static(); (reason == 0) != f.pass || !f.allowed && reason != WrongKind {
			t.Errorf("%s: %v", f.name, reason)
		}
	}
}
