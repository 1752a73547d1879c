package route

import (
	"github.com/clickcollect/clickcollect/allocator/internal/topology"
	"github.com/clickcollect/clickcollect/geo"
	"github.com/clickcollect/clickcollect/reservation"
)

// A Route is one search for a location, and the claim on what it finds. It is used
// again and again, by one goroutine at a time; the zero value is ready.
//
//	r.Aim(catalogue, near, within)
//	for ok := r.Start(ledger, lines, filter); ok && r.Next(); {
//		switch r.Claim(&hold, &found) { … }
//	}
type Route struct {
	claim     reservation.Claim
	search    geo.Search
	catalogue *topology.Catalogue
	near      geo.Point
	within    geo.Meters
	first     nearest // of all locations, once it was looked for
	at        nearest // the location that was found
	slot      uint32  // where the ledger has it
	stage     stage
	levels    []int64
}

// nearest is a location that a search has found.
type nearest struct {
	number   uint32
	distance geo.Meters
	ok       bool
}

// stage is how the next location is looked for.
type stage uint8

const (
	blind    stage = iota // the nearest of all may do
	planned               // by the way that reads the least
	byBits                // by the bits, within a budget
	listed                // all that are left are in a list
	finished              // there is no other
)

// Expect begins to read what a claim under an ID is going to need of the book.
func (r *Route) Expect(l *reservation.Ledger, id string) { r.claim.Expect(l, id) }

// Aim begins the search near a point, before it is known what for: what it reads is
// near when the names of the goods are resolved. within is how far a location may be;
// 0: anywhere.
func (r *Route) Aim(c *topology.Catalogue, near geo.Point, within geo.Meters) {
	r.catalogue, r.near, r.within = c, near, within
	r.first.ok = false
	r.search.Start(c.Index(), near, nil, within)
}

// Start says what is searched for: all of the lines, at locations that a filter lets
// pass; nil: at all. It follows Aim. False: nobody is in reach, or nobody has anything
// of some line.
func (r *Route) Start(l *reservation.Ledger, lines []reservation.Line, filter *reservation.Filter) bool {
	if r.within > 0 { // it costs little and spares an order from nowhere all else
		if r.findFirst(); !r.first.ok {
			return false
		}
	}
	r.stage = blind
	return r.claim.Start(l, r.catalogue.Table(), lines, filter) < 0
}

// Next finds the next nearest location that has something of every line, and in whose
// area the point is. False: there is no other.
func (r *Route) Next() bool {
	for r.find() {
		spot := r.Spot()
		if spot.Area == nil || spot.Area.Contains(r.near) {
			r.slot = spot.Slot
			return true
		}
	}
	return false
}

// find is Next whatever the area.
func (r *Route) find() bool {
	switch r.stage {
	case blind:
		r.stage = planned
		// Only the nearest of all. The second nearest costs more to find than the
		// nearest with the bits.
		if r.claim.Common() {
			if r.findFirst(); r.first.ok {
				r.at = r.first
				return true
			}
		}
		fallthrough
	case planned:
		r.plan()
	case finished:
		return false
	}
	if r.findNext() {
		return true
	}
	if r.stage == byBits && r.claim.Exhausted() {
		r.stage = listed
		r.search.StartList(r.catalogue.Index(), r.near, r.claim.Numbers(), r.within)
		if r.findNext() {
			return true
		}
	}
	r.stage = finished
	return false
}

// findFirst takes the first result of the search, unless it has been taken.
func (r *Route) findFirst() {
	if !r.first.ok {
		r.first.number, r.first.distance, r.first.ok = r.search.Next()
	}
}

// findNext takes the next result of the search, if it is not void.
func (r *Route) findNext() bool {
	r.at.number, r.at.distance, r.at.ok = r.search.Next()
	return r.at.ok && !r.claim.Exhausted()
}

// plan begins the search for locations that have something of every line, by the way
// that reads the least.
func (r *Route) plan() {
	r.stage = byBits
	switch {
	case r.claim.Plan(false):
		r.stage = listed
		r.search.StartList(r.catalogue.Index(), r.near, r.claim.Numbers(), r.within)
	case r.claim.Rare():
		r.search.StartSparse(r.catalogue.Index(), r.near, &r.claim, r.within)
	default:
		r.search.Start(r.catalogue.Index(), r.near, &r.claim, r.within)
	}
}

// Spot is the location that Next has found.
func (r *Route) Spot() *topology.Spot { return r.catalogue.Spot(r.at.number) }

// Slot is where the ledger has the location that is to be claimed at.
func (r *Route) Slot() uint32 { return r.slot }

// Distance is how far away it is.
func (r *Route) Distance() geo.Meters { return r.at.distance }

// Levels is how much of each line the location has that was found, and whether it is
// enough of all.
func (r *Route) Levels() (levels []int64, enough bool) {
	r.levels, enough = r.claim.Levels(r.at.number, r.levels[:0])
	return r.levels, enough
}

// Reset forgets what the claim refers to.
func (r *Route) Reset() { r.claim.Reset() }

// Bind is Start and Next for the one location at a slot, which has a number. False:
// some line is nowhere.
func (r *Route) Bind(l *reservation.Ledger, c *topology.Catalogue, slot uint32, distance geo.Meters, lines []reservation.Line) bool {
	r.catalogue, r.slot, r.at = c, slot, nearest{c.Number(slot), distance, true}
	return r.claim.Bind(l, c.Table(), lines)
}

// Lines is how many lines are claimed.
func (r *Route) Lines() int { return r.claim.Len() }

// Line is one of them.
func (r *Route) Line(i int) reservation.Line { return r.claim.Line(i) }

// Keep says how many units of a line must stay available at the location that was
// found.
func (r *Route) Keep(i int, units int64) { r.claim.Keep(i, units) }

// Claim takes all lines at the location that was found, which hold is going to name:
// reservation.Done; reservation.Known: found is what has the ID; reservation.Failed:
// see Err; else it is short of some line, and Next goes on.
func (r *Route) Claim(hold *reservation.Hold, found *reservation.Entry) int {
	hold.Slot, hold.Distance = r.slot, float64(r.at.distance)
	return r.claim.Reserve(r.at.number, hold, found)
}

// Ticket is what to wait for after a claim that was done.
func (r *Route) Ticket() reservation.Ticket { return r.claim.Ticket() }

// Err is why a claim has failed.
func (r *Route) Err() error { return r.claim.Err() }
