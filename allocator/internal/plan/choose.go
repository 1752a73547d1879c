package plan

import (
	"cmp"
	"container/heap"
	"iter"
	"slices"

	"github.com/clickcollect/clickcollect/allocator/internal/topology"
	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/geo"
	"github.com/clickcollect/clickcollect/reservation"
)

// Choices walks what the order could have, the best first, each good until the next:
// soft filters are given up from the last to the first until a location, or a split,
// fills all of it; then the order may be filled in part. Whoever gets what is chosen
// breaks off, and whoever loses it to another order goes on: the same may come again
// then, at the levels of now.
//
// After a walk to the end nothing is chosen, whatever was lost.
//
// What it calls with yield answers false when the walk was broken off.
func (p *Plan) Choices(yield func(*Choice) bool) {
	if p.choices(yield) {
		p.Shares, p.Missing, p.Cost, p.Bound, p.Exact = p.Shares[:0], nil, 0, 0, true
	}
}

// choices is Choices. False: the walk was broken off.
func (p *Plan) choices(yield func(*Choice) bool) bool {
	for p.soft = len(p.Rules.Soft); ; p.soft-- {
		if !p.whole(yield) {
			return false
		}
		if p.soft == 0 {
			break
		}
		p.trace = p.trace[:0] // what a filter has ruled out that is given up
	}
	if !p.Partial {
		return true
	}
	for p.soft = len(p.Rules.Soft); ; p.soft-- {
		p.trace = p.trace[:0]
		if !p.split(true, yield) {
			return false
		}
		if p.soft == 0 {
			return true
		}
	}
}

// Choose makes the first choice. False: there is none.
func (p *Plan) Choose() bool {
	for range p.Choices {
		return true
	}
	return false
}

// whole tries one location for everything, then a split.
func (p *Plan) whole(yield func(*Choice) bool) bool {
	if len(p.Forms) == 1 && !p.single(p.Forms[0], yield) {
		return false
	}
	return p.Most <= 1 || p.split(false, yield)
}

// single tries the locations that fill every want, in the order of the keys.
func (p *Plan) single(f sourcing.Form, yield func(*Choice) bool) bool {
	if p.At != reservation.Everywhere && f != sourcing.Ship {
		var c sourcing.Candidate
		return !p.eligible(&c, p.Catalogue.Number(p.At), p.distanceTo(p.At, f), f) || p.attempt(&c, f, yield)
	}
	for c := range p.best(f) {
		if !p.attempt(c, f, yield) {
			return false
		}
	}
	return true
}

// Candidates walks the locations that could fill all wants, which go one way, the best
// first: those that meet all soft filters if there are any, else those that meet the
// first few. Each is good until the next.
func (p *Plan) Candidates(yield func(*sourcing.Candidate) bool) {
	for p.soft = len(p.Rules.Soft); p.soft >= 0 && !p.filling(p.Forms[0], yield); p.soft-- {
	}
}

// filling is Candidates with the soft filters in force. False: there were none.
func (p *Plan) filling(f sourcing.Form, yield func(*sourcing.Candidate) bool) (any bool) {
	if p.At != reservation.Everywhere && f == sourcing.Collect {
		var c sourcing.Candidate
		if p.eligible(&c, p.Catalogue.Number(p.At), p.distanceTo(p.At, f), f) {
			if _, reason, _ := p.weigh(&c, f); reason == 0 {
				any = true
				yield(&c)
			}
		}
		return any
	}
	for c := range p.best(f) {
		if _, reason, _ := p.weigh(c, f); reason != 0 {
			continue
		}
		any = true
		if !yield(c) {
			break
		}
	}
	return any
}

// best walks the locations that could fill all wants of a form now, the best first.
// A candidate is good until the next.
func (p *Plan) best(f sourcing.Form) iter.Seq[*sourcing.Candidate] {
	return func(yield func(*sourcing.Candidate) bool) {
		p.findWhole(f)
		defer p.work.mask.Reset()
		if p.Rules.Nearest() {
			p.startSearch(f, true)
			p.nearest(f, yield)
		} else {
			p.ranked(f, yield)
		}
	}
}

