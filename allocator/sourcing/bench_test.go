package sourcing

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/clickcollect/clickcollect/allocator/hours"
	"github.com/clickcollect/clickcollect/geo"
)

// crowd is candidates of one request, as a search finds them.
func crowd(b *testing.B, n int, r *Request) []Candidate {
	b.Helper()
	random := rand.New(rand.NewPCG(4, 1))
	list := make([]Candidate, n)
	for i := range list {
		list[i] = Candidate{
			Site:    &Site{ID: fmt.Sprintf("site-%04d", i), Kind: uint8(random.IntN(3)), Groups: []string{"north", "city"}[random.IntN(2):], Priority: random.IntN(3)},
			Request: r, Distance: geo.Meters(random.Float64() * 50_000), Cost: random.Int64N(1000), Room: -1,
		}
	}
	return list
}

// benchRules are rules of rising length, and a request that goes with them.
func benchRules(b *testing.B) []struct {
	name  string
	rules Rules
	r     Request
} {
	calendar := hours.Calendar{Schedule: schedule(b, "Mo-Fr 09:00-17:00")}
	mine := Filter{Name: "mine", Pass: func(c *Candidate) bool { return c.Site.Priority >= 0 }}
	return []struct {
		name  string
		rules Rules
		r     Request
	}{
		{"default", Rules{}, Request{Now: monday, HasPoint: true}},
		{"asked", Rules{}, Request{Now: monday, HasPoint: true, Kinds: 7, Within: 60_000, Groups: []string{"city"}, Exclude: []string{"a", "b"}}},
		{"keys", Rules{Hard: []Filter{Within(60_000)}, Keys: append([]Key{ByDistance.In(5000)}, Keys(ByPriority, ByCost)...)}, Request{Now: monday, HasPoint: true}},
		{"custom", Rules{Hard: []Filter{mine, OpenNow()}, Keys: []Key{KindsFirst(1).While(calendar, Keys(ByDistance)[0]),
			{Name: "mine", Compare: func(a, b *Candidate) int { return a.Site.Priority - b.Site.Priority }}}}, Request{Now: monday, HasPoint: true}},
	}
}

// BenchmarkCandidate is what judging one candidate takes: Check, and Compare with
// the best so far.
func BenchmarkCandidate(b *testing.B) {
	for _, test := range benchRules(b) {
		list := crowd(b, 256, &test.r)
		b.Run("op=check/rules="+test.name, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if reason, _ := test.rules.Check(&list[i%256]); reason != 0 {
					b.Fatal(reason)
				}
			}
		})
		b.Run("op=compare/rules="+test.name, func(b *testing.B) {
			b.ReportAllocs()
			better := 0
			for i := 0; b.Loop(); i++ {
				if test.rules.Compare(&list[i%256], &list[(i+7)%256]) < 0 {
					better++
				}
			}
		})
	}
}

// BenchmarkRank sorts 256 candidates.
func BenchmarkRank(b *testing.B) {
	for _, test := range benchRules(b) {
		list := crowd(b, 256, &test.r)
		order := make([]*Candidate, len(list))
		b.Run("rules="+test.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				for i := range list {
					order[i] = &list[i]
				}
				slices.SortFunc(order, test.rules.Compare)
			}
		})
	}
}

// BenchmarkPromise works out a promise.
func BenchmarkPromise(b *testing.B) {
	warsaw := zone(b, "Europe/Warsaw")
	week := hours.Calendar{Schedule: schedule(b, "Mo-Fr 09:00-17:00"), Zone: warsaw}
	friday := time.Date(2026, time.March, 6, 18, 0, 0, 0, warsaw)
	room := func(left int64) func(*Site, time.Time, int) (int64, time.Time) {
		return func(_ *Site, at time.Time, _ int) (int64, time.Time) {
			if at.Before(friday.Add(90 * time.Hour)) {
				return left, at.Add(time.Hour)
			}
			return 1, at.Add(time.Hour)
		}
	}
	for _, test := range []struct {
		name string
		site Site
		now  time.Time
		room func(*Site, time.Time, int) (int64, time.Time)
	}{
		{"hours=none", Site{Prep: time.Hour}, monday, nil},
		{"hours=none/cutoff", Site{Prep: time.Hour, CutOff: 15 * time.Hour, Calendar: hours.Calendar{Zone: warsaw}}, friday, nil},
		{"hours=week/open", Site{Prep: time.Hour, Calendar: week}, monday, nil},
		{"hours=week/closed", Site{Prep: time.Hour, Calendar: week}, friday, nil},
		{"hours=week/room", Site{Prep: time.Hour, Calendar: week}, monday, room(4)},
		{"hours=week/full", Site{Prep: time.Hour, Calendar: week}, friday, room(0)},
	} {
		b.Run(test.name, func(b *testing.B) {
			b.ReportAllocs()
			c := Candidate{Site: &test.site, Request: &Request{Now: test.now, Room: test.room}}
			for b.Loop() {
				if _, reason := c.Promise(2); reason != 0 {
					b.Fatal(reason)
				}
			}
		})
	}
}

// BenchmarkCosts is the cost of a part with one line.
func BenchmarkCosts(b *testing.B) {
	list := crowd(b, 256, &Request{Form: Ship})
	for _, test := range []struct {
		name  string
		price func(string, int64, *Site) int64
	}{{"none", nil}, {"custom", func(_ string, units int64, _ *Site) int64 { return units * 3 }}} {
		b.Run("price="+test.name, func(b *testing.B) {
			b.ReportAllocs()
			c := Costs{Parcel: 400, PerKm: 30, PerLine: 20, Price: test.price}
			var sum int64
			for i := 0; b.Loop(); i++ {
				sum += c.Sum(c.Part(&list[i%256]), c.Line("SKU-1", 2, list[i%256].Site))
			}
			if sum == 0 {
				b.Fatal("costs nothing")
			}
		})
	}
}

// BenchmarkExplanation is the text of 20 sites.
func BenchmarkExplanation(b *testing.B) {
	e := split()
	for range 17 {
		e.Rejected = append(e.Rejected, e.Rejected[0])
	}
	b.ReportAllocs()
	for b.Loop() {
		_ = e.String()
	}
}
