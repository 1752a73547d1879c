package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/clickcollect/clickcollect/allocator"
	"github.com/clickcollect/clickcollect/geo"
)

// report is everything the screen and the map show.
type report struct {
	settings settings
	in       *inputs
	items    []item
	sites    []site
	cells    int
	badRows  int
	played   *played
	once     *verdict // after the week
	speed    *speed
	often    *verdict // after the last measured repetition
	sourced  *sourced // the second act
}

// distances are those of the filled orders, ascending.
type distances []geo.Meters

func (d distances) mean() geo.Meters {
	sum := geo.Meters(0)
	for _, m := range d {
		sum += m
	}
	return sum / geo.Meters(max(len(d), 1))
}

// p95 returns the least distance that 95 % of all do not exceed.
func (d distances) p95() geo.Meters {
	if len(d) == 0 {
		return 0
	}
	return d[(len(d)*95+99)/100-1]
}

// distances returns those to one kind of location.
func (r *report) distances(kinds ...allocator.Kind) distances {
	var d distances
	for _, o := range r.played.outcomes {
		if o.site >= 0 && slices.Contains(kinds, r.sites[o.site].location.Kind) {
			d = append(d, o.distance)
		}
	}
	slices.Sort(d)
	return d
}

// print writes the screen.
func (r *report) print(out io.Writer) error {
	var b strings.Builder
	line := func(label, format string, args ...any) {
		b.WriteString(strings.TrimRight(fmt.Sprintf("%-*s%s", labelWidth, label, fmt.Sprintf(format, args...)), " ") + "\n")
	}
	r.printInput(line)
	r.printWeek(line)
	r.printSpeed(line)
	r.printSourced(line)
	oversold, reservations := int64(0), 0
	for _, v := range r.verdicts() {
		oversold += v.oversold
		reservations += v.reservations
	}
	line("oversold", "%s units: %s reservations, after each week and each last of the", grouped(oversold), count(reservations))
	line("", "measured ones, added up against %s cells: what was seeded", grouped(int64(r.once.cells)))
	if r.settings.mapFile != "" {
		line("map", "%s", r.settings.mapFile)
	}
	line("seed", "%d", r.settings.seed)
	_, err := io.WriteString(out, b.String())
	return err
}

// labelWidth is where the text of a line begins.
const labelWidth = 12

type printLine func(label, format string, args ...any)

func (r *report) printInput(line printLine) {
	w := &r.in.week
	units := int64(0)
	for _, it := range r.items {
		units += it.demand
	}
	line("orders", "%s with %s, %s, %s units", count(len(w.baskets)), plural(w.lines, "line"), plural(len(r.items), "SKU"), grouped(units))
	line("", "(of %s; left out: %s, %s not goods)",
		plural(w.invoices, "invoice"), plural(w.writeOffs, "write-off"), plural(w.notGoods, "line"))
	if r.badRows > 0 {
		line("bad rows", "%s, left out", count(r.badRows))
	}
	stock := int64(0)
	for _, n := range r.once.seeded {
		stock += n
	}
	hubs := len(r.sites) - len(r.in.stores)
	line("locations", "%s and %s", plural(len(r.in.stores), "store"), plural(hubs, "warehouse"))
	line("stock", "level %v: %s units in %s cells (location × SKU)", r.settings.level, grouped(stock), count(r.cells))
}

func (r *report) printWeek(line printLine) {
	all := r.distances(allocator.Store, allocator.Warehouse)
	atStores, atHubs := r.distances(allocator.Store), r.distances(allocator.Warehouse)
	n := len(r.in.week.baskets)
	line("", "")
	line("replayed", "one order at a time, each held whole at one location")
	line("filled", "%-6s %s   %s at stores, %s at warehouses", count(len(all)), percent(len(all), n), count(len(atStores)), count(len(atHubs)))
	line("refused", "%-6s %s   %s", count(n-len(all)), percent(n-len(all), n), r.refusals())
	if r.settings.places == "" && r.played.refused[refusedTooFar] == n {
		line("", "customers live in the 48 states unless -places or the orders say otherwise")
	}
	if r.played.short+r.played.tooFar > 0 {
		line("", "answers, location by location: %s short, %s too far", count(r.played.short), count(r.played.tooFar))
	}
	if missing := r.mostMissing(); missing != "" {
		line("", "short most often at the nearest: %s", missing)
	}
	line("distance", "mean %s, p95 %s km (stores %s, %s; warehouses %s, %s)", km(all.mean()), km(all.p95()),
		km(atStores.mean()), km(atStores.p95()), km(atHubs.mean()), km(atHubs.p95()))
	if len(r.in.week.cancellations) > 0 {
		line("canceled", "%s lines put back; %s match no order that holds the goods",
			count(r.played.putBack), count(r.played.unmatched))
	}
}

