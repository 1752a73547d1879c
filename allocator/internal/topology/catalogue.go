package topology

import (
	"math/bits"
	"sync"
	"sync/atomic"
	"unique"

	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/geo"
	"github.com/clickcollect/clickcollect/reservation"
)

// Kind is what sort of place a location is: one of the door's kinds, by its number.
type Kind uint8

// The kinds of location.
const (
	Store Kind = iota
	Warehouse
	PickupPoint
	Locker
	Kinds // how many there are
)

// KindSet is one bit for each kind.
type KindSet uint8

// CollectAt is the kinds of location at which customers collect unless an order's
// kinds or a location's forms say otherwise: nobody is let into a warehouse, and what
// is in a locker has to be brought there first.
const CollectAt = KindSet(1<<Store | 1<<PickupPoint)

// A Place is a location as it was set. It is not changed once it is in a catalogue.
type Place struct {
	ID        string
	Kind      Kind
	Point     geo.Point
	Area      *geo.Area // customers it serves; nil: everybody
	NoReturns bool
	Terms     *Terms // nil: everything, at any hour, at once

	site  *sourcing.Site        // nil without terms
	alike unique.Handle[string] // of the terms; none: nobody is
	gone  bool
}

// Gone reports whether the location was removed.
func (p *Place) Gone() bool { return p.gone }

// Allows reports whether an order of a form that names a set of kinds, or none, may go
// to the location, as far as that is a matter of its kind: the rule of package
// sourcing, for whoever has no plan.
func (p *Place) Allows(set KindSet, form sourcing.Form) bool {
	s := sourcing.Site{Kind: uint8(p.Kind)}
	if p.Terms != nil {
		s.Forms = p.Terms.Forms
	}
	r := sourcing.Request{Form: form, Kinds: uint8(set), CollectAt: uint8(CollectAt)}
	return r.Allows(&s)
}

func (p *Place) groups() []string {
	if p.Terms == nil {
		return nil
	}
	return p.Terms.Groups
}

// A Spot is what an order needs of the location it gets. Neighbours on the globe
// are neighbours in memory, as in the stock, so a town's customers share them in
// the cache; by slot they would lie in the order in which they were set.
type Spot struct {
	ID   string
	Area *geo.Area
	Slot uint32
}

// A Catalogue is the locations as one search sees them: the geo index, the stock
// laid out in the same numbering, and what is known of each location by slot.
// It is immutable but for the filters, which are filled in when first needed. All its
// methods are safe for concurrent use.
//
// Invariant: index.Len() ≤ the table's numbers in use; number n of the index is
// slot table.Space.Slot(n).
type Catalogue struct {
	index     *geo.Index
	table     *reservation.Table
	places    []Place  // by slot
	spots     []Spot   // by number: what the hot path needs of a location
	ids       []string // by item of the index, with room for those that join; settles ties
	live      int
	byKind    [Kinds]int
	unvisited int  // of the live ones: those at which nobody collects by default
	areas     bool // some location has one
	terms     bool // some location has terms that rule out orders, or by which a promise is made
	groups    groups
	sites     sites
	filters   [1 << Kinds]atomic.Pointer[reservation.Filter]
}

// sites are all locations as the rules see them, made when an order first asks
// for them: orders that name no terms, where no location has any, never do.
type sites struct {
	once  sync.Once
	plain []sourcing.Site // by slot, of those without terms
	faces []Face          // by number
}

// A Face is what an order needs of a location that it weighs among all others. They
// lie as spots do.
type Face struct {
	Site *sourcing.Site
	Slot uint32
	// Alike is the same number for locations that differ in nothing but name, place,
	// groups, priority and owner: what rules an order out, and when goods are ready,
	// is the same at all of them. 0: this one is not compared with others, and so is
	// one that is gone, that serves an area, or that has holidays of its own.
	Alike uint32
}

// maxAlike is the most numbers of Face.Alike: beyond, what there is of each is worked out
// faster than it is found.
const maxAlike = 1 << 12

// Index finds the nearest locations, by number.
func (c *Catalogue) Index() *geo.Index { return c.index }

// Table is the stock in the numbering of the index.
func (c *Catalogue) Table() *reservation.Table { return c.table }

// Slots is how many locations were ever set, as of the catalogue. A slot from it on is
// that of a location added since.
func (c *Catalogue) Slots() uint32 { return uint32(len(c.places)) }

// Place is the location at a slot.
func (c *Catalogue) Place(slot uint32) *Place { return &c.places[slot] }

// Spot is the location that has a number of the index.
func (c *Catalogue) Spot(number uint32) *Spot { return &c.spots[number] }

// Slot is the slot that has a number of the index.
func (c *Catalogue) Slot(number uint32) uint32 { return c.table.Space.Slot(number) }

// Number is the number of a slot; reservation.NoNumber: it has none.
func (c *Catalogue) Number(slot uint32) uint32 { return c.table.Space.Number(slot) }

