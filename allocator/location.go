package allocator

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/bits"
	"slices"
	"sync/atomic"

	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/geo"
	"github.com/clickcollect/clickcollect/reservation"
	"github.com/clickcollect/clickcollect/reservation/lock"
)

// Kind is what sort of place a location is.
type Kind uint8

// The kinds of location.
const (
	Store       Kind = iota // a shop
	Warehouse               // holds stock, no customers
	PickupPoint             // hands over, run by somebody else
	Locker                  // a locker hub
	kinds
)

// String is the kind in words.
func (k Kind) String() string {
	switch k {
	case Store:
		return "store"
	case Warehouse:
		return "warehouse"
	case PickupPoint:
		return "pickup point"
	case Locker:
		return "locker"
	}
	return fmt.Sprintf("Kind(%d)", uint8(k))
}

// collectAt is the kinds of location at which customers collect unless an order's
// Kinds or a location's Terms.Forms say otherwise: nobody is let into a warehouse,
// and what is in a locker has to be brought there first.
const collectAt = kindSet(1<<Store | 1<<PickupPoint)

// Location is a place that holds stock.
type Location struct {
	ID    string
	Kind  Kind
	Point geo.Point // must be given: the zero Point is none
	Area  *geo.Area // customers it serves; nil: everybody. At a named location it does not count

	NoReturns bool // goods are not brought back here

	// Terms are what the location does for orders, and when. nil: everything, at
	// any hour, at once.
	Terms *Terms
}

// topology is the locations as one search sees them: the geo index, the stock
// laid out in the same numbering, and what is known of each location by slot.
// It is immutable but for the filters, which are filled in when first needed.
//
// Invariant: index.Len() ≤ the table's numbers in use; number n of the index is
// slot table.Space.Slot(n).
type topology struct {
	index     *geo.Index
	table     *reservation.Table
	places    []place  // by slot
	spots     []spot   // by number: what the hot path needs of a location
	ids       []string // by item of the index, with room for those that join; settles ties
	live      int
	byKind    [kinds]int
	unvisited int  // of the live ones: those at which nobody collects by default
	areas     bool // some location has one
	terms     bool // some location has terms that rule out orders, or by which a promise is made
	groups    groups
	sites     sites
	filters   [1 << kinds]atomic.Pointer[reservation.Filter]
}

// place is a location in the topology.
type place struct {
	Location
	site *sourcing.Site // nil without terms
	gone bool
}

func (p *place) groups() []string {
	if p.Terms == nil {
		return nil
	}
	return p.Terms.Groups
}

// spot is what an order needs of the location it gets. Neighbours on the globe
// are neighbours in memory, as in the stock, so a town's customers share them in
// the cache; by slot they would lie in the order in which they were set.
type spot struct {
	id   string
	area *geo.Area
	slot uint32
}

func (t *topology) spot(slot uint32) spot {
	p := &t.places[slot]
	return spot{id: p.ID, area: p.Area, slot: slot}
}

// kindSet is one bit for each kind.
type kindSet uint8

// list is the kinds of a set, ascending.
func (s kindSet) list() (list []Kind) {
	for k := range kinds {
		if s>>k&1 != 0 {
			list = append(list, k)
		}
	}
	return list
}

// allows reports whether an order of a form may go to a location, as far as that
// is a matter of its kind: the rule of package sourcing, for whoever has no plan.
func (l *Location) allows(set kindSet, form sourcing.Form) bool {
	s := sourcing.Site{Kind: uint8(l.Kind)}
	if l.Terms != nil {
		s.Forms = l.Terms.Forms
	}
	r := sourcing.Request{Form: form, Kinds: uint8(set), CollectAt: uint8(collectAt)}
	return r.Allows(&s)
}

