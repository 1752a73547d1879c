package sourcing

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/clickcollect/clickcollect/geo"
)

// textSites is how many rejected sites the text of an explanation names.
const textSites = 20

// Explanation is why an order is served as it is, or not at all. It is a plain
// value. As JSON its names do not change; new ones may come.
type Explanation struct {
	Order    string       `json:"order"`
	At       time.Time    `json:"at"`                 // when it was decided
	Chosen   []Considered `json:"chosen,omitempty"`   // the parts; none: the order is refused
	Rejected []Considered `json:"rejected,omitempty"` // sites not chosen, as far as they are named
	More     int          `json:"more,omitempty"`     // sites not chosen and not named
	GivenUp  []string     `json:"givenUp,omitempty"`  // soft filters nobody met, by name
	Cost     int64        `json:"cost"`               // of all parts
	Bound    int64        `json:"bound"`              // no split costs less; 0: not known
	Exact    bool         `json:"exact"`              // the search was not cut short: the choice is the best by the rules
}

// Considered is a site and what became of it: chosen if Reason is 0.
type Considered struct {
	Site     string     `json:"site"`
	Owner    string     `json:"owner,omitempty"` // of the goods there; empty: the chain
	Form     Form       `json:"form"`
	Distance geo.Meters `json:"meters"`           // to the millimeter in JSON; 0 if it means nothing
	Ready    time.Time  `json:"ready,omitzero"`   // the promise
	Cost     int64      `json:"cost,omitempty"`   // of the part
	Lines    []string   `json:"lines,omitempty"`  // SKUs it serves
	Reason   Reason     `json:"reason,omitempty"` // why it is not chosen
	Detail   string     `json:"detail,omitempty"` // of the reason: a SKU, a filter's name, the chosen store
}

// MarshalJSON writes distances to the millimeter. JSON has no number for a
// distance that is none: it is 0 then.
func (c Considered) MarshalJSON() ([]byte, error) {
	type plain Considered
	if d := float64(c.Distance); math.IsNaN(d) || math.IsInf(d, 0) {
		c.Distance = 0
	} else if round := math.Round(d * 1000); !math.IsInf(round, 0) {
		c.Distance = geo.Meters(round / 1000)
	}
	return json.Marshal(plain(c))
}

// String is the explanation in words, one line for each site and at most 20
// sites that were not chosen.
func (e Explanation) String() string { return e.Text(textSites) }

// Text is String with another number of sites that were not chosen. The rest is
// counted by reason.
func (e Explanation) Text(sites int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "order %q at %s: ", e.Order, stamp(e.At))
	switch len(e.Chosen) {
	case 0:
		b.WriteString("no location")
	case 1:
		b.WriteString("1 location")
	default:
		fmt.Fprintf(&b, "%d locations", len(e.Chosen))
	}
	switch {
	case len(e.Chosen) == 0:
	case e.Exact || e.Bound <= 0:
		fmt.Fprintf(&b, ", cost %d", e.Cost)
	default:
		fmt.Fprintf(&b, ", cost %d, no split below %d", e.Cost, e.Bound)
	}
	b.WriteByte('\n')
	for _, name := range e.GivenUp {
		fmt.Fprintf(&b, "  given up: %s\n", oneLine(name))
	}
	for i := range e.Chosen {
		b.WriteString("  + ")
		e.Chosen[i].write(&b)
	}
	sites = min(max(0, sites), len(e.Rejected))
	for i := range e.Rejected[:sites] {
		b.WriteString("  - ")
		e.Rejected[i].write(&b)
	}
	e.rest(&b, e.Rejected[sites:])
	return b.String()
}

// rest counts the sites that are not named, by reason.
func (e *Explanation) rest(b *strings.Builder, unnamed []Considered) {
	total := len(unnamed) + e.More
	if total <= 0 {
		return
	}
	fmt.Fprintf(b, "  and %d more", total)
	var counts [reasons]int
	for i := range unnamed {
		if r := unnamed[i].Reason; r < reasons {
			counts[r]++
		}
	}
	before := ": "
	for r, n := range counts {
		if r > 0 && n > 0 {
			fmt.Fprintf(b, "%s%d %v", before, n, Reason(r))
			before = ", "
		}
	}
	b.WriteByte('\n')
}

// write writes the site as one line.
func (c *Considered) write(b *strings.Builder) {
	fmt.Fprintf(b, "%q %v %.1f km", c.Site, c.Form, float64(c.Distance)/1000)
	if c.Reason != 0 {
		fmt.Fprintf(b, ": %v", c.Reason)
		if c.Detail != "" {
			fmt.Fprintf(b, " (%s)", oneLine(c.Detail))
		}
	} else {
		if !c.Ready.IsZero() {
			fmt.Fprintf(b, ", ready %s", stamp(c.Ready))
		}
		fmt.Fprintf(b, ", cost %d", c.Cost)
		for i, sku := range c.Lines {
			if i == 0 {
				b.WriteString(": ")
			} else {
				b.WriteString(", ")
			}
			b.WriteString(oneLine(sku))
		}
	}
	b.WriteByte('\n')
}

// oneLine is a name as it is, or quoted if it would break the line.
func oneLine(name string) string {
	if strings.ContainsFunc(name, func(r rune) bool { return !strconv.IsPrint(r) }) {
		return strconv.Quote(name)
	}
	return name
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