// Live is how many locations there are.
func (c *Catalogue) Live() int { return c.live }

// Areas reports whether any location serves only customers of an area.
func (c *Catalogue) Areas() bool { return c.areas }

// Terms reports whether any location has terms that rule out orders, or by which a
// promise is made.
func (c *Catalogue) Terms() bool { return c.terms }

// SiteOf is the location at a slot as the rules see it.
func (c *Catalogue) SiteOf(slot uint32) *sourcing.Site {
	if s := c.places[slot].site; s != nil {
		return s
	}
	c.sites.once.Do(c.meet)
	return &c.sites.plain[slot]
}

// Face is the location that has a number of the index, as an order weighs it.
func (c *Catalogue) Face(number uint32) *Face {
	c.sites.once.Do(c.meet)
	return &c.sites.faces[number]
}

// meet makes the sites.
func (c *Catalogue) meet() {
	c.sites.plain = make([]sourcing.Site, len(c.places))
	for i := range c.places {
		if p := &c.places[i]; p.site == nil {
			c.sites.plain[i] = plainSite(p)
		}
	}
	type sort struct {
		kind  Kind
		terms unique.Handle[string]
	}
	sorts := map[sort]uint32{}
	c.sites.faces = make([]Face, c.index.Len())
	for number := range c.sites.faces {
		slot := c.Slot(uint32(number))
		p, f := &c.places[slot], &c.sites.faces[number]
		if f.Site, f.Slot = p.site, slot; f.Site == nil {
			f.Site = &c.sites.plain[slot]
		}
		if p.gone || p.Area != nil || p.Terms != nil && p.alike == (unique.Handle[string]{}) {
			continue
		}
		of := sort{p.Kind, p.alike}
		if f.Alike = sorts[of]; f.Alike == 0 && len(sorts) < maxAlike {
			f.Alike = uint32(len(sorts)) + 1
			sorts[of] = f.Alike
		}
	}
}

// Anywhere reports whether every location there is is allowed to orders of a form
// that name a set of kinds, or none: that is most often so, and spares them the filter.
func (c *Catalogue) Anywhere(set KindSet, form sourcing.Form) bool {
	if set == 0 {
		return form != sourcing.Collect || c.unvisited == 0
	}
	n := 0
	for k, there := range c.byKind {
		n += int(set>>k&1) * there
	}
	return n == c.live
}

// Filter is the stock filter of a set of kinds, which may be empty, for a form; nil
// lets all pass.
func (c *Catalogue) Filter(set KindSet, form sourcing.Form) *reservation.Filter {
	if c.Anywhere(set, form) {
		return nil
	}
	// A set that is not empty means the same for all forms.
	if f := c.filters[set].Load(); f != nil {
		return f
	}
	f := c.table.Filter(c.index.Len(), func(number uint32) bool {
		p := &c.places[c.table.Space.Slot(number)]
		return !p.gone && p.Allows(set, form)
	})
	c.filters[set].Store(f)
	return f
}

// InGroups is the locations in one of the groups that an order asks for, a bit for
// each number.
func (c *Catalogue) InGroups(asked []string) []uint64 {
	in := sourcing.InGroups(asked...)
	slots := c.groups.anyOf(asked, len(c.places), func(slot uint32) bool { return in.Pass(&sourcing.Candidate{Site: c.SiteOf(slot)}) })
	numbers := make([]uint64, (c.index.Len()+63)/64)
	for w, word := range slots {
		for ; word != 0; word &= word - 1 {
			n := c.table.Space.Number(uint32(w*64 + bits.TrailingZeros64(word)))
			if n != reservation.NoNumber && int(n/64) < len(numbers) { // else it was removed
				numbers[n/64] |= 1 << (n % 64)
			}
		}
	}
	return numbers
}

func (c *Catalogue) spot(slot uint32) Spot {
	p := &c.places[slot]
	return Spot{ID: p.ID, Area: p.Area, Slot: slot}
}

// with is a catalogue with new places and no filters yet; set are the slots of those
// that were added or changed. kept tells that the places c had are the same, so that
// only the ones behind them are counted.
func (c *Catalogue) with(places []Place, set []uint32, kept bool) *Catalogue {
	n := &Catalogue{index: c.index, table: c.table, places: places, spots: c.spots, ids: c.ids,
		groups: c.groups.with(len(places), set, func(slot uint32) []string { return places[slot].groups() })}
	from := 0
	if kept {
		from = len(c.places)
		n.live, n.byKind, n.unvisited, n.areas, n.terms = c.live, c.byKind, c.unvisited, c.areas, c.terms
	}
	for i := from; i < len(places); i++ {
		if p := &places[i]; !p.gone {
			n.live++
			n.byKind[p.Kind]++
			if !p.Allows(0, sourcing.Collect) {
				n.unvisited++
			}
			n.areas = n.areas || p.Area != nil
			n.terms = n.terms || p.Terms.limits() || p.Terms.Timed()
		}
	}
	return n
}