// anywhere reports whether every location there is is allowed to orders of a form
// that name a set of kinds, or none: that is most often so, and spares them the filter.
func (t *topology) anywhere(set kindSet, form sourcing.Form) bool {
	if set == 0 {
		return form != sourcing.Collect || t.unvisited == 0
	}
	n := 0
	for k, there := range t.byKind {
		n += int(set>>k&1) * there
	}
	return n == t.live
}

// filter is the stock filter of a set of kinds, which may be empty, for a form; nil
// lets all pass.
func (t *topology) filter(set kindSet, form sourcing.Form) *reservation.Filter {
	if t.anywhere(set, form) || set == 0 && mutant == mutantOpen {
		return nil
	}
	// A set that is not empty means the same for all forms.
	if f := t.filters[set].Load(); f != nil {
		return f
	}
	f := t.table.Filter(t.index.Len(), func(number uint32) bool {
		p := &t.places[t.table.Space.Slot(number)]
		return !p.gone && p.allows(set, form)
	})
	t.filters[set].Store(f)
	return f
}

// inGroups is the locations in one of the groups that an order asks for, a bit for
// each number.
func (t *topology) inGroups(asked []string) []uint64 {
	in := sourcing.InGroups(asked...)
	slots := t.groups.anyOf(asked, len(t.places), func(slot uint32) bool { return in.Pass(&sourcing.Candidate{Site: t.siteOf(slot)}) })
	numbers := make([]uint64, (t.index.Len()+63)/64)
	for w, word := range slots {
		for ; word != 0; word &= word - 1 {
			n := t.table.Space.Number(uint32(w*64 + bits.TrailingZeros64(word)))
			if n != reservation.NoNumber && int(n/64) < len(numbers) { // else it was removed
				numbers[n/64] |= 1 << (n % 64)
			}
		}
	}
	return numbers
}

// with is a topology with new places and no filters yet; set are the slots of those
// that were added or changed. kept tells that the places t had are the same, so that
// only the ones behind them are counted.
func (t *topology) with(places []place, set []uint32, kept bool) *topology {
	n := &topology{index: t.index, table: t.table, places: places, spots: t.spots, ids: t.ids,
		groups: t.groups.with(len(places), set, func(slot uint32) []string { return places[slot].groups() })}
	from := 0
	if kept {
		from = len(t.places)
		n.live, n.byKind, n.unvisited, n.areas, n.terms = t.live, t.byKind, t.unvisited, t.areas, t.terms
	}
	for i := from; i < len(places); i++ {
		if p := &places[i]; !p.gone {
			n.live++
			n.byKind[p.Kind]++
			if !p.allows(0, sourcing.Collect) {
				n.unvisited++
			}
			n.areas = n.areas || p.Area != nil
			n.terms = n.terms || p.Terms.limits() || p.Terms.timed()
		}
	}
	return n
}

// SetLocations adds locations, and changes those whose ID is there already. All
// are checked first: on a refusal nothing was changed. Adding many at once costs
// one build of the index; one by one they wait in a short list that every
// search looks through, and the index is built anew now and then inside this
// call. Moving a location to another point builds it anew too. Orders go on
// meanwhile.
//
// Errors: *InvalidError, also for a location without a Point; ErrFull, ErrNoSpace.
// ErrJournal, or the end of ctx: which of them last is unknown.
func (a *Allocator) SetLocations(ctx context.Context, locations ...Location) error {
	c, err := a.gate.Admit(ctx)
	if err != nil {
		return fmt.Errorf("allocator: set locations: %w", err)
	}
	defer c.End()
	err = a.setLocations(locations, c.Now())
	if waited := c.Settle(ctx); err == nil {
		err = waited
	}
	if err != nil {
		return fmt.Errorf("allocator: set locations: %w", err)
	}
	return nil
}

