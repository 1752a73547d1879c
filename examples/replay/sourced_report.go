package main

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/clickcollect/clickcollect/allocator/sourcing"
)

const (
	screenWidth  = 80
	rejectedSeen = 1 // locations not chosen that the screen names
)

// summary is what one who decides made of the orders.
type summary struct {
	name  string
	whole int // orders filled whole
	lines int // filled
	split int // orders over more than one location
	today int // collected orders that are whole and ready the same day

	// Means and medians over the orders that all fill whole: else who refuses the
	// dear orders would look cheap.
	locations float64
	way       float64 // km
	cost      float64 // dollars
	wait      float64 // hours, the median
}

// shared lists the orders that all three fill whole.
func (r *sourced) shared() (numbers []int) {
	for i := range r.wishes {
		if r.engine[i].whole && r.nearest[i].whole && r.greedy[i].whole {
			numbers = append(numbers, i)
		}
	}
	return numbers
}

func (r *sourced) summarize(name string, answers []answer, shared []int) summary {
	s := summary{name: name}
	for i := range answers {
		a := &answers[i]
		s.lines += a.filled
		if a.whole {
			s.whole++
		}
		if len(a.parts) > 1 {
			s.split++
		}
		if a.whole && a.today {
			s.today++
		}
	}
	waits := make([]float64, 0, len(shared))
	for _, i := range shared {
		a := &answers[i]
		s.locations += float64(len(a.parts))
		s.way += float64(a.way) / 1000
		s.cost += float64(a.cost) / millsPerDollar
		waits = append(waits, a.ready.Sub(r.wishes[i].at).Hours())
	}
	if n := float64(len(shared)); n > 0 {
		s.locations, s.way, s.cost = s.locations/n, s.way/n, s.cost/n
		slices.Sort(waits)
		s.wait = waits[(len(waits)-1)/2]
	}
	return s
}

// printSourced writes the second act.
func (r *report) printSourced(line printLine) {
	s := r.sourced
	forms := [3]int{}
	lines := 0
	for i := range s.wishes {
		forms[s.wishes[i].form]++
		lines += len(s.wishes[i].lines)
	}
	line("", "")
	line("sourced", "the same orders and stock, by a chain assumed to have stores open")
	line("", "Mo-Sa 8-21, Su 10-18, %v h to pick, cut-off %v:00, %v h to a store,", storePrep.Hours(), storeCutOff.Hours(), transferLead.Hours())
	line("", "%v h to a door; $%v a parcel, $%v a transfer, $%v/1,000 km, %v ¢ a line", deliveryLead.Hours(),
		dollars(chainCosts.Parcel), dollars(chainCosts.Transfer), dollars(1000*chainCosts.PerKm), 100*dollars(chainCosts.PerLine))
	line("", "%s to collect whole, %s at a store that is brought the rest,", count(forms[sourcing.Collect]), count(forms[sourcing.ShipToStore]))
	line("", "%s to ship, from up to %s; what nobody has is left out", count(forms[sourcing.Ship]), plural(r.settings.parcels, "location"))
	line("", "Nearest first takes all that each next location has, greedy the most")
	line("", "lines for the cost: plain code, on copies of the stock, same limits")
	s.printTable(line, len(s.wishes), lines, forms[sourcing.Collect]+forms[sourcing.ShipToStore])
	s.printGaps(line)
	line("speed", "%s orders/s, all of them planned: p50 %s, p99 %s", grouped(int64(s.speed.perSecond(s.speed.orders))),
		micros(s.speed.latency.quantile(0.50)), micros(s.speed.latency.quantile(0.99)))
}

// printTable compares the engine with the two others.
func (r *sourced) printTable(line printLine, orders, lines, collected int) {
	shared := r.shared()
	by := []summary{r.summarize("engine", r.engine, shared), r.summarize("nearest first", r.nearest, shared), r.summarize("greedy", r.greedy, shared)}
	row := func(label, what string, cell func(*summary) string) {
		text := fmt.Sprintf("%-26s", what)
		for i := range by {
			text += fmt.Sprintf(" %13s", cell(&by[i]))
		}
		line(label, "%s", text)
	}
	row("", "", func(s *summary) string { return s.name })
	row("filled", "orders, whole", func(s *summary) string { return share(s.whole, orders) })
	row("", "lines", func(s *summary) string { return share(s.lines, lines) })
	row("", "orders split", func(s *summary) string { return count(s.split) })
	row("promise", fmt.Sprintf("the same day, of %s", count(collected)), func(s *summary) string { return share(s.today, collected) })
	if len(shared) == 0 {
		return
	}
	line("", "and of the %s that all three fill whole, a mean one:", plural(len(shared), "order"))
	row("", "ready in, median", func(s *summary) string { return fmt.Sprintf("%.1f h", s.wait) })
	row("", "locations", func(s *summary) string { return fmt.Sprintf("%.2f", s.locations) })
	row("distance", "of all its parts", func(s *summary) string { return fmt.Sprintf("%.0f km", s.way) })
	row("cost", "", func(s *summary) string {
		return fmt.Sprintf("$%.2f", s.cost)
	})
	if by[0].cost > 0 {
		row("", "against the engine", func(s *summary) string { return fmt.Sprintf("%+.1f %%", 100*(s.cost/by[0].cost-1)) })
	}
}

// printGaps says how good the engine's splits are, and why one of them is as it
// is.
func (r *sourced) printGaps(line printLine) {
	g := &r.gaps
	if g.splits == 0 {
		return
	}
	line("proved", "%s of %s the cheapest, of the locations gathered and", count(g.exact), plural(g.splits, "split"))
	text := fmt.Sprintf("%s without a bound", count(g.unknown))
	if rest := g.splits - g.exact - g.unknown; rest > 0 {
		text = fmt.Sprintf("%s at most %.1f %% dearer, %s", count(rest), math.Ceil(1000*g.worst)/10, text)
	}
	line("", "with no line broken up; %s;", text)
	line("", "one of them, costs in 1/10 ¢:")
	if r.told == nil {
		return
	}
	for why := range strings.Lines(r.why.Text(rejectedSeen)) {
		line("", "%s", clipped(strings.TrimRight(why, "\n"), screenWidth-labelWidth))
	}
}

// clipped is a text of at most so many characters, with an ellipsis if it was
// longer.
func clipped(text string, most int) string {
	runes := []rune(text)
	if len(runes) <= most {
		return text
	}
	return string(runes[:most-1]) + "…"
}

func share(n, of int) string {
	return fmt.Sprintf("%s %.1f %%", count(n), 100*float64(n)/float64(max(of, 1)))
}

func dollars(mills int64) float64 { return float64(mills) / millsPerDollar }
