package sourcing

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Filter is a condition that a candidate meets or not. Pass must give the same
// answer for the same candidate and call nothing that changes anything. A
// filter can only rule sites out: what it passes must still have the goods. One
// that panics has not passed. Pass is called by many goroutines at once.
type Filter struct {
	Name   string // for explanations
	Pass   func(*Candidate) bool
	Reason Reason // what is told against a site that does not pass; 0: ByRule
}

// against is what is told of a site that does not pass.
func (f *Filter) against() (Reason, string) {
	if f.Reason != 0 {
		return f.Reason, f.Name
	}
	return ByRule, f.Name
}

// Key orders candidates. Compare is below zero when a is better, zero for a tie.
// It must be a weak order: the same for the same candidates, and what is better
// than a better one is better. One that panics ties. A key can only choose among
// sites that could serve. Compare is called by many goroutines at once.
type Key struct {
	Name    string // for explanations
	Compare func(a, b *Candidate) int

	own bool    // of this package: it does not panic
	by  Ranking // what an own key compares, if nothing else
}

// Rules are how orders are sourced. The zero value is the default set: any
// active location that the order allows, the nearest first, one location. Rules
// are not changed while they are in use and may then be used by any number of
// goroutines.
type Rules struct {
	// Hard are conditions besides the built-in ones.
	Hard []Filter
	// Soft are conditions that are given up, the last one first, when no location
	// meets them all. The answer names those given up.
	Soft []Filter
	// Keys decide between the candidates, the first that does not tie; then the
	// site's ID. None: ByDistance.
	Keys []Key
	// Costs are what splits minimise and ByCost compares.
	Costs Costs
	// MaxLocations is how many locations an order that does not say may be split
	// over. 0: one.
	MaxLocations int
	// CoolDown is how long a location is skipped for a SKU it has rejected. 0: not.
	CoolDown time.Duration
	// MaxRejects is how often an order is rejected before it is given up. 0: any.
	MaxRejects int
	// AcceptWithin is the opening time a location has to accept a confirmed order. 0: any.
	AcceptWithin time.Duration
	// Panicked is told of every filter and key that panics, with its name and
	// what it panicked with, so that somebody mends it. nil: nobody is told.
	Panicked func(rule string, value any)
}

// Costs are in the smallest unit of money, such as cents, at least 0.
type Costs struct {
	Parcel   int64 // for each location that sends something
	Transfer int64 // for each location that sends something to the chosen store
	PerKm    int64 // for each kilometer that goods are sent or brought
	PerLine  int64 // for each line handled
	// Price is the price of taking units of a SKU from a site, at least 0; nil: 0.
	Price func(sku string, units int64, s *Site) int64
	// Panicked is told of every panic of Price, as "price". nil: nobody is told.
	Panicked func(rule string, value any)
}

// Validate reports every fault of the rules at once, nil if there is none.
func (r *Rules) Validate() error {
	var faults []error
	fault := func(format string, args ...any) {
		faults = append(faults, fmt.Errorf("sourcing: "+format, args...))
	}
	named := func(kind string, i int, name string, missing bool) {
		said := strconv.Quote(name)
		if most := 128; len(name) > most {
			said = fmt.Sprintf("%q… (%d bytes)", name[:most], len(name))
		}
		if missing {
			fault("%s[%d] %s has no function", kind, i, said)
		}
		if name == "" || strings.ContainsRune(name, 0) || !utf8.ValidString(name) {
			fault("%s[%d] has the name %s", kind, i, said)
		}
	}
	filters := func(kind string, list []Filter) {
		for i, f := range list {
			if named(kind, i, f.Name, f.Pass == nil); f.Reason >= reasons {
				fault("%s[%d] has a reason that is none: %d", kind, i, uint8(f.Reason))
			}
		}
	}
	filters("Hard", r.Hard)
	filters("Soft", r.Soft)
	for i, k := range r.Keys {
		named("Keys", i, k.Name, k.Compare == nil)
	}
	for _, n := range []struct {
		name  string
		value int64
	}{
		{"MaxLocations", int64(r.MaxLocations)}, {"MaxRejects", int64(r.MaxRejects)},
		{"CoolDown", int64(r.CoolDown)}, {"AcceptWithin", int64(r.AcceptWithin)},
		{"Costs.Parcel", r.Costs.Parcel}, {"Costs.Transfer", r.Costs.Transfer},
		{"Costs.PerKm", r.Costs.PerKm}, {"Costs.PerLine", r.Costs.PerLine},
	} {
		if n.value < 0 {
			fault("%s is below 0: %d", n.name, n.value)
		}
	}
	return errors.Join(faults...)
}