func (a *Allocator) setLocations(locations []Location, now int64) error {
	if err := a.checkLocations(locations); err != nil {
		return err
	}
	a.setting.Lock(lock.Locations)
	defer a.setting.Unlock()
	t := a.topology.Load()
	if fresh := a.countFresh(locations); a.ledger.Slots()+fresh > a.options.MaxLocations {
		return fmt.Errorf("%d more than the %d of Options.MaxLocations: %w",
			a.ledger.Slots()+fresh-a.options.MaxLocations, a.options.MaxLocations, ErrFull)
	}
	m, failed := a.merge(t, locations, now)
	// What the ledger took before it failed is there, so it is published too.
	if err := a.publish(t, &m); err != nil {
		return errors.Join(failed, err)
	}
	return failed
}

// publish makes the topology of the merged places the one that searches see.
func (a *Allocator) publish(t *topology, m *merged) error {
	next := t.with(m.places, m.set, !m.changed)
	if m.moved || len(m.fresh) > t.table.Space.Free() {
		return a.renumber(next)
	}
	if m.changed {
		next.spots = make([]spot, len(t.spots), cap(t.spots))
		for number := range next.spots {
			next.spots[number] = next.spot(t.spots[number].slot)
		}
	}
	return a.join(next, m.fresh)
}

func (a *Allocator) checkLocations(locations []Location) error {
	if err := a.checkBatch("locations", len(locations)); err != nil {
		return err
	}
	seen := make(map[string]bool, len(locations))
	for i := range locations {
		l := &locations[i]
		field := func(name string) string { return fmt.Sprintf("locations[%d].%s", i, name) }
		if err := a.checkLocation(field("ID"), l.ID); err != nil {
			return err
		}
		if seen[l.ID] {
			return &InvalidError{Field: field("ID"), Value: l.ID, Why: "is in the list twice"}
		}
		seen[l.ID] = true
		if l.Kind >= kinds {
			return &InvalidError{Field: field("Kind"), Value: uint8(l.Kind), Why: "is not a kind of location"}
		}
		if err := checkPoint(field("Point"), l.Point); err != nil {
			return fmt.Errorf("location %s: %w", quoted(l.ID), err)
		}
		if l.Area != nil && len(l.Area.Rings()) == 0 {
			return fmt.Errorf("location %s: %w", quoted(l.ID), &InvalidError{Field: field("Area"), Value: 0, Why: "must have an outer ring, as geo.NewArea sees to"})
		}
		if err := a.checkTermsOf(l, field); err != nil {
			return fmt.Errorf("location %s: %w", quoted(l.ID), err)
		}
		if err := a.checkVertices(field("Area"), l.Area); err != nil {
			return fmt.Errorf("location %s: %w", quoted(l.ID), err)
		}
		if l.Area != nil || l.Terms != nil { // else it says little
			if err := a.ledger.CheckPlace(l.ID, appendPlace(nil, l)); err != nil {
				return fmt.Errorf("location %s: %w", quoted(l.ID), err)
			}
		}
	}
	return nil
}

func (a *Allocator) countFresh(locations []Location) (n int) {
	for i := range locations {
		if _, ok := a.ledger.Slot(locations[i].ID); !ok {
			n++
		}
	}
	return n
}

// merged is what SetLocations makes of the known places and the given ones.
type merged struct {
	places  []place
	set     []uint32 // slots of the given locations
	fresh   []uint32 // those of new ones
	changed bool     // a known location is different now
	moved   bool     // it is even somewhere else
}

// merge lays the given locations over the known ones. While all are new it
// appends behind what older topologies see of the same array; the first known
// one makes a copy.
func (a *Allocator) merge(t *topology, locations []Location, now int64) (m merged, err error) {
	m.places = t.places
	var note []byte
	for _, l := range locations {
		l.Terms = l.Terms.clone() // the caller may go on with his
		_, known := a.ledger.Slot(l.ID)
		note = appendPlace(note[:0], &l)
		site, err := a.site(&l) // checked before
		if err != nil {
			return m, err
		}
		slot, _, err := a.ledger.AddSlot(l.ID, note, now)
		if err != nil {
			return m, err
		}
		m.set = append(m.set, slot)
		if !known {
			m.fresh = append(m.fresh, slot)
			m.places = append(m.places, place{Location: l, site: site})
			continue
		}
		if !m.changed {
			m.changed, m.places = true, slices.Clone(m.places)
		}
		m.moved = m.moved || m.places[slot].Point != l.Point
		m.places[slot] = place{Location: l, site: site}
	}
	return m, nil
}

