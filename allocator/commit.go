package allocator

import (
	"cmp"
	"fmt"

	"github.com/clickcollect/clickcollect/allocator/internal/gate"
	"github.com/clickcollect/clickcollect/allocator/internal/notes"
	"github.com/clickcollect/clickcollect/allocator/internal/orders"
	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/geo"
	"github.com/clickcollect/clickcollect/reservation"
)

// verdict is what became of an attempt to reserve what a plan has chosen.
type verdict uint8

const (
	nothing verdict = iota // there was nothing to choose, or it was taken away meanwhile
	chosen                 // it is in the plan's Shares, and reserved
	known                  // the ID was there before
	failed                 // the journal takes no more
	stale                  // settings were changed meanwhile: it must be decided anew
)

// hold reserves the first choice of the plan that it gets: of those that it loses to
// other orders it goes on to the next.
func (p *planned) hold(s *scratch) verdict {
	p.holds = true
	for range p.Choices {
		if v := p.commit(s); v != nothing {
			return v
		}
	}
	return nothing
}

// commit reserves what the plan has chosen, all of it in one claim. Only here does an
// order count as a change: before and after it stands aside, because functions of the
// host's run. What was set while it did makes it stale.
func (p *planned) commit(s *scratch) verdict {
	s.Resume()
	if p.outdated() {
		return stale
	}
	v := p.claim(s)
	if v == nothing {
		s.Aside()
	}
	return v
}

// outdated reports whether settings may have changed since the plan was made, which
// then is made anew: but not for ever, since a rule may change them each time it is
// asked, which it must not. The call counts as a change.
func (p *planned) outdated() bool {
	return p.epoch != p.engine.gate.Epoch() && p.again < maxAgain
}

// maxAgain is how often an order is decided anew because settings were changed.
const maxAgain = 64

// claim is commit while the order counts as a change.
func (p *planned) claim(s *scratch) verdict {
	switch ok := p.build(s); {
	case p.broken != nil:
		return failed
	case !ok:
		return nothing
	}
	switch p.work.parts.Reserve(p.engine.ledger, p.work.held, &s.found) {
	case reservation.Done:
		s.ticket = p.work.parts.Ticket()
		return chosen
	case reservation.Known:
		return known
	case reservation.Failed:
		return failed
	}
	s.Count(gate.LostRaces)
	return nothing
}

// build makes the parts of the order as the ledger takes them. False: what the
// plan has chosen is not there any more.
func (p *planned) build(s *scratch) bool {
	held, ok, err := orders.Parts(&p.Plan, p.work.held[:0])
	p.work.held = held
	for i := range held {
		hold := p.holdOf(s, i)
		if i >= len(p.Shares) { // the customer comes to a store that has none of the goods
			hold.Promise = millis(p.order.Window)
		}
		if hold.Slot = held[i].Slot; len(held) > 1 { // so that whoever has the order finds all its parts
			hold.Order, hold.Part = cmp.Or(hold.Order, p.order.ID), uint8(i+1)
		}
		hold.Parts = uint8(len(held))
		held[i].Hold = hold
	}
	if err != nil {
		p.broken = err
	}
	return ok
}

// holdOf is what is noted with the i-th part.
func (p *planned) holdOf(s *scratch, i int) reservation.Hold {
	h := s.hold
	h.Fingerprint = p.mark
	if i >= len(p.Shares) {
		h.Note = p.note(sourcing.Collect, nil)
		return h
	}
	sh := &p.Shares[i]
	h.Slot, h.Distance = sh.Slot, float64(sh.Distance)
	if h.Promise == 0 {
		h.Promise = millis(sh.Ready)
	}
	if p.holds { // a reroute has the note and the form of the part that it is of
		h.Note = p.note(sh.Form, p.first(i))
		h.Form, h.Store = formed(sh.Form, p.At)
	}
	return h
}

// terms is what is kept for a part of that form.
func (p *planned) terms(f sourcing.Form) notes.Terms {
	o := p.order
	t := notes.Terms{Form: f, At: o.At, Within: float64(o.MaxDistance), Kinds: bytesOf(o.Kinds), Payment: o.Payment, Groups: o.Groups,
		Exclude: o.Exclude, NeededBy: millis(o.NeededBy), Window: millis(o.Window), Instead: o.Substitutes, Most: o.MaxLocations}
	if near := notes.Place(o.Near); p.Requests[p.Forms[0]].HasPoint {
		t.Near = &near
	}
	return t
}

// note is the order's terms for a part of that form, with what was answered of it.
func (p *planned) note(f sourcing.Form, first *notes.First) []byte {
	b, err := p.terms(f).With(first).Bytes(notes.MaxNew)
	if err != nil {
		p.broken = noteFault(err)
	}
	return b
}

// source decides an order by the rules and reserves what it chose.
func (a *Allocator) source(s *scratch, order Order) (Allocation, error) {
	o := &order // a copy, so that orders of the hot path stay where they are
	if got, ok := a.answered(s, o); ok {
		return got, nil // before the rules, functions of the host's, are asked
	}
	for again := 0; ; again++ {
		s.Aside()
		if got, v, err := a.sourceOnce(s, o, again); v != stale {
			return got, err
		}
	}
}

// sourceOnce decides it by the settings of now. again is how often it was decided.
func (a *Allocator) sourceOnce(s *scratch, o *Order, again int) (Allocation, verdict, error) {
	p, err := a.newOrder(s, a.locations.Load(), o, &a.rules.Load().Rules, a.keptNowhere(s, o))
	if err != nil {
		return Allocation{}, failed, err
	}
	// Before anything is planned: a plan may open a period or name one, and a repeat
	// writes nothing, nor does a conflict.
	if a.ledger.Find(o.ID, &s.found) {
		got, err := a.repeat(s, o, p.mark, true)
		return got, known, err
	}
	p.again = again
	v := nothing
	if o.At != "" || o.Near != (geo.Point{}) { // see keptNowhere
		v = p.hold(s)
	}
	switch v {
	case stale:
		return Allocation{}, v, nil
	case chosen:
		s.Count(gate.Allocated)
		a.due(s.hold.Deadline)
		return p.answer(s.hold.Deadline), v, nil
	case known:
		got, err := a.repeat(s, o, p.mark, true)
		return got, v, err
	case failed:
		return Allocation{}, v, fmt.Errorf("allocator: order %s: %w", quoted(o.ID), cmp.Or(p.broken, p.work.parts.Err()))
	}
	if a.ledger.Find(o.ID, &s.found) {
		got, err := a.repeat(s, o, p.mark, true)
		return got, v, err
	}
	s.Count(gate.Refused)
	return Allocation{}, v, p.refusal()
}
