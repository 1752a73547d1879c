package allocator

import (
	"container/heap"
	"iter"

	"github.com/clickcollect/clickcollect/allocator/internal/topology"
	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/geo"
	"github.com/clickcollect/clickcollect/reservation"
)

// choices walks what the order could have, the best first, each of it in p.shares
// until the next: soft filters are given up from the last to the first until a
// location, or a split, fills all of it; then the order may be filled in part. Whoever
// gets what is chosen breaks off, and whoever loses it to another order goes on: the
// same may come again then, at the levels of now. What it calls is false when it was broken off.
func (p *plan) choices(yield func() bool) {
	for p.soft = len(p.rules.Soft); ; p.soft-- {
		if !p.whole(yield) {
			return
		}
		if p.soft == 0 {
			break
		}
		p.trace = p.trace[:0] // what a filter has ruled out that is given up
	}
	if !p.order.Partial {
		return
	}
	for p.soft = len(p.rules.Soft); ; p.soft-- {
		p.trace = p.trace[:0]
		if !p.split(true, yield) || p.soft == 0 {
			return
		}
	}
}

// choose makes the first choice. False: there is none.
func (p *plan) choose() bool {
	for range p.choices {
		return true
	}
	return false
}

// whole tries one location for everything, then a split.
func (p *plan) whole(yield func() bool) bool {
	if len(p.forms) == 1 && !p.single(p.forms[0], yield) {
		return false
	}
	return p.most <= 1 || p.split(false, yield)
}

// single tries the locations that fill every want, in the order of the keys.
func (p *plan) single(f sourcing.Form, yield func() bool) bool {
	if p.at != reservation.Everywhere && f != sourcing.Ship {
		c, ok := p.eligible(p.topology.Number(p.at), p.distanceTo(p.at, f), f)
		return !ok || p.attempt(&c, f, yield)
	}
	for c := range p.best(f) {
		if !p.attempt(c, f, yield) {
			return false
		}
	}
	return true
}

// best walks the locations that could fill all wants of a form now, the best first.
// A candidate is good until the next.
func (p *plan) best(f sourcing.Form) iter.Seq[*sourcing.Candidate] {
	return func(yield func(*sourcing.Candidate) bool) {
		p.findWhole(f)
		defer p.work.mask.Reset()
		if p.rules.Nearest() {
			p.nearest(f, yield)
		} else {
			p.ranked(f, yield)
		}
	}
}

// nearest walks the locations that the order prefers, and then all others as the
// search finds them: in the order of the rules, so nothing has to be sorted.
func (p *plan) nearest(f sourcing.Form, yield func(*sourcing.Candidate) bool) {
	var c sourcing.Candidate // one for all: most are looked at for a moment
	tried := make(map[uint32]bool, len(p.order.Prefer))
	for _, id := range p.order.Prefer {
		slot, ok := p.engine.ledger.Slot(id)
		if !ok || slot >= p.topology.Slots() {
			continue
		}
		number := p.topology.Number(slot)
		if number == reservation.NoNumber || tried[number] {
			continue
		}
		tried[number] = true
		if c, ok = p.eligible(number, p.distanceTo(slot, f), f); ok && !yield(&c) {
			return
		}
	}
	for {
		number, distance, ok := p.work.search.Next()
		if !ok {
			return
		}
		if tried[number] {
			continue
		}
		if c, ok = p.eligible(number, distance, f); ok && !yield(&c) {
			return
		}
	}
}

// ranked weighs every location and walks the ones that fill the order, by the
// keys. Mostly the first one is taken, so the others are only heaped up.
func (p *plan) ranked(f sourcing.Form, yield func(*sourcing.Candidate) bool) {
	all := p.work.candidates[:0]
	var c sourcing.Candidate
	for {
		number, distance, ok := p.work.search.Next()
		if !ok {
			break
		}
		if c, ok = p.eligible(number, distance, f); !ok {
			continue
		}
		if _, reason, detail := p.weigh(&c, f); reason != 0 {
			p.saw(&c, f, reason, detail)
			continue
		}
		all = append(all, c)
	}
	p.work.candidates = all
	queue := candidates{rules: p.rules, first: make([]*sourcing.Candidate, len(all))}
	for i := range all {
		queue.first[i] = &all[i]
	}
	for heap.Init(&queue); len(queue.first) > 0; {
		if !yield(heap.Pop(&queue).(*sourcing.Candidate)) {
			return
		}
	}
}

