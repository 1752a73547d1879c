package gate

import "sync/atomic"

// A Counter is something that is counted of calls.
type Counter uint8

// The counters.
const (
	Allocated Counter = iota // orders held
	Refused                  // orders no location could fill
	Repeated                 // orders answered from the book
	Collected                // reservations ended by a collection, or a delivery
	Canceled                 // reservations ended by a cancellation
	Conflicts                // orders refused because another one has their ID
	LostRaces                // locations an order came to and found short
	kinds
)

// stripes is how many stripes calls in flight and counters are spread over.
const stripes = 64

// stripe counts for the calls that share a pass. Padded to two cache lines, so that
// no two processors write to the same one.
type stripe struct {
	changing atomic.Int64 // changes under way
	inFlight atomic.Int64 // calls under way that are not changes, or not all the time
	counts   [kinds]atomic.Uint64
	_        [128 - 8*(2+kinds)]byte
}

// counters are all stripes.
type counters struct {
	stripes [stripes]stripe
	nextOne atomic.Uint32 // the stripe of the next pass
}

func (c *counters) next() *stripe { return &c.stripes[c.nextOne.Add(1)%stripes] }

// busy reports whether any call is in flight. One that stops to count as a change
// has counted as in flight before, and does until it ends, hence the order.
func (c *counters) busy() bool {
	for i := range c.stripes {
		if c.stripes[i].changing.Load() > 0 || c.stripes[i].inFlight.Load() > 0 {
			return true
		}
	}
	return false
}

// changing reports whether any change is under way.
func (c *counters) changing() bool {
	for i := range c.stripes {
		if c.stripes[i].changing.Load() > 0 {
			return true
		}
	}
	return false
}

// Counted is the sum of a counter over all calls so far.
func (g *Gate) Counted(c Counter) (sum uint64) {
	for i := range g.counters.stripes {
		sum += g.counters.stripes[i].counts[c].Load()
	}
	return sum
}

// Count counts something of the call.
func (p *Pass) Count(c Counter) { p.stripe.counts[c].Add(1) }

// Counted is how often something was counted of the calls that share the pass's
// stripe: enough to see that one call has counted it, and to take a sample by.
func (p *Pass) Counted(c Counter) uint64 { return p.stripe.counts[c].Load() }
