package reservation

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/clickcollect/clickcollect/reservation/history"
)

const (
	lifeSlots    = 4 // at the first half claims are of several SKUs, at the others goods go over the till
	lifeWorkers  = 8
	lifeOps      = 20_000
	lifeTurns    = 24 // ticks of the clock until the next reservation
	lifeWindow   = 4  // reservations that are worked on at a time
	lifeRemind   = 80
	lifePlenty   = 9 // units on hand above which nothing is received
	lifeWaitEach = 64
)

// lifeGame is a history of lives: callers that work on the same few reservations
// and goods, and what they were told. The clock counts the beginnings and ends of
// calls, and is engine time too: no two calls begin at the same one.
type lifeGame struct {
	l       *Ledger
	clock   atomic.Int64
	moves   atomic.Int64
	spoil   lifeSpoiler // nil: the ledger as it is
	workers [lifeWorkers + 1]lifeWorker
	skus    [lifeSKUs]uint32
}

// lifeSpoiler comes between a caller and the ledger.
type lifeSpoiler func(g *lifeGame, c *lifeCall, serve func())

type lifeWorker struct {
	g     *lifeGame
	rng   *rand.Rand
	claim Claim
	parts Parts
	found Entry
	all   []Entry
	calls []*lifeCall
	last  Ticket
	err   error
}

func lifeStrict(slot uint32) bool { return slot < lifeSlots/2 }

func lifeOrder(number int) string { return "o" + strconv.Itoa(number) }

// lifeContent is what a reservation or movement of that number is about: all that
// name it say the same.
func lifeContent(number int, of uint64) *rand.Rand { return rand.New(rand.NewPCG(uint64(number), of)) }

// newLifeGame lays out the locations and brings the first goods.
func newLifeGame(t *testing.T, l *Ledger, seed uint64) *lifeGame {
	t.Helper()
	g := &lifeGame{l: l}
	for i := range g.workers {
		g.workers[i] = lifeWorker{g: g, rng: rand.New(rand.NewPCG(seed, uint64(i)))}
	}
	var order []uint32
	for i := range lifeSlots {
		slot, _, err := l.AddSlot(fmt.Sprint("l", i), nil, 0)
		mustDo(t, err)
		order = append(order, slot)
	}
	l.Renumber(order, 0, func(*Table) {})
	opening := &g.workers[lifeWorkers]
	for slot := range uint32(lifeSlots) {
		for sku := range lifeSKUs {
			c := &lifeCall{verb: history.Moved, cause: history.Received, slot: slot, sku: sku, number: int(g.moves.Add(1))}
			c.units[sku] = 2
			opening.do(c)
			g.skus[sku], _ = l.SKU(skuNames[sku])
		}
	}
	return g
}

// play makes the calls.
func (g *lifeGame) play(ops int) error {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(lifeWorkers))
	var group sync.WaitGroup
	for i := range lifeWorkers {
		w := &g.workers[i]
		w.calls = make([]*lifeCall, 0, ops/lifeWorkers)
		group.Go(func() {
			for i := range ops / lifeWorkers {
				w.do(w.draw())
				if w.err == nil && i%lifeWaitEach == 0 {
					w.err = errors.Join(g.l.Admit(context.Background()), g.l.Wait(context.Background(), w.last))
				}
			}
		})
	}
	group.Wait()
	var errs []error
	for i := range g.workers {
		errs = append(errs, g.workers[i].err)
	}
	return errors.Join(errs...)
}

// do makes a call, between two ticks of the clock.
func (w *lifeWorker) do(c *lifeCall) {
	c.now = w.g.clock.Add(1)
	c.deadline += c.now
	serve := func() { w.serve(c) }
	if w.g.spoil != nil {
		w.g.spoil(w.g, c, serve)
	} else {
		serve()
	}
	c.ended = w.g.clock.Add(1)
	w.calls = append(w.calls, c)
}

// draw is the next call, its deadline counted from when it begins.
func (w *lifeWorker) draw() *lifeCall {
	r := w.rng
	number := int(w.g.clock.Load()/lifeTurns) + r.IntN(lifeWindow)
	content := lifeContent(number, 1)
	c := &lifeCall{number: number, slot: uint32(content.IntN(lifeSlots)), print: uint64(number)}
	lines := lifeWanted(content)
	if content.IntN(3) == 0 {
		first := content.IntN(lifeSlots)
		for i := range 1 + content.IntN(lifeParts-2) {
			if slot := uint32(first+i) % lifeSlots; slot != c.slot {
				c.more = append(c.more, lifeAnother{lifeWanted(content), slot})
			}
		}
	}
	p := r.IntN(100)
	switch {
	case p < 18:
		c.verb, c.units, c.deadline = history.Held, lines, int64(20+r.IntN(300))
		return c
	case p < 22:
		c.verb = history.Expired
		return c
	case p < 26:
		c.verb = lifeLook
		return c
	case p < 28:
		c.verb, c.sku = lifeLevel, r.IntN(lifeSKUs)
		return c
	case p < 42:
		return w.movement()
	}
	if r.IntN(3) == 0 {
		c.part = uint8(1 + r.IntN(lifeParts))
	}
	if p < 50 {
		c.part = max(c.part, 1)
		c.verb, c.print, c.to, c.whole = history.Rerouted, 0, uint32(r.IntN(lifeSlots)), r.IntN(2) == 0
		for sku, n := range lines {
			if n > 0 && !c.whole && c.units == (lifeUnits{}) {
				c.units[sku] = 1 + int8(r.IntN(int(n)))
			}
		}
		return c
	}
	w.verb(c, lines)
	return c
}

