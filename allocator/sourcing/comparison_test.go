package sourcing

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"
)

// compared is five orders: filled by both at the same sites, by both at other
// sites, by one each, by none.
func compared(parts ...*Comparison) {
	one := Result{Filled: true, Parts: 1, Distance: 1000, Cost: 100, Wait: time.Hour, Sites: []string{"a"}}
	two := Result{Filled: true, Parts: 2, Distance: 4000, Cost: 350, Wait: 2 * time.Hour, Sites: []string{"a", "b"}}
	turned := two
	turned.Sites = []string{"b", "a"}
	for i, pair := range [][2]Result{{two, turned}, {two, one}, {one, {}}, {{}, two}, {{}, {}}} {
		parts[i%len(parts)].Add(pair[0], pair[1])
	}
}

func TestComparison(t *testing.T) {
	var all, odd, even Comparison
	compared(&all)
	compared(&odd, &even)
	odd.Merge(&even)
	if all != odd {
		t.Errorf("merged\n%+v\nwant\n%+v", odd, all)
	}
	want := Comparison{Orders: 5, Both: 2, Same: 1,
		Live:   Tally{Filled: 3, Only: 1, Split: 2, Parts: 4, Distance: 8000, Cost: 700, Wait: 4 * 3600},
		Shadow: Tally{Filled: 3, Only: 1, Split: 2, Parts: 3, Distance: 5000, Cost: 450, Wait: 3 * 3600}}
	if all != want {
		t.Errorf("got\n%+v\nwant\n%+v", all, want)
	}
	const table = `5 orders, 2 filled by both, 1 of them at the same locations
                             live       shadow
filled                          3            3
filled only by it               1            1
split                           2            2
mean locations               2.00         1.50
mean distance km             4.00         2.50
mean cost                  350.00       225.00
mean wait                  2h0m0s      1h30m0s
`
	if all.String() != table {
		t.Errorf("got\n%s\nwant\n%s", all, table)
	}
	const machine = `{"orders":5,"both":2,"same":1,` +
		`"live":{"filled":3,"only":1,"split":2,"parts":2,"meters":4000,"cost":350,"waitSeconds":7200},` +
		`"shadow":{"filled":3,"only":1,"split":2,"parts":1.5,"meters":2500,"cost":225,"waitSeconds":5400}}`
	if text, err := json.Marshal(all); err != nil || string(text) != machine {
		t.Errorf("%v, got\n%s\nwant\n%s", err, text, machine)
	}
}

// TestComparisonExtremes: nothing to compare, and sums that do not fit.
func TestComparisonExtremes(t *testing.T) {
	var c Comparison
	if text, err := json.Marshal(c); err != nil || len(c.String()) == 0 {
		t.Errorf("%s, %v", text, err)
	}
	most := Result{Filled: true, Parts: 1, Distance: math.Inf(1), Cost: math.MaxInt64, Wait: math.MaxInt64}
	if strings.Contains(c.String(), "mean") {
		t.Errorf("means of nothing: %s", c)
	}
	for i, sites := range [][2][]string{{{"a", "b"}, {"a", "c"}}, {{"a", "a"}, {"a", "b"}}, {{"a"}, {"a", "a"}}, {nil, {"a"}}} {
		var c Comparison
		c.Add(Result{Filled: true, Cost: -5, Sites: sites[0]}, Result{Filled: true, Sites: sites[1]})
		if c.Same != 0 || c.Live.Cost != 0 {
			t.Errorf("%d: %q are the same, or the cost is %d", i, sites, c.Live.Cost)
		}
	}
	for range 3 {
		c.Add(most, most)
	}
	if _, err := json.Marshal(c); err != nil || c.Live.Cost != math.MaxInt64 || c.Live.Wait < 8e9 || c.Same != 3 {
		t.Errorf("%+v, %v", c, err)
	}
}