// spare is how many locations may join before the index is built anew: few
// enough to look through in every search.
func spare(n int) int { return min(max(n/64, 64), 512) }

// renumber builds index and stock anew and publishes both together.
func (a *Allocator) renumber(next *topology) error {
	slots := make([]uint32, 0, next.live)
	points := make([]geo.Point, 0, next.live)
	room := spare(next.live)
	ids := make([]string, next.live+room)
	for slot := range next.places {
		if p := &next.places[slot]; !p.gone {
			ids[len(slots)] = p.ID
			slots, points = append(slots, uint32(slot)), append(points, p.Point)
		}
	}
	index, err := geo.NewIndex(points, func(x, y uint32) bool { return ids[x] < ids[y] })
	if err != nil {
		return err
	}
	order := make([]uint32, len(slots))
	next.spots = make([]spot, len(slots), len(slots)+room)
	for number := range order {
		order[number] = slots[index.Item(uint32(number))]
		next.spots[number] = next.spot(order[number])
	}
	next.index, next.ids = index, ids
	a.ledger.Renumber(order, room, func(table *reservation.Table) {
		next.table = table
		a.topology.Store(next)
	})
	a.options.Logger.Debug("location index built", "locations", len(slots))
	return nil
}

// join adds locations behind the numbered ones.
func (a *Allocator) join(next *topology, fresh []uint32) error {
	points := make([]geo.Point, len(fresh))
	for i, slot := range fresh {
		next.ids[next.index.Len()+i] = next.places[slot].ID
		points[i] = next.places[slot].Point
		next.spots = append(next.spots, next.spot(slot))
	}
	if len(fresh) > 0 {
		index, err := next.index.With(points...)
		if err != nil {
			return err
		}
		next.index = index
		for _, slot := range fresh {
			a.ledger.Join(slot, func(uint32) {})
		}
	}
	a.topology.Store(next)
	return nil
}

// RemoveLocation takes a location out, if nothing is on hand, nothing is held
// there and nothing is on its way there: otherwise *LocationInUseError says what
// is, and nothing was changed. Count it down to zero and end its reservations
// first.
func (a *Allocator) RemoveLocation(ctx context.Context, id string) error {
	c, err := a.gate.Begin(ctx)
	if err != nil {
		return fmt.Errorf("allocator: remove location: %w", err)
	}
	defer c.End()
	t, err := a.removeLocation(id, c.Now())
	if waited := c.Wait(ctx, t); err == nil {
		err = waited
	}
	if err != nil {
		return fmt.Errorf("allocator: remove location: %w", err)
	}
	return nil
}

func (a *Allocator) removeLocation(id string, now int64) (reservation.Ticket, error) {
	a.setting.Lock(lock.Locations)
	defer a.setting.Unlock()
	slot, ok := a.ledger.Slot(id)
	if !ok {
		return reservation.Ticket{}, fmt.Errorf("%w: %s", ErrUnknownLocation, quoted(id))
	}
	t := a.topology.Load()
	places := slices.Clone(t.places)
	places[slot].gone = true
	next := t.with(places, nil, false)
	return a.ledger.Remove(slot, now, func() { a.topology.Store(next) })
}

// Locations walks the locations in the order in which they were first set.
func (a *Allocator) Locations() iter.Seq[Location] {
	return func(yield func(Location) bool) {
		t := a.topology.Load()
		for i := range t.places {
			p := &t.places[i]
			if p.gone {
				continue
			}
			l := p.Location
			l.Terms = l.Terms.clone()
			if !yield(l) {
				return
			}
		}
	}
}
