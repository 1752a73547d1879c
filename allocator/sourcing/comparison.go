package sourcing

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// Result is what one set of rules made of an order.
type Result struct {
	Filled   bool
	Parts    int           // locations that serve it
	Distance float64       // of all parts, in meters
	Cost     int64         // of all parts, in the smallest unit of money
	Wait     time.Duration // from the order to the promise
	Sites    []string      // of the parts, in any order
}

// Comparison compares the live rules with others, in the shadow, on the same
// orders. The zero value is ready. It is for one goroutine at a time; several
// can each have their own and [Comparison.Merge] them.
//
// Means are over the orders that both filled: else the rules that refuse the
// dear orders would look cheap.
type Comparison struct {
	Orders int64 // compared
	Both   int64 // filled by both
	Same   int64 // of these, at the same sites
	Live   Tally
	Shadow Tally
}

// Tally is one side of a comparison.
type Tally struct {
	Filled int64 // orders
	Only   int64 // of these, not filled by the other side
	Split  int64 // of Filled, over more than one location

	// Sums over the orders that both sides filled.
	Parts    int64
	Distance float64 // meters
	Cost     int64   // ends at math.MaxInt64
	Wait     float64 // seconds
}

// Add counts one order.
func (c *Comparison) Add(live, shadow Result) {
	c.Orders++
	both := live.Filled && shadow.Filled
	if both {
		c.Both++
		if sameSites(live.Sites, shadow.Sites) {
			c.Same++
		}
	}
	c.Live.add(&live, both)
	c.Shadow.add(&shadow, both)
}

func (t *Tally) add(r *Result, both bool) {
	if !r.Filled {
		return
	}
	t.Filled++
	if r.Parts > 1 {
		t.Split++
	}
	if !both {
		t.Only++
		return
	}
	t.Parts += int64(r.Parts)
	t.Distance += r.Distance
	t.Cost = plus(t.Cost, max(0, r.Cost))
	t.Wait += r.Wait.Seconds()
}

// Merge adds another comparison, which stays as it is.
func (c *Comparison) Merge(other *Comparison) {
	c.Orders += other.Orders
	c.Both += other.Both
	c.Same += other.Same
	c.Live.merge(&other.Live)
	c.Shadow.merge(&other.Shadow)
}

func (t *Tally) merge(other *Tally) {
	t.Filled += other.Filled
	t.Only += other.Only
	t.Split += other.Split
	t.Parts += other.Parts
	t.Distance += other.Distance
	t.Cost = plus(t.Cost, other.Cost)
	t.Wait += other.Wait
}

// sameSites reports whether two lists have the same sites, each as often, in any
// order. Parts are few.
func sameSites(a, b []string) bool {
	if len(a) != len(b) || slices.Equal(a, b) {
		return len(a) == len(b)
	}
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}

// side is a tally as it is shown: means of what is summed.
type side struct {
	Filled   int64   `json:"filled"`
	Only     int64   `json:"only"`
	Split    int64   `json:"split"`
	Parts    float64 `json:"parts"`
	Distance float64 `json:"meters"`
	Cost     float64 `json:"cost"`
	Wait     float64 `json:"waitSeconds"`
}

func (t *Tally) shown(both int64) side {
	mean := func(sum float64) float64 {
		if m := sum / float64(both); both > 0 && !math.IsNaN(m) && !math.IsInf(m, 0) {
			return math.Round(m*1000) / 1000
		}
		return 0
	}
	return side{Filled: t.Filled, Only: t.Only, Split: t.Split, Parts: mean(float64(t.Parts)),
		Distance: mean(t.Distance), Cost: mean(float64(t.Cost)), Wait: mean(t.Wait)}
}

// MarshalJSON writes the counts, and means instead of sums, 0 where there is
// none. Names do not change; new ones may come.
func (c Comparison) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Orders int64 `json:"orders"`
		Both   int64 `json:"both"`
		Same   int64 `json:"same"`
		Live   side  `json:"live"`
		Shadow side  `json:"shadow"`
	}{c.Orders, c.Both, c.Same, c.Live.shown(c.Both), c.Shadow.shown(c.Both)})
}

// String is the comparison as a table.
func (c Comparison) String() string {
	var b strings.Builder
	live, shadow := c.Live.shown(c.Both), c.Shadow.shown(c.Both)
	fmt.Fprintf(&b, "%d orders, %d filled by both, %d of them at the same locations\n", c.Orders, c.Both, c.Same)
	row := func(name string, l, s any) { fmt.Fprintf(&b, "%-20s %12v %12v\n", name, l, s) }
	fixed := func(x float64) string { return fmt.Sprintf("%.2f", x) }
	wait := func(x float64) time.Duration {
		return time.Duration(min(x, 1e9) * float64(time.Second)).Round(time.Second)
	}
	row("", "live", "shadow")
	row("filled", live.Filled, shadow.Filled)
	row("filled only by it", live.Only, shadow.Only)
	row("split", live.Split, shadow.Split)
	if c.Both > 0 {
		row("mean locations", fixed(live.Parts), fixed(shadow.Parts))
		row("mean distance km", fixed(live.Distance/1000), fixed(shadow.Distance/1000))
		row("mean cost", fixed(live.Cost), fixed(shadow.Cost))
		row("mean wait", wait(live.Wait), wait(shadow.Wait))
	}
	return b.String()
}