// lifeWanted is some units of some SKUs.
func lifeWanted(content *rand.Rand) (lines lifeUnits) {
	for lines == (lifeUnits{}) {
		for sku := range lines {
			if content.IntN(3) == 0 {
				lines[sku] = 1 + int8(content.IntN(8)/6)
			}
		}
	}
	return lines
}

// verb draws a change of a reservation.
func (w *lifeWorker) verb(c *lifeCall, lines lifeUnits) {
	r := w.rng
	verbs := [...]history.Kind{history.Confirmed, history.Confirmed, history.Confirmed, history.Confirmed, history.Canceled,
		history.Collected, history.Extended, history.Accepted, history.Accepted, history.Ready, history.Ready, history.ShortPicked}
	c.verb, c.print = verbs[r.IntN(len(verbs))], 0
	switch c.verb {
	case history.Extended:
		c.deadline, c.maxHold = int64(r.IntN(300)), int64(r.IntN(2)*400)
	case history.Ready:
		c.deadline = int64(r.IntN(200))
	case history.Confirmed, history.Canceled, history.Collected, history.ShortPicked:
		if r.IntN(3) == 0 {
			break
		}
		for sku, n := range lines {
			if n > 0 && r.IntN(2) == 0 {
				c.units[sku] = 1 + int8(r.IntN(int(n)))
			}
		}
	}
	if r.IntN(4) == 0 {
		c.change, c.print = 1+r.IntN(lifeChanges-1), uint64(r.IntN(8)/7)
	}
}

// movement draws goods that come or, at a shop, go, and now and then one that
// was there before.
func (w *lifeWorker) movement() *lifeCall {
	r := w.rng
	number := w.g.moves.Load() - int64(r.IntN(4))
	if r.IntN(4) > 0 {
		number = w.g.moves.Add(1)
	}
	content := lifeContent(int(number), 2)
	c := &lifeCall{verb: history.Moved, cause: history.Received, number: int(number), slot: uint32(content.IntN(lifeSlots)), sku: content.IntN(lifeSKUs)}
	n := 1 + int8(content.IntN(2))
	if !lifeStrict(c.slot) {
		switch content.IntN(6) {
		case 0, 1:
			c.cause = history.Sold
		case 2:
			c.cause, n = history.Counted, int8(content.IntN(8))
		}
	}
	if number <= lifeSlots*lifeSKUs || c.cause == history.Received && w.g.l.state.Stock.OnHand(w.g.skus[c.sku], c.slot) > lifePlenty {
		return &lifeCall{verb: lifeLevel, slot: c.slot, sku: c.sku}
	}
	c.units[c.sku] = n
	return c
}

func (g *lifeGame) lines(units lifeUnits, into []Line) []Line {
	for sku, n := range units {
		if n > 0 {
			into = append(into, Line{SKU: g.skus[sku], Quantity: int64(n)})
		}
	}
	return into
}

// serve makes the call on the ledger.
func (w *lifeWorker) serve(c *lifeCall) {
	l := w.g.l
	var room [lifeSKUs]Line
	switch c.verb {
	case history.Held:
		w.reserve(c, w.g.lines(c.units, room[:0]))
	case history.Expired:
		_, err := l.Expire(c.now)
		w.told(c, err)
	case history.Rerouted:
		w.reroute(c)
	case lifeLook:
		w.all = l.FindAll(lifeOrder(c.number), w.all[:0])
		for i := range w.all {
			c.looks[w.all[i].Part-1] = lifeSeen{true, w.all[i].Fingerprint, lifeViewOf(&w.all[i])}
		}
	case lifeLevel:
		c.level = l.Available(w.g.skus[c.sku], c.slot)
	case history.Moved:
		t, err := l.Move(&Movement{ID: "m" + strconv.Itoa(c.number), Cause: c.cause, Slot: c.slot, Now: c.now,
			Lines: []MovementLine{{skuNames[c.sku], int64(c.units[c.sku])}}})
		w.last = t
		w.told(c, err)
	default:
		d := Change{Verb: c.verb, ID: lifeOrder(c.number), Part: c.part, Print: c.print, Now: c.now, MaxHold: c.maxHold}
		if c.verb == history.Extended || c.verb == history.Ready {
			d.Deadline = c.deadline
		}
		if c.change > 0 {
			d.ID2 = d.ID + "/" + strconv.Itoa(c.change)
		}
		if lines := w.g.lines(c.units, room[:0]); len(lines) > 0 {
			d.Lines = lines
		}
		var err error
		c.state, w.last, err = l.Do(&d)
		w.told(c, err)
	}
}