// nearest walks the locations that the order prefers, and then all others as the
// search finds them: in the order of the rules, so nothing has to be sorted.
func (p *Plan) nearest(f sourcing.Form, yield func(*sourcing.Candidate) bool) {
	var c sourcing.Candidate // one for all: most are looked at for a moment
	tried := make(map[uint32]bool, len(p.Prefer))
	for _, slot := range p.Prefer {
		number := p.Catalogue.Number(slot)
		if number == reservation.NoNumber || tried[number] {
			continue
		}
		tried[number] = true
		if p.eligible(&c, number, p.distanceTo(slot, f), f) && !yield(&c) {
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
		if p.eligible(&c, number, distance, f) && !yield(&c) {
			return
		}
	}
}

// ranked weighs every location and walks the ones that fill the order: those that the
// order prefers, then by the keys. Mostly the first one is taken, so the others are put
// in order only after that.
func (p *Plan) ranked(f sourcing.Form, yield func(*sourcing.Candidate) bool) {
	fill := p.weighAll(f)
	for _, slot := range p.Prefer {
		i, ok := slices.BinarySearchFunc(fill, p.Catalogue.Number(slot), byNumber)
		if !ok || fill[i].Request == nil {
			continue
		}
		if !yield(&fill[i]) {
			return
		}
		fill[i].Request = nil // done with
	}
	var best *sourcing.Candidate
	for i := range fill {
		if c := &fill[i]; c.Request != nil && (best == nil || p.Rules.CompareKeys(c, best) < 0) {
			best = c
		}
	}
	if best == nil || !yield(best) {
		return
	}
	queue := candidates{rules: p.Rules, first: p.work.ranking.ordered[:0]}
	for i := range fill {
		if c := &fill[i]; c.Request != nil && c != best {
			queue.first = append(queue.first, c)
		}
	}
	p.work.ranking.ordered = queue.first
	for heap.Init(&queue); len(queue.first) > 0; {
		if !yield(heap.Pop(&queue).(*sourcing.Candidate)) {
			return
		}
	}
}

func byNumber(c sourcing.Candidate, number uint32) int { return cmp.Compare(c.Number, number) }

// weighAll finds the candidates that fill the order, in the order of their numbers, in
// which their stock lies; what is noted of all others is noted as a search for the
// nearest would have come to them.
func (p *Plan) weighAll(f sourcing.Form) []sourcing.Candidate {
	r, w := &p.Requests[f], &p.work.ranking
	w.fill, w.others = w.fill[:0], w.others[:0]
	p.startMask(f, true)
	p.work.search.StartAll(p.Catalogue.Index(), r.Near, &p.work.mask, r.Within)
	for {
		number, distance, ok := p.work.search.Next()
		if !ok {
			break
		}
		if len(w.fill) == cap(w.fill) {
			w.fill = slices.Grow(w.fill, max(64, cap(w.fill)))
		}
		w.fill = w.fill[:len(w.fill)+1]
		c := &w.fill[len(w.fill)-1]
		if reason, detail := judge(p, c, number, distance, f); reason != 0 {
			w.fill = w.fill[:len(w.fill)-1]
			w.others = append(w.others, other{number, reason, detail})
		}
	}
	p.noteOthers(f)
	return w.fill
}

// noteOthers notes those that do not fill the order, the nearest first.
func (p *Plan) noteOthers(f sourcing.Form) {
	w := &p.work.ranking
	if p.Untraced || len(w.others) == 0 {
		return
	}
	w.listed = w.listed[:0]
	for i := range w.others {
		w.listed = append(w.listed, w.others[i].number)
	}
	p.work.search.StartList(p.Catalogue.Index(), p.Requests[f].Near, w.listed, 0)
	for len(p.trace) < maxTrace {
		number, distance, ok := p.work.search.Next()
		if !ok {
			break
		}
		i, _ := slices.BinarySearch(w.listed, number)
		p.Saw(&sourcing.Candidate{Number: number, Distance: distance}, f, w.others[i].reason, w.others[i].detail)
	}
}

// findWhole says what there must be something of: every want of a form.
func (p *Plan) findWhole(f sourcing.Form) {
	p.work.groups = p.work.groups[:0]
	for i := range p.Wants {
		if w := &p.Wants[i]; w.Form == f {
			p.work.groups = append(p.work.groups, w.handles(nil))
		}
	}
}

// startMask masks out the locations that have nothing of some group of p.work.groups,
// or nothing of any.
func (p *Plan) startMask(f sourcing.Form, every bool) {
	p.work.mask.Start(p.Catalogue.Table(), p.work.groups, every, p.Catalogue.Filter(topology.KindSet(p.Requests[f].Kinds), f))
}

// startSearch begins a search, nearest first, for locations that have something of
// every group of p.work.groups, or of any.
func (p *Plan) startSearch(f sourcing.Form, every bool) {
	r, t := &p.Requests[f], p.Catalogue
	p.startMask(f, every)
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

// eligible measures a location and notes it if it is not.
func (p *Plan) eligible(c *sourcing.Candidate, number uint32, distance geo.Meters, f sourcing.Form) bool {
	reason, detail := p.compare(c, number, distance, f)
	if reason != 0 {
		p.Saw(c, f, reason, detail)
	}
	return reason == 0
}

// attempt chooses one location for every want of the order. If units are taken
// away between the look and the claim it looks again: what another order gives
// back, or moves to another lot, does not count against the location.
func (p *Plan) attempt(c *sourcing.Candidate, f sourcing.Form, yield func(*Choice) bool) bool {
	for range maxAttempts {
		sh, reason, detail := p.weigh(c, f)
		if reason != 0 {
			p.Saw(c, f, reason, detail)
			return true
		}
		p.Shares = append(p.Shares[:0], sh)
		p.Cost, p.Bound, p.Exact = sh.Cost, sh.Cost, true
		if !yield(&p.Choice) {
			return false
		}
		if again, _ := p.stillRoom(c); !again {
			p.Saw(c, f, sourcing.Full, "")
			return true
		}
	}
	p.Saw(c, f, sourcing.Short, "")
	return true
}

// maxAttempts bounds how often the same choice is tried again after it was
// lost to another order each time.
const maxAttempts = 1 << 12

// Saw notes a location that was looked at and not taken.
func (p *Plan) Saw(c *sourcing.Candidate, f sourcing.Form, reason sourcing.Reason, detail string) {
	if p.Untraced || len(p.trace) >= maxTrace {
		return
	}
	if slot := p.Catalogue.Slot(c.Number); !p.Catalogue.Place(slot).Gone() {
		p.trace = append(p.trace, sighting{slot: slot, form: f, reason: reason, distance: c.Distance, detail: detail})
	}
}

// maxTrace bounds the locations a decision remembers to have looked at.
const maxTrace = 64

// ranking is the memory of a plan that ranks locations.
type ranking struct {
	fill    []sourcing.Candidate // that fill the order, by number
	others  []other              // by number
	listed  []uint32             // the numbers of others
	ordered []*sourcing.Candidate
}

// other is a location that was weighed and does not fill the order, and why.
type other struct {
	number uint32
	reason sourcing.Reason
	detail string
}

// candidates is a heap of candidates by the keys, the best first.
type candidates struct {
	rules *sourcing.Rules
	first []*sourcing.Candidate
}

func (q *candidates) Len() int           { return len(q.first) }
func (q *candidates) Less(i, j int) bool { return q.rules.CompareKeys(q.first[i], q.first[j]) < 0 }
func (q *candidates) Swap(i, j int)      { q.first[i], q.first[j] = q.first[j], q.first[i] }

// Push adds a candidate behind all others.
func (q *candidates) Push(c any) { q.first = append(q.first, c.(*sourcing.Candidate)) }

// Pop takes the last one.
func (q *candidates) Pop() any {
	last := q.first[len(q.first)-1]
	q.first = q.first[:len(q.first)-1]
	return last
}
