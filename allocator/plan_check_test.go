package allocator

import (
	"errors"
	"flag"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/clickcollect/clickcollect/allocator/internal/topology"
	"github.com/clickcollect/clickcollect/allocator/sourcing"
)

var planCases = flag.Int("plans", 0, "how many random orders the twin of the planned path judges; 0: a default")

// check compares an answer with what the twin decides.
func (p *planTwin) check(got Allocation, err error) error {
	want := p.decide()
	if err != nil {
		if !errors.Is(err, ErrNoLocation) {
			return err
		}
		if want.found {
			return fmt.Errorf("refused, want %+v", want)
		}
		return nil
	}
	if !want.found {
		return fmt.Errorf("%s, want a refusal", said(got))
	}
	p.soft = want.soft
	filled, cost, err := p.valid(got)
	switch missing := len(got.Missing()) > 0; {
	case err != nil:
		return err
	case !want.parts && got.Location != want.site.ID:
		return fmt.Errorf("at %s, want %s", got.Location, want.site.ID)
	case !want.parts && len(got.Parts()) > 1:
		return fmt.Errorf("%d parts, want one", len(got.Parts()))
	case got.why != nil && cost != got.Cost:
		return fmt.Errorf("says cost %d, it is %d", got.Cost, cost)
	case want.loose && want.filled == len(p.wants) && missing:
		return errors.New("something is missing, want everything")
	case want.loose:
		return nil
	case p.o.Partial && (missing && filled == want.filled || filled > want.filled): // it has more by breaking lines up
		return nil
	case filled != want.filled || missing != (filled < len(p.wants)):
		return fmt.Errorf("%d wants filled, missing %v, want %d", filled, got.Missing(), want.filled)
	case cost != want.cost:
		return fmt.Errorf("cost %d, want %d", cost, want.cost)
	}
	return nil
}

// valid checks that an answer keeps every rule: who may serve, what is there, what
// stays together. It counts the wants filled whole, and what it costs.
func (p *planTwin) valid(got Allocation) (filled int, cost int64, err error) {
	parts := got.Parts()
	if len(parts) > p.most {
		return 0, 0, fmt.Errorf("%d parts of at most %d", len(parts), p.most)
	}
	if len(p.forms) == 1 && len(parts) == 1 && got.why == nil {
		return p.validHot(got)
	}
	all := p.options()
	left, homes, last := map[string]int64{}, make([][]*planChoice, len(p.wants)), time.Time{}
	for _, w := range p.wants {
		left[w.sku] = w.units
	}
	for n, part := range parts {
		at := slices.IndexFunc(all, func(c *planChoice) bool { return c.site.ID == part.Location && c.form == part.Form })
		if at < 0 || part.ID != p.o.ID || part.Part != n+1 {
			return 0, 0, fmt.Errorf("part %q, %s, which may not serve it", part.ID, whereOf(part))
		}
		c := all[at]
		all = slices.Delete(all, at, at+1) // each but once
		price, err := p.validLines(part, c, left, homes)
		if err != nil {
			return 0, 0, err
		}
		if part.Distance != c.distance || !p.told(c, part.Ready) || part.Cost != price+c.fixed {
			return 0, 0, fmt.Errorf("%s: %v m, ready %v, cost %d, want %v, %v, %d", whereOf(part), part.Distance, part.Ready, part.Cost, c.distance, c.ready, price+c.fixed)
		}
		cost += part.Cost
		if part.Ready.After(last) {
			last = part.Ready
		}
	}
	if !got.Ready.Equal(last) {
		return 0, 0, fmt.Errorf("ready %v, but its parts %v", got.Ready, last)
	}
	return p.validWants(got, left, homes, cost)
}

