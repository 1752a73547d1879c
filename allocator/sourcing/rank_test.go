package sourcing

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/clickcollect/clickcollect/allocator/hours"
	"github.com/clickcollect/clickcollect/geo"
)

// drawn draws candidates of one request from few values, so that keys tie often.
func drawn(t *rapid.T, request *Request) []*Candidate {
	list := make([]*Candidate, rapid.IntRange(2, 12).Draw(t, "candidates"))
	for i := range list {
		draw := func(name string, low, high int64) int64 { return rapid.Int64Range(low, high).Draw(t, name) }
		list[i] = &Candidate{
			Site:     &Site{ID: fmt.Sprintf("s%02d", i), Kind: uint8(draw("kind", 0, 3)), Priority: int(draw("priority", -1, 1))},
			Request:  request,
			Distance: geo.Meters(draw("distance", 0, 3)) * 2500,
			Cost:     draw("cost", 0, 2), Left: draw("left", 0, 2), Room: draw("room", -2, 2),
		}
		if draw("ready", 0, 3) > 0 {
			list[i].Ready = monday.Add(time.Duration(draw("minutes", -1, 2)) * time.Minute)
		}
	}
	return list
}

func drawnKey(t *rapid.T) Key {
	by := Ranking(rapid.IntRange(1, 6).Draw(t, "by"))
	key := Keys(by)[0]
	switch rapid.IntRange(0, 5).Draw(t, "made") {
	case 1:
		key = by.In(rapid.Float64Range(0.5, 6000).Draw(t, "step"))
	case 2:
		key = KindsFirst(2, 0)
	case 3:
		key = key.Reverse()
	case 4:
		key = key.While(hours.Calendar{}, KindsFirst(1))
	case 5:
		key = Key{Name: "mine", Compare: func(a, b *Candidate) int { return len(a.Site.Groups) - len(b.Site.Groups) }}
	}
	return key
}

// weakOrder reports the first law of a strict weak order that a comparison
// breaks, over all triples; total means that nothing but a thing itself ties.
func weakOrder(list []*Candidate, total bool, compare func(a, b *Candidate) int) string {
	sign := func(a, b *Candidate) int { return min(1, max(-1, compare(a, b))) }
	for _, a := range list {
		if sign(a, a) != 0 {
			return "not reflexive"
		}
		for _, b := range list {
			if sign(a, b) != -sign(b, a) {
				return "not antisymmetric"
			}
			if total && a != b && sign(a, b) == 0 {
				return "two sites tie"
			}
			for _, c := range list {
				if sign(a, b) <= 0 && sign(b, c) <= 0 && sign(a, c) > 0 || sign(a, b) == 0 && sign(b, c) == 0 && sign(a, c) != 0 {
					return "not transitive"
				}
			}
		}
	}
	return ""
}

// TestCompareIsAnOrder: whatever the keys, candidates are totally ordered, and
// each key by itself is a weak order.
func TestCompareIsAnOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		request := &Request{Now: monday, Prefer: []string{"s03", "s01"}[:rapid.IntRange(0, 2).Draw(t, "prefer")]}
		list := drawn(t, request)
		var rules Rules
		for range rapid.IntRange(0, 4).Draw(t, "keys") {
			key := drawnKey(t)
			if fault := weakOrder(list, false, key.Compare); fault != "" {
				t.Fatalf("key %q: %s", key.Name, fault)
			}
			rules.Keys = append(rules.Keys, key)
		}
		if fault := weakOrder(list, true, rules.Compare); fault != "" {
			t.Fatal(fault)
		}
		if best := slices.MinFunc(list, rules.Compare); len(request.Prefer) > 0 && len(list) > 3 && best.Site.ID != "s03" {
			t.Fatalf("preferred s03, got %s", best.Site.ID)
		}
	})
}