// refusals says how many orders were refused for which reason.
func (r *report) refusals() string {
	var parts []string
	reach := "in reach"
	if r.settings.reach == 0 {
		reach = "anywhere"
	}
	for _, x := range []struct {
		why  refusal
		text string
	}{
		{refusedShort, "no location " + reach + " has all lines"},
		{refusedTooFar, "no location in reach"},
		{refusedNoSKU, "a SKU nobody stocks"},
		{refusedOther, "not a valid order"},
	} {
		if n := r.played.refused[x.why]; n > 0 {
			parts = append(parts, count(n)+": "+x.text)
		}
	}
	if r.played.other != nil {
		parts = append(parts, "("+r.played.other.Error()+")")
	}
	return strings.Join(parts, ", ")
}

func (r *report) mostMissing() string {
	const shown = 3
	skus := slices.SortedFunc(maps.Keys(r.played.missing), func(a, b string) int {
		return cmp.Or(cmp.Compare(r.played.missing[b], r.played.missing[a]), cmp.Compare(a, b))
	})
	var parts []string
	for _, sku := range skus[:min(shown, len(skus))] {
		if r.played.missing[sku] == 1 {
			break // one order says nothing about a SKU
		}
		parts = append(parts, fmt.Sprintf("%s (%d)", sku, r.played.missing[sku]))
	}
	return strings.Join(parts, ", ")
}

func (r *report) printSpeed(line printLine) {
	s := r.speed
	line("", "")
	median, largest := r.basketSizes()
	line("speed", "%s orders/s, %s lines/s", grouped(int64(s.perSecond(s.orders))), grouped(int64(s.perSecond(s.lines))))
	line("", "one order (median %s lines, largest %s): p50 %s, p99 %s",
		count(median), count(largest), micros(s.latency.quantile(0.50)), micros(s.latency.quantile(0.99)))
	line("", "Allocate alone, refusals too; %s, %s at once", plural(s.weeks, "more week"), plural(s.goroutines, "goroutine"))
}

// basketSizes returns the median and the largest number of lines of an order.
func (r *report) basketSizes() (median, largest int) {
	var sizes []int
	for _, b := range r.in.week.baskets {
		sizes = append(sizes, len(b.lines))
	}
	slices.Sort(sizes)
	return sizes[(len(sizes)-1)/2], sizes[len(sizes)-1]
}

// verdicts are those of all audits.
func (r *report) verdicts() []*verdict {
	all := []*verdict{r.once, r.often}
	if r.sourced != nil {
		all = append(all, r.sourced.once, r.sourced.often)
	}
	return all
}

// proof returns an error if an audit found anything at all.
func (r *report) proof() error {
	var errs []error
	for _, v := range r.verdicts() {
		if v.oversold > 0 {
			errs = append(errs, fmt.Errorf("oversold by %d units", v.oversold))
		}
		if v.disagree > 0 {
			errs = append(errs, fmt.Errorf("%d cells do not agree with the reservations", v.disagree))
		}
	}
	if r.sourced != nil && r.sourced.differ > 0 {
		errs = append(errs, fmt.Errorf("cost or promise of %s are not what the terms say", plural(r.sourced.differ, "order")))
	}
	return errors.Join(errs...)
}

// grouped writes 1234567 as 1,234,567.
func grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

func count(n int) string { return grouped(int64(n)) }

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return count(n) + " " + noun + "s"
}

func km(m geo.Meters) string { return grouped(int64(math.Round(float64(m) / 1000))) }

func percent(n, of int) string { return fmt.Sprintf("%5.1f %%", 100*float64(n)/float64(max(of, 1))) }

func micros(d time.Duration) string {
	if d >= 100*time.Microsecond {
		return fmt.Sprintf("%.0f µs", float64(d)/1e3)
	}
	return fmt.Sprintf("%.1f µs", float64(d)/1e3)
}