// validHot checks what an answer of the hot path says; there is not more.
func (p *planTwin) validHot(got Allocation) (filled int, cost int64, err error) {
	for _, c := range p.choices(p.forms[0]) {
		if c.site.ID == got.Location && p.whole(c) && p.allowed(&c.planView) && got.Distance == c.distance {
			return len(p.wants), c.cost, nil
		}
	}
	return 0, 0, fmt.Errorf("%s, which may not serve it", whereOf(got))
}

// told says whether a promise is right: none only where no terms make one.
func (p *planTwin) told(c *planChoice, ready time.Time) bool {
	if !ready.IsZero() {
		return ready.Equal(c.ready)
	}
	timed := func(t Terms) bool { return (*topology.Terms)(&t).Timed() }
	return !timed(c.site.terms) && !(c.form == sourcing.ShipToStore && timed(p.at.terms))
}

// validLines checks the lines of a part, takes them off what is left, and notes
// where wants are.
func (p *planTwin) validLines(part Allocation, c *planChoice, left map[string]int64, homes [][]*planChoice) (price int64, err error) {
	if len(part.Lines()) == 0 {
		return 0, fmt.Errorf("%s has no lines", whereOf(part))
	}
	for _, line := range part.Lines() {
		at := slices.IndexFunc(p.wants, func(w planWant) bool { return w.form == c.form && w.sku == line.SKU })
		if at < 0 || line.Quantity < 1 || line.Quantity > c.site.stock[line.SKU] {
			return 0, fmt.Errorf("%s: %d %s, which nobody wants or there is not", whereOf(part), line.Quantity, line.SKU)
		}
		left[p.wants[at].sku] -= line.Quantity
		homes[at] = append(homes[at], c)
		price += p.price(c.site, c.form, line.SKU, line.Quantity)
	}
	return price, nil
}

// validWants checks that nothing is too much, torn, or missing unsaid.
func (p *planTwin) validWants(got Allocation, left map[string]int64, homes [][]*planChoice, cost int64) (filled int, total int64, err error) {
	missing := summed(got.Missing())
	for i, w := range p.wants {
		if left[w.sku] < 0 || left[w.sku] != missing[w.sku] || left[w.sku] > 0 && !p.o.Partial {
			return 0, 0, fmt.Errorf("%d %s left over, %d missing", left[w.sku], w.sku, missing[w.sku])
		}
		if left[w.sku] == 0 {
			filled++
		}
		whole := slices.ContainsFunc(p.options(), func(c *planChoice) bool { return c.has[i] >= w.units })
		whole = whole && !p.o.Partial // to fill more, an order in part may break up any line
		if len(homes[i]) > 1 && (whole || w.group != 0) || whole && len(homes[i]) == 1 && left[w.sku] != 0 {
			return 0, 0, fmt.Errorf("%s is broken up", w.sku)
		}
		for j, other := range p.wants {
			if g := w.group; g != 0 && g == other.group && (len(homes[i]) != len(homes[j]) || len(homes[i]) > 0 && homes[i][0] != homes[j][0]) {
				return 0, 0, fmt.Errorf("%s and %s are apart", w.sku, other.sku)
			}
			if len(p.forms) > 1 && w.form == sourcing.Collect && other.form == sourcing.Collect {
				for _, a := range homes[i] {
					if slices.ContainsFunc(homes[j], func(b *planChoice) bool { return a.site != b.site }) {
						return 0, 0, errors.New("collected in two places")
					}
				}
			}
		}
	}
	return filled, cost, nil
}

// take keeps the world's books and compares them with the engine's.
func (w *planWorld) take(a *Allocator, got Allocation, o Order) error {
	for _, part := range got.Parts() {
		lines := part.Lines()
		if got.why == nil {
			lines = o.Lines
		}
		at := slices.IndexFunc(w.sites, func(s *planSite) bool { return s.ID == part.Location })
		for _, line := range lines {
			w.sites[at].stock[line.SKU] -= line.Quantity
		}
	}
	for _, s := range w.sites {
		for _, sku := range w.skus {
			if is, err := a.Available(sku, s.ID); err != nil || is.Available != s.stock[sku] {
				return fmt.Errorf("%s at %s: %+v %v, want %d available", sku, s.ID, is, err, s.stock[sku])
			}
		}
	}
	return nil
}