// TestWeakOrderCanary: the checker sees orders that are none.
func TestWeakOrderCanary(t *testing.T) {
	list := make([]*Candidate, 3)
	for i := range list {
		list[i] = &Candidate{Site: &Site{}, Left: int64(i)}
	}
	for want, compare := range map[string]func(a, b *Candidate) int{
		"not reflexive":     func(a, b *Candidate) int { return -1 },
		"not antisymmetric": func(a, b *Candidate) int { return int(max(0, a.Left-b.Left)) },
		"not transitive":    func(a, b *Candidate) int { return int((a.Left-b.Left+4)%3) - 1 },
		"two sites tie":     func(a, b *Candidate) int { return 0 },
	} {
		if got := weakOrder(list, true, compare); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// ranked is two candidates of which the second is better by one ranking only.
func ranked(by Ranking) (worse, better *Candidate) {
	r := &Request{Now: monday}
	worse = &Candidate{Site: &Site{ID: "a", Priority: 5}, Request: r, Distance: 10, Ready: monday.Add(time.Hour), Cost: 7, Left: 3, Room: 4}
	copied, site := *worse, *worse.Site
	site.ID = "b"
	better = &copied
	better.Site = &site
	switch by {
	case ByDistance:
		better.Distance = 9.5
	case ByPriority:
		better.Site.Priority = 4
	case ByReady:
		better.Ready = monday.Add(time.Hour - 1)
	case ByCost:
		better.Cost = 6
	case ByLeft:
		better.Left = 4
	case ByRoom:
		better.Room = 5
	}
	return worse, better
}

// TestRankings: each ranking sees its own attribute and no other, and what is not
// known is worst.
func TestRankings(t *testing.T) {
	for key := ByDistance; key <= ByRoom; key++ {
		for by := ByDistance; by <= ByRoom; by++ {
			a, b := ranked(by)
			rules := Rules{Keys: Keys(key)}
			if got := rules.Compare(a, b) > 0; got != (key == by) {
				t.Errorf("%v for a difference in %v: the other is better: %v", key, by, got)
			}
			rules.Keys = []Key{Keys(key)[0].Reverse()}
			if rules.Compare(a, b) > 0 {
				t.Errorf("%v reversed, for a difference in %v: the other is better", key, by)
			}
		}
	}
	a, b := ranked(ByCost)
	for name, test := range map[string]struct {
		unknown func(*Candidate)
		by      Ranking
		better  int
	}{
		"not ready":        {func(c *Candidate) { c.Ready = time.Time{} }, ByReady, 1},
		"no distance":      {func(c *Candidate) { c.Distance = geo.Meters(math.NaN()) }, ByDistance, 1},
		"room not limited": {func(c *Candidate) { c.Room = -7 }, ByRoom, -1},
	} {
		worse := *a
		test.unknown(&worse)
		for _, key := range []Key{Keys(test.by)[0], test.by.In(0.001)} {
			if n := key.Compare(&worse, b); n != test.better {
				t.Errorf("%s, %s: got %d", name, key.Name, n)
			}
			if n := key.Compare(&worse, &worse); n != 0 {
				t.Errorf("%s, %s: does not tie with itself", name, key.Name)
			}
		}
	}
}

// TestDefaultOrder: without keys the nearest is best, then the lower ID, which is
// what a search by distance gives.
func TestDefaultOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := drawn(t, &Request{Now: monday})
		var none Rules
		keyed := Rules{Keys: Keys(ByDistance)}
		for _, a := range list {
			for _, b := range list {
				want := strings.Compare(a.Site.ID, b.Site.ID)
				if a.Distance != b.Distance {
					want = int(a.Distance - b.Distance)
				}
				got, with := none.Compare(a, b), keyed.Compare(a, b)
				if got*want < 0 || (got == 0) != (want == 0) || got != with {
					t.Fatalf("%v and %v: %d without keys, %d with distance, want %d", a, b, got, with, want)
				}
			}
		}
	})
	for want, rules := range map[bool][]Rules{
		true:  {{}, {Keys: Keys(ByDistance)}, {Hard: []Filter{OpenNow()}}},
		false: {{Keys: Keys(ByPriority)}, {Keys: Keys(ByDistance, ByCost)}, {Keys: []Key{ByDistance.In(9)}}, {Keys: []Key{Keys(ByDistance)[0].Reverse()}}},
	} {
		for _, r := range rules {
			if r.Nearest() != want {
				t.Errorf("%v: nearest first is %v", r.Keys, !want)
			}
		}
	}
}

