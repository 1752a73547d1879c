package sourcing

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/clickcollect/clickcollect/geo"
)

func split() Explanation {
	return Explanation{
		Order: "SO-1", At: monday,
		Chosen: []Considered{
			{Site: "krakow-1", Form: Collect, Distance: 1234.56789, Ready: monday.Add(time.Hour), Cost: 40, Lines: []string{"A", "B"}},
			{Site: "lodz-2", Form: ShipToStore, Distance: 220000, Ready: monday.Add(26 * time.Hour), Cost: 6790, Lines: []string{"C"}},
		},
		Rejected: []Considered{
			{Site: "krakow-3", Distance: 800, Reason: Short, Detail: "B"},
			{Site: "krakow-9", Form: Ship, Distance: 900.04, Reason: ByRule, Detail: "open now"},
			{Site: "nowhere", Form: Collect, Distance: geo.Meters(math.NaN()), Reason: Unplaced},
		},
		More: 4, GivenUp: []string{"ready in 2h0m0s"}, Cost: 6830, Bound: 6800,
	}
}

func TestExplanationText(t *testing.T) {
	e := split()
	e.Rejected[2].Distance = 0
	got := e.String() + e.Text(1)
	e = Explanation{Order: "a\nb", At: monday, Rejected: []Considered{{Site: "x\ny", Reason: Short, Detail: "d\ne"}}, GivenUp: []string{"f\ng"}}
	got += e.String()
	e = Explanation{Order: "SO-3", At: monday, Chosen: []Considered{{Site: "s", Form: Ship, Lines: []string{"h\ni"}}}, Exact: true}
	got += e.Text(-1)
	e.Exact = false
	if e.Text(-1) != got[strings.LastIndex(got, "order"):] {
		t.Errorf("a bound that is not known is told: %s", e)
	}
	want := `order "SO-1" at 2026-03-02T10:00:00Z: 2 locations, cost 6830, no split below 6800
  given up: ready in 2h0m0s
  + "krakow-1" collect 1.2 km, ready 2026-03-02T11:00:00Z, cost 40: A, B
  + "lodz-2" ship to store 220.0 km, ready 2026-03-03T12:00:00Z, cost 6790: C
  - "krakow-3" collect 0.8 km: short (B)
  - "krakow-9" ship 0.9 km: by rule (open now)
  - "nowhere" collect 0.0 km: no coordinates
  and 4 more
order "SO-1" at 2026-03-02T10:00:00Z: 2 locations, cost 6830, no split below 6800
  given up: ready in 2h0m0s
  + "krakow-1" collect 1.2 km, ready 2026-03-02T11:00:00Z, cost 40: A, B
  + "lodz-2" ship to store 220.0 km, ready 2026-03-03T12:00:00Z, cost 6790: C
  - "krakow-3" collect 0.8 km: short (B)
  and 6 more: 1 no coordinates, 1 by rule
order "a\nb" at 2026-03-02T10:00:00Z: no location
  given up: "f\ng"
  - "x\ny" collect 0.0 km: short ("d\ne")
order "SO-3" at 2026-03-02T10:00:00Z: 1 location, cost 0
  + "s" ship 0.0 km, cost 0: "h\ni"
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestExplanationLines: one line for each site, and no more than asked for.
func TestExplanationLines(t *testing.T) {
	e := Explanation{Order: "x"}
	for i := range 50 {
		e.Rejected = append(e.Rejected, Considered{Site: fmt.Sprint("s", i), Reason: Reason(i%21 + 1)})
	}
	if n := strings.Count(e.String(), "\n"); n != 1+20+1 {
		t.Errorf("%d lines", n)
	}
	unknown := Explanation{Rejected: []Considered{{Site: "s", Reason: OtherOwner + 1}, {Site: "t"}}}
	if text := unknown.Text(0); !strings.HasSuffix(text, "and 2 more\n") {
		t.Error(text)
	}
	for _, sites := range []int{0, 1, 50, 99} {
		want := 1 + min(sites, 50)
		if sites < 50 {
			want++
		}
		if n := strings.Count(e.Text(sites), "\n"); n != want {
			t.Errorf("%d sites: %d lines, want %d", sites, n, want)
		}
	}
}

func TestExplanationJSON(t *testing.T) {
	const want = `{"order":"SO-1","at":"2026-03-02T10:00:00Z","chosen":[` +
		`{"site":"krakow-1","form":"collect","meters":1234.568,"ready":"2026-03-02T11:00:00Z","cost":40,"lines":["A","B"]},` +
		`{"site":"lodz-2","form":"ship to store","meters":220000,"ready":"2026-03-03T12:00:00Z","cost":6790,"lines":["C"]}],` +
		`"rejected":[{"site":"krakow-3","form":"collect","meters":800,"reason":"short","detail":"B"},` +
		`{"site":"krakow-9","form":"ship","meters":900.04,"reason":"by rule","detail":"open now"},` +
		`{"site":"nowhere","form":"collect","meters":0,"reason":"no coordinates"}],` +
		`"more":4,"givenUp":["ready in 2h0m0s"],"cost":6830,"bound":6800,"exact":false}`
	e := split()
	text, err := json.Marshal(e)
	if err != nil || string(text) != want {
		t.Errorf("%v, got\n%s\nwant\n%s", err, text, want)
	}
	var back Explanation
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	e.Chosen[0].Distance, e.Rejected[2].Distance = 1234.568, 0
	if !reflect.DeepEqual(back, e) {
		t.Errorf("read back as\n%+v\nwant\n%+v", back, e)
	}
	for _, far := range []float64{math.Inf(-1), math.MaxFloat64} {
		if _, err := json.Marshal(Considered{Distance: geo.Meters(far)}); err != nil {
			t.Errorf("%v m: %v", far, err)
		}
	}
}
