package bench

import (
	"errors"
	"fmt"
	"math"

	"github.com/clickcollect/clickcollect/allocator"
)

// Why a run fails: an engine did not do its job, whatever its figures are.
var (
	// ErrOversold is the cause when an engine promised more units than it
	// received, or its own view of what is available does not match its answers.
	ErrOversold = errors.New("bench: oversold")
	// ErrWrong is the cause when an engine refused an order that could be filled,
	// or held it at a location that was not the nearest.
	ErrWrong = errors.New("bench: wrong answer")
	// ErrLost is the cause when an engine that lasts answers otherwise after a
	// restart.
	ErrLost = errors.New("bench: lost at a restart")
)

const (
	// checkedOrders is how many orders are compared one by one with brute force
	// before anything is timed.
	checkedOrders = 300
	// judgedOrders is how many filled orders of a pass are compared with what was
	// left at its end, which takes a look at all locations each.
	judgedOrders = 64
	// judgedSteps bounds the looks at locations for the refused orders of a pass.
	judgedSteps = 5_000_000
	// tolerance is by how much, in metres, two distances may differ and be equal.
	tolerance = 2
)

// books are what a seat's orders have promised: the world's stock less what is held.
type books struct {
	world *World
	held  map[cell]int64
}

// A cell is the numbers of a SKU and of a location.
type cell struct{ sku, location int32 }

func (b *books) left(sku int32, location int) int64 {
	return b.world.units(int(sku), location) - b.held[cell{sku, int32(location)}]
}

// fills reports whether a location has all of an order's lines. Lines of one SKU count
// together.
func (b *books) fills(o *allocator.Order, skus []int32, location int) bool {
	for i, sku := range skus {
		wanted := int64(0)
		for k, other := range skus {
			if other == sku {
				if k < i {
					break // counted at its first line
				}
				wanted += o.Lines[k].Quantity
			}
		}
		if wanted > 0 && b.left(sku, location) < wanted {
			return false
		}
	}
	return true
}

func (b *books) hold(o *allocator.Order, skus []int32, location int) {
	for i, sku := range skus {
		b.held[cell{sku, int32(location)}] += o.Lines[i].Quantity
	}
}

func (b *books) distance(o *allocator.Order, location int) float64 {
	p := b.world.Locations[location].Point
	return haversine(o.Near.Lat, o.Near.Lon, p.Lat, p.Lon)
}

// nearest looks at every location for the nearest one, within reach and nearer than
// bound, that fills the order; -1 for none. Every location is looked at.
func (b *books) nearest(o *allocator.Order, skus []int32, bound float64) (location int, distance float64) {
	location, distance = -1, bound
	if o.MaxDistance > 0 {
		distance = min(distance, float64(o.MaxDistance)-tolerance)
	}
	for i := range b.world.Locations {
		if d := b.distance(o, i); d < distance && b.fills(o, skus, i) {
			location, distance = i, d
		}
	}
	return location, distance
}

// check sends orders one by one and compares each answer with brute force over all
// locations; then it lets an engine that lasts begin anew and asks for all of them
// again; then it cancels them.
func (s *seat) check() error {
	b := &books{world: s.world, held: make(map[cell]int64)}
	ids := idMaker{next: 990_000_000_000}
	ids.prepare(checkedOrders)
	n := min(checkedOrders, len(s.pool.orders))
	answers := make([]string, n)
	for i := range n {
		o, skus := s.pool.orders[i], s.pool.skus[i]
		o.ID = ids.at(i)
		at, ok, err := s.engine.Allocate(&o)
		if err != nil {
			return fmt.Errorf("bench: allocate %s: %w", o.ID, err)
		}
		answers[i] = at
		if err := s.compare(b, &o, skus, at, ok); err != nil {
			return err
		}
	}
	if err := s.restart(b, &ids, answers); err != nil {
		return err
	}
	if _, err := s.astray(b); err != nil {
		return err
	}
	for i, at := range answers {
		if at == "" {
			continue
		}
		if err := s.engine.Cancel(ids.at(i)); err != nil {
			return fmt.Errorf("bench: cancel %s: %w", ids.at(i), err)
		}
	}
	return s.allBack(b)
}

// compare judges one answer by what brute force finds in the books, and enters it.
func (s *seat) compare(b *books, o *allocator.Order, skus []int32, at string, ok bool) error {
	best, distance := b.nearest(o, skus, math.Inf(1))
	if !ok {
		if best >= 0 {
			return fmt.Errorf("%w: order %s near %v was refused, and %s, %.0f m away, can fill it", ErrWrong, o.ID, o.Near, s.world.Locations[best].ID, distance)
		}
		return nil
	}
	got, there := s.places[at]
	if !there {
		return fmt.Errorf("bench: order %s held at %q, which is no location", o.ID, at)
	}
	if !b.fills(o, skus, got) {
		return fmt.Errorf("%w: order %s is held at %s, which has not got its lines", ErrOversold, o.ID, at)
	}
	// What lies within the tolerance of the reach may be given or refused.
	if d := b.distance(o, got); best >= 0 && d > distance+tolerance || o.MaxDistance > 0 && d > float64(o.MaxDistance)+tolerance {
		return fmt.Errorf("%w: order %s near %v is held at %s, %.0f m away; the nearest that can fill it is %.0f m away", ErrWrong, o.ID, o.Near, at, d, distance)
	}
	b.hold(o, skus, got)
	return nil
}