// TestBands: in steps, what is about the same ties.
func TestBands(t *testing.T) {
	key := ByDistance.In(5000)
	at := func(m geo.Meters) *Candidate { return &Candidate{Site: &Site{}, Request: &Request{}, Distance: m} }
	for _, test := range []struct {
		a, b geo.Meters
		want int
	}{{0, 4999.9, 0}, {4999.9, 5000, -1}, {5000, 9999, 0}, {10000, 9999, 1}} {
		if got := key.Compare(at(test.a), at(test.b)); got != test.want {
			t.Errorf("%v and %v m: %d, want %d", test.a, test.b, got, test.want)
		}
	}
	rooms := []int64{0, 9, 10, -1} // the more, the better
	for i, room := range rooms {
		for j, other := range rooms {
			a, b := &Candidate{Room: room}, &Candidate{Room: other}
			want := cmp.Compare(max(1, j), max(1, i))
			if got := ByRoom.In(10).Compare(a, b); got != want {
				t.Errorf("room for %d and %d: %d, want %d", room, other, got, want)
			}
		}
	}
	for _, step := range []float64{0, -1, math.NaN(), math.Inf(1)} {
		if key := ByDistance.In(step); key.Name != "distance" || key.Compare(at(1), at(2)) >= 0 {
			t.Errorf("a step of %v is one", step)
		}
	}
}

// TestFilters: each filter passes and fails where it says.
func TestFilters(t *testing.T) {
	c := candidate(t)
	c.Ready = monday.Add(time.Hour)
	never := hours.Calendar{Schedule: new(hours.Schedule)}
	for _, test := range []struct {
		filter Filter
		name   string
		want   bool
	}{
		{InGroups("north", "city"), "in north or city", true},
		{InGroups("north"), "in north", false},
		{OwnedBy("", "Mrs Nowak"), `owned by ["" "Mrs Nowak"]`, true},
		{OwnedBy("Mr Nowak"), `owned by ["Mr Nowak"]`, false},
		{OwnedBy("Mr Nowak").For(Ship, ShipToStore), `owned by ["Mr Nowak"]`, true},
		{OwnedBy("Mr Nowak").For(Ship, Collect), `owned by ["Mr Nowak"]`, false},
		{OwnedBy("Mrs Nowak").Not(), `not owned by ["Mrs Nowak"]`, false},
		{OwnedBy("Mr Nowak").And(OwnedBy("x").Not()), `owned by ["Mr Nowak"] and not owned by ["x"]`, false},
		{OwnedBy("Mr Nowak").Or(OwnedBy("x")).While(c.Site.Calendar).Called("not owned"), "not owned", false},
		{OwnedBy("Mr Nowak").And(OpenNow()).Called("owned, near"), "owned, near", false},
		{OfKinds(0, 1), "of kinds [0 1]", true},
		{OfKinds(2), "of kinds [2]", false},
		{Within(1300), "within 1.3 km", true},
		{Within(1299), "within 1.299 km", false},
		{ReadyIn(time.Hour), "ready in 1h0m0s", true},
		{ReadyIn(time.Hour - 1), "ready in 59m59.999999999s", false},
		{OpenNow(), "open now", true},
		{Within(1).Not(), "not within 0.001 km", true},
		{OpenNow().And(Within(1)), "open now and within 0.001 km", false},
		{OpenNow().Or(Within(1)), "open now or within 0.001 km", true},
		{Within(1).While(never), "within 0.001 km at times", true},
		{Within(1).While(c.Site.Calendar).Called("near"), "near", false},
	} {
		rules := Rules{Hard: []Filter{test.filter}, Soft: []Filter{test.filter}}
		reason, detail := rules.Check(c)
		soft, missed := rules.Given(c, 1)
		want, name := ByRule, test.name
		if strings.Contains(name, "owned") && !strings.Contains(name, "near") {
			want = OtherOwner
		}
		if test.want {
			want, name = 0, ""
		}
		if reason != want || soft != want || detail != name || missed != name {
			t.Errorf("%s: got %v %q, %v %q", test.name, reason, detail, soft, missed)
		}
		if test.filter.Name != test.name {
			t.Errorf("got the name %q, want %q", test.filter.Name, test.name)
		}
	}
	c.Ready = time.Time{}
	if ReadyIn(time.Hour).Pass(c) {
		t.Error("a promise that is not known is soon")
	}
}