// reroute takes a reservation elsewhere as it was a moment ago, or some units of it
// into a new one.
func (w *lifeWorker) reroute(c *lifeCall) {
	l := w.g.l
	x := Reroute{ID: lifeOrder(c.number), Part: c.part, Now: c.now, To: Part{Hold: Hold{Slot: c.to}}}
	if c.whole {
		if !l.FindPart(x.ID, int(c.part), &w.found) {
			c.fact, c.how = lifeUnknown, Failed
			return
		}
		for _, line := range w.found.Lines {
			c.units[slices.Index(w.g.skus[:], line.SKU)] = int8(line.Held + line.Confirmed)
		}
		if c.units == (lifeUnits{}) {
			c.fact, c.how, c.told = lifeEnded, Failed, w.found.State
			return
		}
	} else {
		if x.To.Part = lifeParts; c.part == lifeParts {
			x.Part, c.part = 1, 1
		}
		x.Lines = w.g.lines(c.units, nil)
	}
	x.To.Lines = w.g.lines(c.units, nil)
	c.how = w.parts.Reroute(l, &x, &w.found)
	switch {
	case c.how == Failed:
		w.told(c, w.parts.Err())
	case c.how >= 0:
		c.how = slices.Index(w.g.skus[:], x.To.Lines[c.how].SKU)
	case c.how == Done:
		c.state, w.last = w.found.State, w.parts.Ticket()
	}
}

// reserveParts reserves at several locations.
func (w *lifeWorker) reserveParts(c *lifeCall, lines []Line) {
	h := Hold{ID: lifeOrder(c.number), Part: 1, Fingerprint: c.print, Slot: c.slot, Now: c.now, Deadline: c.deadline}
	parts := []Part{{Hold: h, Lines: lines}}
	for i, m := range c.more {
		h.Part, h.Slot = uint8(2+i), m.slot
		parts = append(parts, Part{Hold: h, Lines: w.g.lines(m.units, nil)})
	}
	c.how = w.parts.Reserve(w.g.l, parts, &w.found)
	switch {
	case c.how == Failed:
		w.err = w.parts.Err()
	case c.how == Known:
		c.see(&w.found)
	case c.how == Done:
		w.last = w.parts.Ticket()
	default:
		at := 0
		for ; c.how >= len(parts[at].Lines); at++ {
			c.how -= len(parts[at].Lines)
		}
		if at > 0 {
			c.slot, c.units = c.more[at-1].slot, c.more[at-1].units
		}
		c.how = slices.Index(w.g.skus[:], parts[at].Lines[c.how].SKU)
	}
}

func (w *lifeWorker) reserve(c *lifeCall, lines []Line) {
	if len(c.more) > 0 {
		w.reserveParts(c, lines)
		return
	}
	t := w.g.l.Table()
	if !w.claim.Bind(w.g.l, t, lines) {
		w.err = errors.New("a SKU is nowhere")
		return
	}
	c.how = w.claim.Reserve(t.Space.Number(c.slot), &Hold{ID: lifeOrder(c.number), Fingerprint: c.print, Slot: c.slot,
		Now: c.now, Deadline: c.deadline}, &w.found)
	switch {
	case c.how == Failed:
		w.err = w.claim.Err()
	case c.how == Known:
		c.see(&w.found)
	case c.how >= 0:
		for sku, handle := range w.g.skus {
			if handle == lines[c.how].SKU {
				c.how = sku
				break
			}
		}
	default:
		w.last = w.claim.Ticket()
	}
}

// told notes the error of a call.
func (w *lifeWorker) told(c *lifeCall, err error) {
	var ended *EndedError
	switch {
	case err == nil:
	case errors.Is(err, ErrNotFound):
		c.fact = lifeUnknown
	case errors.As(err, &ended):
		c.fact, c.told = lifeEnded, ended.State
	case errors.Is(err, ErrState):
		c.fact = lifeState
	case errors.Is(err, ErrShortage):
		c.fact = lifeShort
	case errors.Is(err, ErrConflict):
		c.fact = lifeConflict
	case errors.Is(err, ErrInvalid):
		c.fact = lifeInvalid
	default:
		c.fact = lifeOther
		w.err = err
	}
}

// see notes a reservation as it was shown.
func (c *lifeCall) see(e *Entry) {
	c.saw, c.seen = e.Fingerprint, lifeViewOf(e)
}

func lifeViewOf(e *Entry) lifeView {
	v := lifeView{state: e.State, slot: e.Slot, deadline: e.Deadline, pickup: e.Pickup}
	for i := range e.Lines {
		l := &e.Lines[i]
		v.lines[l.SKU] = lifeLine{quantity: int8(l.Quantity), held: int8(l.Held), confirmed: int8(l.Confirmed),
			collected: int8(l.Collected), missing: int8(l.Missing), lapsed: int8(l.Lapsed), short: int8(l.Short), rerouted: int8(l.Rerouted)}
	}
	return v
}