// restart lets an engine that lasts begin anew, and repeats the orders.
func (s *seat) restart(b *books, ids *idMaker, answers []string) error {
	lasting, ok := s.engine.(Lasting)
	if !ok {
		return nil
	}
	if err := lasting.Restart(); err != nil {
		return fmt.Errorf("bench: restart: %w", err)
	}
	for i, want := range answers {
		if want == "" {
			continue // refused; nothing is kept of it
		}
		o := s.pool.orders[i]
		o.ID = ids.at(i)
		if got, _, err := s.engine.Allocate(&o); err != nil || got != want {
			return fmt.Errorf("%w: order %s was held at %s, and is at %q, %v", ErrLost, o.ID, want, got, err)
		}
	}
	if units, err := s.astray(b); err != nil {
		return fmt.Errorf("%w: %d units are not where they were", ErrLost, units)
	}
	return nil
}

// verify adds up what the callers were promised and compares it with what was
// received and with what the engine shows; and, since stock only fell during the pass,
// with what was left for the orders it refused, or sent farther than it had to.
func (s *seat) verify(r *passed) error {
	b := &books{world: s.world, held: make(map[cell]int64)}
	for _, c := range s.callers {
		for i, at := range c.answers {
			if at == "" {
				continue
			}
			location, ok := s.places[at]
			if !ok {
				return fmt.Errorf("bench: order %s held at %q, which is no location", c.ids.at(i), at)
			}
			k := (c.offset + i) % len(s.pool.orders)
			b.hold(&s.pool.orders[k], s.pool.skus[k], location)
		}
	}
	for c, units := range b.held {
		r.Oversold += max(0, units-s.world.units(int(c.sku), int(c.location)))
	}
	var err error
	if r.Astray, err = s.astray(b); r.Oversold != 0 {
		return fmt.Errorf("%w: %d units promised above what was received, %d units astray", ErrOversold, r.Oversold, r.Astray)
	} else if err != nil {
		return err
	}
	if s.config.CancelAfter > 0 {
		return nil // what is there now may have been held before
	}
	return s.judge(b, r)
}

// astray compares what the engine shows as available with the books.
func (s *seat) astray(b *books) (units int64, err error) {
	for c := range b.held {
		available, err := s.engine.Available(s.world.SKUs[c.sku], s.world.Locations[c.location].ID)
		if err != nil {
			return units, fmt.Errorf("bench: available: %w", err)
		}
		difference := b.left(c.sku, int(c.location)) - available
		units += max(difference, -difference)
	}
	if units != 0 {
		return units, fmt.Errorf("%w: %d units astray: the engine shows other stock than its answers leave", ErrOversold, units)
	}
	return 0, nil
}

// allBack looks whether all that was held is there again.
func (s *seat) allBack(b *books) error {
	for c := range b.held {
		b.held[c] = 0
	}
	if _, err := s.astray(b); err != nil {
		return fmt.Errorf("after every order was canceled: %w", err)
	}
	return nil
}

// judge compares the answers of a pass without releases with what it left: a location
// that still has an order's units at the end had them all the time.
func (s *seat) judge(b *books, r *passed) error {
	var first error
	wrong := func(count *int, format string, args ...any) {
		if *count++; first == nil {
			first = fmt.Errorf("%w: "+format, append([]any{ErrWrong}, args...)...)
		}
	}
	stride, filled := max(1, r.Filled/judgedOrders), 0
	refused := make(map[int]int) // the refused of the pool, and how often
	for _, c := range s.callers {
		for i, at := range c.answers {
			k := (c.offset + i) % len(s.pool.orders)
			if at == "" {
				refused[k]++
				continue
			}
			if filled++; filled%stride != 0 {
				continue
			}
			o := &s.pool.orders[k]
			d := b.distance(o, s.places[at])
			if better, nearer := b.nearest(o, s.pool.skus[k], d-tolerance); better >= 0 {
				wrong(&r.Wrong, "order %s is held %.0f m away, and %s at %.0f m could have filled it all the time", c.ids.at(i), d, s.world.Locations[better].ID, nearer)
			}
		}
	}
	stocked := make(map[int32][]int32) // where there is something left of a SKU
	for k, times := range refused {
		if r.judged > judgedSteps {
			break
		}
		if location, ok := s.couldFill(b, k, stocked, &r.judged); ok {
			wrong(&r.FalselyRefused, "an order for %v near %v was refused %d times, and %s could have filled it all the time",
				s.pool.orders[k].Lines, s.pool.orders[k].Near, times, s.world.Locations[location].ID)
		}
	}
	return first
}

// couldFill looks for a location in reach that has all of an order's lines left. It
// counts its steps.
func (s *seat) couldFill(b *books, k int, stocked map[int32][]int32, steps *int) (location int, ok bool) {
	o, skus := &s.pool.orders[k], s.pool.skus[k]
	there, known := stocked[skus[0]]
	if !known {
		*steps += len(s.world.Locations)
		for i := range s.world.Locations {
			if b.left(skus[0], i) > 0 {
				there = append(there, int32(i))
			}
		}
		stocked[skus[0]] = there
	}
	*steps += len(there)
	for _, i := range there {
		if b.fills(o, skus, int(i)) && (o.MaxDistance == 0 || b.distance(o, int(i)) < float64(o.MaxDistance)-tolerance) {
			return int(i), true
		}
	}
	return 0, false
}