// TestSoft gives up the last condition first.
func TestSoft(t *testing.T) {
	rules := Rules{Soft: []Filter{Within(5000), OpenNow(), OfKinds(7)}}
	c := candidate(t)
	for soft, want := range map[int]string{-1: "", 0: "", 1: "", 2: "", 3: "of kinds [7]", 9: "of kinds [7]"} {
		if reason, name := rules.Given(c, soft); (reason == 0) != (want == "") || name != want {
			t.Errorf("%d: %v %q, want %q", soft, reason, name, want)
		}
	}
	for soft, want := range map[int][]string{-1: {"within 5 km", "open now", "of kinds [7]"}, 3: nil, 2: {"of kinds [7]"}, 1: {"open now", "of kinds [7]"}, 9: nil} {
		if got := rules.GivenUp(soft); !slices.Equal(got, want) {
			t.Errorf("%d: gave up %q, want %q", soft, got, want)
		}
	}
}

// TestPanics: a rule that panics rules out, ties or costs nothing, and is told.
func TestPanics(t *testing.T) {
	var told []string
	hook := func(rule string, value any) {
		told = append(told, fmt.Sprint(rule, ": ", value))
		panic("the hook too")
	}
	broken := Filter{Name: "broken", Pass: func(c *Candidate) bool { return c.Request.At.Offline }}
	key := Key{Name: "bad key", Compare: func(a, b *Candidate) int { panic("no idea") }}
	a, b := ranked(ByDistance)
	for _, hook := range []func(string, any){hook, nil} {
		told = nil
		rules := Rules{Hard: []Filter{broken.Not()}, Soft: []Filter{broken, {Name: "empty"}}, Keys: []Key{key, key.Reverse(), {Name: "none"}, Keys(ByDistance)[0]}, Panicked: hook}
		rules.Costs = Costs{PerLine: 5, Price: func(string, int64, *Site) int64 { panic(7) }, Panicked: hook}
		c := candidate(t)
		if reason, detail := rules.Check(c); reason != ByRule || detail != "not broken" {
			t.Errorf("got %v %q", reason, detail)
		}
		if reason, name := rules.Given(c, 2); reason != ByRule || name != "broken" {
			t.Errorf("the filter passed: %q", name)
		}
		if rules.Compare(a, b) <= 0 || rules.Compare(b, a) >= 0 {
			t.Error("the key behind the broken one does not decide")
		}
		if cost := rules.Costs.Line("x", 1, c.Site); cost != 5 {
			t.Errorf("the line costs %d", cost)
		}
		broken := hours.Calendar{Schedule: schedule(t, "Mo-Su 09:00-17:00; PH off"), Holiday: func(int, time.Month, int) bool { panic("no list") }}
		for _, k := range []Key{key.While(hours.Calendar{}, KindsFirst()), KindsFirst().While(broken, KindsFirst()),
			KindsFirst().While(hours.Calendar{Schedule: new(hours.Schedule)}, key)} {
			rules.Keys = []Key{k}
			if rules.Compare(a, b) >= 0 {
				t.Errorf("%s: the ID does not decide", k.Name)
			}
		}
		want := 0
		if hook != nil {
			want = 2 + 2*3 + 1 + 3
		}
		if len(told) != want || want > 0 && (told[2] != "bad key: no idea" || told[want-4] != "price: 7") {
			t.Errorf("told %q", told)
		}
	}
}