// candidates is a heap of candidates by the rules, the best first.
type candidates struct {
	rules *sourcing.Rules
	first []*sourcing.Candidate
}

func (q *candidates) Len() int           { return len(q.first) }
func (q *candidates) Less(i, j int) bool { return q.rules.Compare(q.first[i], q.first[j]) < 0 }
func (q *candidates) Swap(i, j int)      { q.first[i], q.first[j] = q.first[j], q.first[i] }

// Push adds a candidate behind all others.
func (q *candidates) Push(c any) { q.first = append(q.first, c.(*sourcing.Candidate)) }

// Pop takes the last one.
func (q *candidates) Pop() any {
	last := q.first[len(q.first)-1]
	q.first = q.first[:len(q.first)-1]
	return last
}

// findWhole begins the search for locations that have something of every want of
// a form, nearest first.
func (p *plan) findWhole(f sourcing.Form) {
	p.work.groups = p.work.groups[:0]
	for i := range p.wants {
		if w := &p.wants[i]; w.form == f {
			p.work.groups = append(p.work.groups, w.handles(nil))
		}
	}
	p.startSearch(f, true)
}

// startSearch begins a search for locations that have something of every group
// of p.work.groups, or of any.
func (p *plan) startSearch(f sourcing.Form, every bool) {
	r, t := &p.ask[f], p.topology
	p.work.mask.Start(t.Table(), p.work.groups, every, t.Filter(topology.KindSet(r.Kinds), f))
	list, few := p.work.mask.List(maxListed, p.work.listed[:0])
	p.work.listed = list
	if few {
		p.work.search.StartList(t.Index(), r.Near, list, r.Within)
		return
	}
	p.work.search.Start(t.Index(), r.Near, &p.work.mask, r.Within)
}

// maxListed is how many locations are listed rather than searched for.
const maxListed = 256

// handles appends the cells a want may be filled from.
func (w *want) handles(into []uint32) []uint32 {
	for i := range w.choices {
		for _, src := range w.choices[i].From {
			into = append(into, src.SKU)
		}
	}
	return into
}

// distanceTo is from the order's point, or the chosen store, to a location.
func (p *plan) distanceTo(slot uint32, f sourcing.Form) geo.Meters {
	r := &p.ask[f]
	if !r.HasPoint {
		return 0
	}
	return geo.Distance(r.Near, p.topology.Place(slot).Point)
}

// eligible measures a location and notes it if it is not.
func (p *plan) eligible(number uint32, distance geo.Meters, f sourcing.Form) (sourcing.Candidate, bool) {
	c, reason, detail := p.measure(number, distance, f)
	if reason != 0 {
		p.saw(&c, f, reason, detail)
	}
	return c, reason == 0
}

// attempt chooses one location for every want of the order. If units are taken
// away between the look and the claim it looks again: what another order gives
// back, or moves to another lot, does not count against the location.
func (p *plan) attempt(c *sourcing.Candidate, f sourcing.Form, yield func() bool) bool {
	for range maxAttempts {
		sh, reason, detail := p.weigh(c, f)
		if reason != 0 {
			p.saw(c, f, reason, detail)
			return true
		}
		p.shares = append(p.shares[:0], sh)
		p.cost, p.bound, p.exact = sh.cost, sh.cost, true
		if !yield() {
			return false
		}
		if again, _ := p.stillRoom(c); !again {
			p.saw(c, f, sourcing.Full, "")
			return true
		}
	}
	p.saw(c, f, sourcing.Short, "")
	return true
}

// maxAttempts bounds how often the same choice is tried again after it was
// lost to another order each time.
const maxAttempts = 1 << 12

// stillRoom reports whether the period of a candidate's promise has room, after
// a claim was lost there.
func (p *plan) stillRoom(c *sourcing.Candidate) (bool, Reason) {
	ready, reason := c.Promise(c.Request.Lines)
	c.Ready = ready
	if reason == 0 && p.windowFull(p.topology.Slot(c.Number), c.Request.Form) {
		reason = sourcing.Full
	}
	return reason == 0, reason
}
