package topology

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/clickcollect/clickcollect/allocator/internal/gate"
	"github.com/clickcollect/clickcollect/geo"
	"github.com/clickcollect/clickcollect/reservation"
	"github.com/clickcollect/clickcollect/reservation/excerpt"
	"github.com/clickcollect/clickcollect/reservation/lock"
)

// Options are what locations are set with.
type Options struct {
	// Most is the most locations there ever are, removed ones included.
	Most int
	// Holidays is the host's; nil: there are none.
	Holidays func(location string, year int, month time.Month, day int) bool
	// Logger is told when the index is built.
	Logger *slog.Logger
}

// Locations are the locations that are set. Open comes before all else. All other
// methods are safe for concurrent use; Load waits for nothing.
type Locations struct {
	changing  lock.Mutex // one change at a time
	published atomic.Pointer[Catalogue]
	ledger    *reservation.Ledger
	gate      *gate.Gate
	options   Options
}

// Open brings back the locations that the ledger has recovered. Their stock is not
// laid out yet.
func (l *Locations) Open(ledger *reservation.Ledger, g *gate.Gate, o Options) error {
	l.ledger, l.gate, l.options = ledger, g, o
	next := &Catalogue{places: make([]Place, ledger.Slots())}
	all := make([]uint32, len(next.places))
	for i := range next.places {
		slot := uint32(i)
		all[i] = slot
		name := ledger.SlotName(slot)
		p, err := takePlace(name, ledger.Place(slot))
		if err != nil {
			return err
		}
		known, ok := ledger.Slot(name)
		if p.site, err = l.site(&p); err != nil {
			return fmt.Errorf("location %s: %w", excerpt.Quote(name), err)
		}
		p.gone = !ok || known != slot
		next.places[i] = p
	}
	if len(next.places) > 0 {
		return l.renumber(next.with(next.places, all, false))
	}
	index, err := geo.NewIndex(nil, nil)
	if err != nil {
		return err
	}
	next.index, next.table = index, ledger.Table()
	l.published.Store(next)
	return nil
}

// Load is the catalogue of now.
func (l *Locations) Load() *Catalogue { return l.published.Load() }

// Swap publishes another catalogue and returns the one before. It is for tests of
// calls that loaded theirs a moment ago.
func (l *Locations) Swap(c *Catalogue) *Catalogue { return l.published.Swap(c) }

// Check refuses a place that the ledger cannot record.
func (l *Locations) Check(p *Place) error { return l.ledger.CheckPlace(p.ID, appendPlace(nil, p)) }

// Set adds places, and changes those whose ID is there already; the caller does not
// change them afterwards. On ErrFull nothing was changed; on another error, which is
// the ledger's, the first of them may be set, and are published.
func (l *Locations) Set(places []Place, now int64) error {
	l.changing.Lock(lock.Locations)
	defer l.changing.Unlock()
	c := l.published.Load()
	if n := l.ledger.Slots() + l.countFresh(places); n > l.options.Most {
		return fmt.Errorf("%d more than the %d of Options.MaxLocations: %w", n-l.options.Most, l.options.Most, reservation.ErrFull)
	}
	m, failed := l.merge(c, places, now)
	// What the ledger took before it failed is there, so it is published too.
	if err := l.publish(c, &m); err != nil {
		return errors.Join(failed, err)
	}
	return failed
}

// Remove takes a location out, if the ledger lets it go.
func (l *Locations) Remove(id string, now int64) (reservation.Ticket, error) {
	l.changing.Lock(lock.Locations)
	defer l.changing.Unlock()
	slot, ok := l.ledger.Slot(id)
	if !ok {
		return reservation.Ticket{}, fmt.Errorf("%w: %s", reservation.ErrUnknownLocation, excerpt.Quote(id))
	}
	c := l.published.Load()
	places := slices.Clone(c.places)
	places[slot].gone = true
	next := c.with(places, nil, false)
	return l.ledger.Remove(slot, now, func() { l.published.Store(next) })
}

func (l *Locations) countFresh(places []Place) (n int) {
	for i := range places {
		if _, ok := l.ledger.Slot(places[i].ID); !ok {
			n++
		}
	}
	return n
}

// merged is what Set makes of the known places and the given ones.
type merged struct {
	places  []Place
	set     []uint32 // slots of the given places
	fresh   []uint32 // those of new ones
	changed bool     // a known location is different now
	moved   bool     // it is even somewhere else
}

// merge lays the given places over the known ones. While all are new it
// appends behind what older catalogues see of the same array; the first known
// one makes a copy.
func (l *Locations) merge(c *Catalogue, places []Place, now int64) (m merged, err error) {
	m.places = c.places
	var note []byte
	for _, p := range places {
		_, known := l.ledger.Slot(p.ID)
		note = appendPlace(note[:0], &p)
		if p.site, err = l.site(&p); err != nil { // checked before
			return m, err
		}
		slot, _, err := l.ledger.AddSlot(p.ID, note, now)
		if err != nil {
			return m, err
		}
		m.set = append(m.set, slot)
		if !known {
			m.fresh = append(m.fresh, slot)
			m.places = append(m.places, p)
			continue
		}
		if !m.changed {
			m.changed, m.places = true, slices.Clone(m.places)
		}
		m.moved = m.moved || m.places[slot].Point != p.Point
		m.places[slot] = p
	}
	return m, nil
}

// publish makes the catalogue of the merged places the one that searches see.
func (l *Locations) publish(c *Catalogue, m *merged) error {
	next := c.with(m.places, m.set, !m.changed)
	if m.moved || len(m.fresh) > c.table.Space.Free() {
		return l.renumber(next)
	}
	if m.changed {
		next.spots = make([]Spot, len(c.spots), cap(c.spots))
		for number := range next.spots {
			next.spots[number] = next.spot(c.spots[number].Slot)
		}
	}
	return l.join(next, m.fresh)
}

// spare is how many locations may join before the index is built anew: few
// enough to look through in every search.
func spare(n int) int { return min(max(n/64, 64), 512) }

// renumber builds index and stock anew and publishes both together.
func (l *Locations) renumber(next *Catalogue) error {
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
	next.spots = make([]Spot, len(slots), len(slots)+room)
	for number := range order {
		order[number] = slots[index.Item(uint32(number))]
		next.spots[number] = next.spot(order[number])
	}
	next.index, next.ids = index, ids
	l.ledger.Renumber(order, room, func(table *reservation.Table) {
		next.table = table
		l.published.Store(next)
	})
	l.options.Logger.Debug("location index built", "locations", len(slots))
	return nil
}

// join adds locations behind the numbered ones.
func (l *Locations) join(next *Catalogue, fresh []uint32) error {
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
			l.ledger.Join(slot, func(uint32) {})
		}
	}
	l.published.Store(next)
	return nil
}