// decideBoth quotes and allocates an order and has both judged.
func (w *planWorld) decideBoth(t testing.TB, a *Allocator, o Order, rules *planRules) error {
	p := w.twin(o, rules)
	quote, quoteErr := a.Quote(o)
	if err := p.check(quote, quoteErr); err != nil {
		return fmt.Errorf("quote: %w", err)
	}
	if err := p.explained(quote, quoteErr); err != nil {
		return fmt.Errorf("quote: %w", err)
	}
	got, gotErr := a.Allocate(t.Context(), o)
	if err := p.check(got, gotErr); err != nil {
		return fmt.Errorf("allocate: %w", err)
	}
	if gotErr != nil {
		if err := p.explained(got, gotErr); err != nil {
			return fmt.Errorf("allocate: %w", err)
		}
		return nil
	}
	if got.why != nil && said(got) != said(quote) || got.Location != quote.Location || !got.Ready.Equal(quote.Ready) {
		return fmt.Errorf("quoted %s, allocated %s", said(quote), said(got))
	}
	if err := w.take(a, got, o); err != nil {
		return err
	}
	if w.one(6) {
		again, err := a.Allocate(t.Context(), o)
		if err != nil || got.why != nil && len(got.Missing()) == 0 && said(again) != said(got) || again.Location != got.Location {
			return fmt.Errorf("repeat: %s %v, first %s", said(again), err, said(got))
		}
	}
	return nil
}

// playPlans decides orders in a world of its own. twist makes the engine another
// one than the twin has.
func playPlans(t testing.TB, seed uint64, orders int, twist func(*Allocator, *planRules)) error {
	w := newPlanWorld(t, seed)
	a := w.engine(t)
	defer func() { must(t, a.Close()) }()
	for n := range orders {
		rules := w.rules()
		engine := rules
		if twist != nil {
			twist(a, &engine)
		}
		must(t, a.SetRules(engine.Rules))
		o := w.order(n)
		before := w.String()
		if err := w.decideBoth(t, a, o, &rules); err != nil {
			return fmt.Errorf("seed %d, order %d: %w\n%+v\nrules %v\n%s", seed, n, err, o, &rules, before)
		}
	}
	return nil
}

// What is quoted and allocated is what comparing everything with everything says:
// the best location by the rules, else the cheapest split (P5, P6).
func TestPlansAgainstTwin(t *testing.T) {
	const perWorld = 8
	cases := scaled(24_000, 800)
	if *planCases > 0 {
		cases = *planCases
	}
	for seed := range cases / perWorld {
		if err := playPlans(t, uint64(seed), perWorld, nil); err != nil {
			t.Fatal(err)
		}
	}
}

// TestPlansTwinCatches: an engine that decides by other rules is caught.
func TestPlansTwinCatches(t *testing.T) {
	for name, twist := range map[string]func(*Allocator, *planRules){
		"nearest first":        func(_ *Allocator, r *planRules) { r.Keys = nil },
		"gives nothing up":     func(_ *Allocator, r *planRules) { r.Hard, r.Soft = slices.Concat(r.Hard, r.Soft), nil },
		"parcels for nothing":  func(_ *Allocator, r *planRules) { r.Costs.Parcel, r.Costs.PerLine = 0, r.Costs.PerLine+1 },
		"never more than one":  func(_ *Allocator, r *planRules) { r.MaxLocations = 1 },
		"not the cheapest way": func(a *Allocator, _ *planRules) { a.greedy = true },
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range 500 {
				if err := playPlans(t, uint64(seed), 8, twist); err != nil {
					t.Logf("%.200s", err)
					return
				}
			}
			t.Error("not caught")
		})
	}
}
