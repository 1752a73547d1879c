package allocator

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/clickcollect/clickcollect/allocator/internal/gate"
	"github.com/clickcollect/clickcollect/allocator/internal/goods"
	"github.com/clickcollect/clickcollect/allocator/internal/plan"
	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/geo"
	"github.com/clickcollect/clickcollect/reservation"
)

// verdict is what became of an attempt to reserve what a plan has chosen.
type verdict uint8

const (
	nothing verdict = iota // there was nothing to choose, or it was taken away meanwhile
	chosen                 // it is in plan.shares, and reserved
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
	if len(p.work.held) > 1 {
		p.engine.moves.parts.Store(true)
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
	p.work.held = p.work.held[:0]
	for i := range p.Shares {
		sh := &p.Shares[i]
		part := reservation.Part{Hold: p.holdOf(s, i)}
		if p.Mixed {
			part.Lines = p.mixedCells(sh, part.Lines)
		} else {
			ready := millis(sh.Ready)
			for _, t := range sh.Lines {
				w := &p.Wants[t.Want]
				part.Lines = p.cells(&w.Choices[t.Choice], sh.Number, sh.Slot, ready, t.Units, part.Lines)
			}
		}
		room, ok := p.calendarLines(sh)
		if !ok {
			return false
		}
		part.Lines = joined(append(part.Lines, room...))
		p.work.held = append(p.work.held, part)
	}
	place, ok := p.placeAlone()
	if !ok {
		return false
	}
	if len(place) > 0 { // the customer comes to a store that has none of the goods
		part := reservation.Part{Hold: p.holdOf(s, len(p.work.held)), Lines: place}
		part.Slot, part.Promise = p.At, millis(p.order.Window)
		p.work.held = append(p.work.held, part)
	}
	for i := range p.work.held {
		if len(p.work.held) > 1 { // so that whoever has the order finds all its parts
			p.work.held[i].Order = cmp.Or(p.work.held[i].Order, p.order.ID)
		}
		p.work.held[i].Parts = uint8(len(p.work.held))
	}
	return true
}

// joined sorts lines and adds up those of the same cell.
func joined(lines []reservation.Line) []reservation.Line {
	slices.SortFunc(lines, func(a, b reservation.Line) int { return cmp.Compare(a.SKU, b.SKU) })
	out := lines[:0]
	for _, line := range lines {
		if n := len(out); n > 0 && out[n-1].SKU == line.SKU {
			out[n-1].Quantity += line.Quantity
			out[n-1].Keep = max(out[n-1].Keep, line.Keep)
			continue
		}
		out = append(out, line)
	}
	return out
}

// holdOf is what is noted with the i-th part.
func (p *planned) holdOf(s *scratch, i int) reservation.Hold {
	h := s.hold
	h.Fingerprint = p.mark
	if i > 0 {
		h.ID = partID(p.order.ID, i+1)
	}
	if i >= len(p.Shares) {
		h.Note = p.note(sourcing.Collect, nil)
		return h
	}
	sh := &p.Shares[i]
	h.Slot, h.Distance = sh.Slot, float64(sh.Distance)
	if h.Promise == 0 {
		h.Promise = millis(sh.Ready)
	}
	if p.holds { // a reroute has the note of the part that it is of
		h.Note = p.note(sh.Form, p.first(i))
	}
	return h
}

// cells spreads units of goods over the cells they are taken from, the ones to be
// used first in front.
func (p *planned) cells(g *goods.Product, number, slot uint32, ready, units int64, into []reservation.Line) []reservation.Line {
	table := p.Catalogue.Table()
	kept := p.Levels.Of(g.SKU, slot)
	from := make([]goods.Source, 0, len(g.From))
	pool := int64(0)
	for _, src := range g.From {
		if src.Quota || g.Lasts(src, max(ready, p.Now)) {
			from = append(from, src)
			if !src.Quota {
				n := table.Reachable(src.SKU, number)
				pool += max(n, 0)
				kept += max(-n, 0) // safety stock is kept back from one cell, also for the others
			}
		}
	}
	for i, src := range from {
		n := max(table.Reachable(src.SKU, number)-p.laid(src.SKU, slot), 0)
		take := min(units, n)
		if !src.Quota {
			pool -= n // what the cells behind it have
		}
		if i == len(from)-1 {
			take = units // the last one says whether it is enough
		}
		if take == 0 {
			continue
		}
		line := reservation.Line{SKU: src.SKU, Quantity: take}
		if !src.Quota {
			line.Keep = max(kept-pool, 0)
		}
		into = append(into, line)
		if units -= take; units == 0 {
			break
		}
	}
	return into
}

// mixedCells is the cells of a share's lines, those of the same product together.
func (p *planned) mixedCells(sh *plan.Share, into []reservation.Line) []reservation.Line {
	for i, t := range sh.Lines {
		g := &p.Wants[t.Want].Choices[t.Choice]
		same := func(o plan.Taken) bool { return p.Wants[o.Want].Choices[o.Choice].SKU == g.SKU }
		if slices.ContainsFunc(sh.Lines[:i], same) {
			continue
		}
		units := int64(0)
		for _, o := range sh.Lines[i:] {
			if same(o) {
				units += o.Units
			}
		}
		into = p.cells(g, sh.Number, sh.Slot, millis(sh.Ready), units, into)
	}
	return into
}

// laid is how many units of a cell the parts that are built take already.
func (p *planned) laid(sku, slot uint32) (units int64) {
	if !p.Mixed {
		return 0
	}
	for i := range p.work.held {
		if part := &p.work.held[i]; part.Slot == slot {
			for _, line := range part.Lines {
				if line.SKU == sku {
					units += line.Quantity
				}
			}
		}
	}
	return units
}

// partID is the ID of the n-th part of an order. The first part has the order's
// own; as a part it is also found as order/1.
func partID(order string, n int) string { return order + "/" + strconv.Itoa(n) }

// The longest IDs, whatever Options.MaxIDBytes allows: the engine adds the number of
// a part to that of an order, or of a change, and a part that is made from another
// one's units notes the ID of that. A reroute may make parts of any order.
const (
	maxOrderID  = reservation.MaxRefBytes - partBytes
	maxChangeID = reservation.MaxIDBytes - partBytes
	partBytes   = len("/255")
)

func (a *Allocator) checkOrderID(id string) error {
	if err := a.checkID("ID", id); err != nil {
		return err
	}
	return checkRoom("ID", id, maxOrderID)
}

func (a *Allocator) checkChangeID(id string) error {
	if err := a.checkID("ID", id); err != nil {
		return err
	}
	return checkRoom("ID", id, maxChangeID)
}

// checkRoom refuses a text to which the engine adds what would not fit then.
func checkRoom(field, text string, most int) error {
	if len(text) <= most {
		return nil
	}
	return &InvalidError{Field: field, Value: text,
		Why: fmt.Sprintf("is %d bytes long, at most %d leave room for what is added", len(text), most)}
}

// splitID takes a part's ID apart; n is 0 if it is not one.
func splitID(id string) (order string, n int) {
	at := strings.LastIndexByte(id, '/')
	if at < 0 {
		return id, 0
	}
	n, err := strconv.Atoi(id[at+1:])
	if err != nil || n < 1 || id[at+1] == '0' {
		return id, 0
	}
	return id[:at], n
}

// orderTerms is what an order asked for, as its parts keep it for the case that
// they have to be rerouted: as JSON, without what is not set.
//
//	f  how the goods reach the customer, in words; none: collected
//	p  where the customer is, {"Lat": …, "Lon": …}
//	a  the store that the order named
//	w  how far a location may be, in meters
//	k  the kinds allowed, a byte each, as base64
//	y  the payment
//	g  groups; x locations excluded; s substitutes, by SKU
//	n  when the goods are needed, i the start of the window; milliseconds
//	m  over how many locations the order may be split, as it said
//	1  what a repeat is answered: a firstAnswer
//
// And of a part that was rerouted:
//
//	l  the slot that it left, and 1
//	e  slots of the locations that have rejected it
//	h  the SHA-256 of the ID of the change by which it was, as base64
//	r  how often it had been rejected by then
//	o, b  in notes of earlier versions: the ID of the location that it left, and
//	   that of the change; what had rejected it is in x then
//
// Numbers stand for names there, so that what a reroute adds fits however long IDs
// are.
type orderTerms struct {
	Form     sourcing.Form       `json:"f,omitempty"`
	Near     *geo.Point          `json:"p,omitempty"`
	At       string              `json:"a,omitempty"`
	Within   float64             `json:"w,omitempty"`
	Kinds    []Kind              `json:"k,omitempty"`
	Payment  string              `json:"y,omitempty"`
	Groups   []string            `json:"g,omitempty"`
	Exclude  []string            `json:"x,omitempty"`
	NeededBy int64               `json:"n,omitempty"`
	Window   int64               `json:"i,omitempty"`
	Instead  map[string][]string `json:"s,omitempty"`
	Most     int                 `json:"m,omitempty"`

	First *firstAnswer `json:"1,omitempty"`

	Left     uint32   `json:"l,omitempty"`
	Rejected []uint32 `json:"e,omitempty"`
	ByDigest string   `json:"h,omitempty"`
	Rejects  int      `json:"r,omitempty"`
	From     string   `json:"o,omitempty"`
	By       string   `json:"b,omitempty"`

	unread error // why it could not be read back
}

const (
	// maxTerms is how many bytes of terms an order may have.
	maxTerms = 4096
	// maxNote is how many bytes a new order's note may have, with what it was
	// answered. What reroutes add has room behind it: a place to be near to, a
	// digest, numbers, and the slots of some hundred locations.
	maxNote = reservation.MaxNoteBytes - 1024
)

// terms is what is kept for a part of that form.
func (p *planned) terms(f sourcing.Form) orderTerms {
	o := p.order
	t := orderTerms{Form: f, At: o.At, Within: float64(o.MaxDistance), Kinds: o.Kinds, Payment: o.Payment, Groups: o.Groups,
		Exclude: o.Exclude, NeededBy: millis(o.NeededBy), Window: millis(o.Window), Instead: o.Substitutes, Most: o.MaxLocations}
	if near := o.Near; p.Requests[p.Forms[0]].HasPoint {
		t.Near = &near
	}
	return t
}

// note is the order's terms for a part of that form, with what was answered of it.
func (p *planned) note(f sourcing.Form, first *firstAnswer) []byte {
	note, err := p.terms(f).withFirst(first).bytes(maxNote)
	if err != nil {
		p.broken = err
	}
	return note
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