// Check is the first reason against the candidate, or 0 if it passes, and a
// detail: first what [Candidate.Static] finds; then Late, if Ready is known and
// is after what the order needs; then the filters of Hard as they stand, ByRule
// or the filter's Reason with the filter's name. Filters that read Ready need it to be known.
func (r *Rules) Check(c *Candidate) (Reason, string) {
	if reason, detail := c.Static(); reason != 0 {
		return reason, detail
	}
	if !c.Ready.IsZero() && c.late(c.Ready) {
		return Late, ""
	}
	return r.Meets(c)
}

// Meets is the end of Check: the filters of Hard as they stand. It is for whoever has
// asked all else of the candidate already.
func (r *Rules) Meets(c *Candidate) (Reason, string) {
	for i := range r.Hard {
		if !r.pass(&r.Hard[i], c) {
			return r.Hard[i].against()
		}
	}
	return 0, ""
}

// Given is 0 if the candidate meets the first of the Soft conditions, as many as
// soft says; if not, what Meets would say of the first it does not meet. First all of them are asked for; when nobody meets them, soft is one less, down to
// 0, which every candidate meets.
func (r *Rules) Given(c *Candidate, soft int) (Reason, string) {
	for i := range r.Soft[:min(max(0, soft), len(r.Soft))] {
		if !r.pass(&r.Soft[i], c) {
			return r.Soft[i].against()
		}
	}
	return 0, ""
}

// GivenUp names the Soft conditions that are given up when so many are asked
// for; nil if none is.
func (r *Rules) GivenUp(soft int) (names []string) {
	for _, f := range r.Soft[min(max(0, soft), len(r.Soft)):] {
		names = append(names, f.Name)
	}
	return names
}

// Compare is below zero if a is better than b: a site the order prefers before
// one it prefers less or not at all, then the first key that does not tie, then
// the lower ID. Two different sites never tie. Both are candidates of one
// request.
func (r *Rules) Compare(a, b *Candidate) int {
	if r := a.Request; len(r.Prefer) > 0 {
		if n := r.Preferred(a.Site.ID) - r.Preferred(b.Site.ID); n != 0 {
			return n
		}
	}
	return r.CompareKeys(a, b)
}

// CompareKeys is Compare without what the order prefers: two candidates that it does
// not name.
func (r *Rules) CompareKeys(a, b *Candidate) int {
	if len(r.Keys) == 0 {
		if a.Distance != b.Distance {
			return compare(ByDistance, a, b)
		}
		return strings.Compare(a.Site.ID, b.Site.ID)
	}
	for i := range r.Keys {
		if n := r.compare(&r.Keys[i], a, b); n != 0 {
			return n
		}
	}
	return strings.Compare(a.Site.ID, b.Site.ID)
}

// Nearest reports whether the rules rank by distance alone, so that a search
// that finds the nearest first finds the best first. An order that prefers sites
// ranks those before.
func (r *Rules) Nearest() bool {
	return len(r.Keys) == 0 || r.Keys[0].by == ByDistance && len(r.Keys) == 1
}

// pass asks a filter. A panic counts as no.
func (r *Rules) pass(f *Filter, c *Candidate) (ok bool) {
	defer func() {
		if value := recover(); value != nil {
			ok = false
			tell(r.Panicked, f.Name, value)
		}
	}()
	return f.Pass(c)
}

// compare asks a key. A panic counts as a tie.
func (r *Rules) compare(k *Key, a, b *Candidate) int {
	if k.by != 0 {
		return compare(k.by, a, b)
	}
	if k.own {
		return k.Compare(a, b)
	}
	return r.foreign(k, a, b)
}

func (r *Rules) foreign(k *Key, a, b *Candidate) (n int) {
	defer func() {
		if value := recover(); value != nil {
			n = 0
			tell(r.Panicked, k.Name, value)
		}
	}()
	return k.Compare(a, b)
}

// tell reports a panic. If that panics too, there is nobody left to tell.
func tell(hook func(string, any), rule string, value any) {
	if hook != nil {
		defer func() { _ = recover() }()
		hook(rule, value)
	}
}
