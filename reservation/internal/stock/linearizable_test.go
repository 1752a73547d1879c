package stock

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/anishathalye/porcupine"
	"github.com/clickcollect/clickcollect/bench/scaletest"
)

// Histories. A handful of goroutines claim, put back and search at one to three
// locations with at most three SKUs, at one location (Query) or at several at
// once (Picks), and porcupine looks for an order of their calls that a plain
// vector of counters would have answered in the same way.
//
// Till sales below what is claimed are left out on purpose: they take units a
// claim in flight already counts as its own (P1 speaks of them), so with them
// there is no single instant at which all its lines were there.
//
// What a line keeps is not held until the claim ends. It was there when the line
// was taken: for the last one that is the claim's own instant, for the others
// another one before, which the history names in a call of its own.

const (
	historySKUs  = 3
	historySlots = 3
	historyCells = historySKUs * historySlots // cell sku·historySlots + place, the order of claims
)

// deed is what a call of a history does.
type deed uint8

const (
	deedClaim  deed = iota // take, settle: a claim of every line or none
	deedProbe              // take, undo: the same answer, and nothing changes
	deedAdd                // put back, or goods in
	deedSearch             // is the location listed for these lines?
	deedKept               // a claim's line found at an instant what it takes and keeps
)

// units is a number for each cell.
type units [historyCells]int8

// call is the input of one operation of a history.
type call struct {
	deed  deed
	want  units // of each cell; 0 is no line
	keep  units // beside what is wanted
	picks bool  // by a claim over many locations, also if it names one only
}

// last is the highest cell of a claim.
func (c *call) last() int {
	for i := historyCells - 1; i > 0; i-- {
		if c.want[i] > 0 {
			return i
		}
	}
	return 0
}

// answer is the output. short is the cell a refusal names.
type answer struct {
	ok    bool
	short int8
}

// vector is the specification: the twin is the units of each cell.
func vector(start units) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return start },
		Step: func(state, input, output any) (bool, any) {
			return step(state.(units), input.(call), output.(answer))
		},
	}
}

func step(have units, in call, out answer) (bool, units) {
	switch {
	case in.deed == deedAdd:
		for i, n := range in.want {
			have[i] += n
		}
		return true, have
	case in.deed == deedSearch:
		missing := false
		for i, n := range in.want {
			missing = missing || n > 0 && have[i] <= 0
		}
		return out.ok || missing, have // a bit may be set for nothing
	case !out.ok: // the line it names must be short at this instant
		return have[out.short] < in.want[out.short]+in.keep[out.short], have
	}
	after := have
	for i, n := range in.want {
		if have[i] < n || (in.deed == deedKept || i == in.last()) && have[i] < n+in.keep[i] {
			return false, have
		}
		after[i] -= n
	}
	if in.deed != deedClaim {
		after = have
	}
	return true, after
}

// history is one random program and what came of it.
type history struct {
	s     *Stock
	skus  int
	slots []uint32 // the places, ascending
	scale int64    // units of the stock for one unit of the model
	start units
	clock atomic.Int64
	mu    sync.Mutex
	ops   []porcupine.Operation
}

func (h *history) record(client int, in call, do func() answer) answer {
	op := porcupine.Operation{ClientId: client, Input: in, Call: h.clock.Add(1)}
	out := do()
	op.Output, op.Return = out, h.clock.Add(1)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ops = append(h.ops, op)
	if in.deed > deedProbe || !out.ok {
		return out
	}
	for i, n := range in.keep {
		if n > 0 && i != in.last() {
			kept := call{deed: deedKept}
			kept.want[i], kept.keep[i] = in.want[i], n
			op.Input = kept
			h.ops = append(h.ops, op)
		}
	}
	return out
}

// picks is the cells of a call in the order of claims.
func (h *history) picks(in *call) (picks []Pick) {
	for i, n := range in.want {
		if n > 0 {
			picks = append(picks, Pick{
				SKU:      uint32(i / historySlots),
				Slot:     h.slots[i%historySlots],
				Quantity: int64(n) * h.scale,
				Keep:     int64(in.keep[i]) * h.scale,
			})
		}
	}
	return picks
}

// cell is the number of a pick in the model.
func (h *history) cell(p Pick) int8 {
	return int8(int(p.SKU)*historySlots + slices.Index(h.slots, p.Slot))
}

// client is what one goroutine claims with.
type client struct {
	q Query
	p Picks
}

// run does one call against the stock.
func (h *history) run(c *client, in call) answer {
	picks := h.picks(&in)
	if in.deed == deedAdd {
		for _, p := range picks {
			h.s.Change(p.SKU, p.Slot, p.Quantity)
		}
		return answer{ok: true}
	}
	if in.picks {
		if at := c.p.Take(h.s, picks); at >= 0 {
			return answer{short: h.cell(picks[at])}
		}
		return finish(&c.p, in.deed)
	}
	var lines []Line
	for _, p := range picks {
		lines = append(lines, Line{SKU: p.SKU, Quantity: p.Quantity, Keep: p.Keep})
	}
	table := h.s.Table()
	number := table.Space.Number(picks[0].Slot)
	if in.deed == deedSearch {
		return answer{ok: c.q.Start(h.s, table, lines, nil) == -1 && sees(&c.q, number)}
	}
	c.q.Bind(h.s, table, lines)
	if at := c.q.Take(number); at >= 0 {
		return answer{short: h.cell(picks[at])}
	}
	return finish(&c.q, in.deed)
}

// taken is a claim that has what it wants, a Query's or a Picks'.
type taken interface {
	Settle()
	Undo()
}

func finish(t taken, d deed) answer {
	if d == deedProbe {
		t.Undo()
	} else {
		t.Settle()
	}
	return answer{ok: true}
}

// historyShapes are the rows histories run on, and a few other slots of theirs.
var historyShapes = []shapeCase{
	{"tiny", 40, 5, sparse},
	{"sparse", 4_200, 70, sparse},
	{"mid", 200, 2, mid},
	{"dense", 130, 1, dense},
}

// newHistory sets the stage: rows of mixed shapes over one space.
func newHistory(rng *rand.Rand) *history {
	c := historyShapes[rng.IntN(len(historyShapes))]
	h := &history{s: newWorld(historySKUs, c.n, 4), scale: 1}
	if rng.IntN(8) == 0 {
		h.scale = narrowEscrow + 1 // every claim asks for a wide row
	}
	h.skus = historySKUs
	places := max(1, rng.IntN(historySlots+2)-1) // one in three times 1; many cells are seldom fought for
	if places > 1 {
		h.skus = 1 + rng.IntN(2)
	}
	for len(h.slots) < places {
		if slot := uint32(c.step * rng.IntN(c.n/c.step)); !slices.Contains(h.slots, slot) {
			h.slots = append(h.slots, slot)
		}
	}
	slices.Sort(h.slots)
	for sku := range h.skus {
		h.s.Ensure(uint32(sku), everyNth(c.n, c.step)...)
		for place, slot := range h.slots {
			if n := rng.IntN(2 + places); n > 0 {
				h.start[sku*historySlots+place] = int8(n)
				h.s.Change(uint32(sku), slot, int64(n)*h.scale)
			}
		}
	}
	return h
}

// program is the calls of one goroutine. Single-SKU adds are atomic; adds of
// several SKUs are several calls.
func (h *history) program(rng *rand.Rand, length int) []call {
	calls := make([]call, length)
	for i := range calls {
		c := &calls[i]
		switch p := rng.IntN(10); {
		case p < 4:
			c.deed = deedClaim
		case p < 6:
			c.deed = deedProbe
		case p < 8:
			c.deed = deedAdd
			c.want[rng.IntN(h.skus)*historySlots+rng.IntN(len(h.slots))] = int8(1 + rng.IntN(2))
			continue
		default:
			c.deed = deedSearch
		}
		c.picks = c.deed != deedSearch && rng.IntN(3) != 0
		for place := rng.IntN(len(h.slots)); c.want == (units{}); {
			h.lines(rng, c, place)
		}
	}
	return calls
}

// lines draws what a claim or a search wants: at one place, or anywhere.
func (h *history) lines(rng *rand.Rand, c *call, place int) {
	for sku := range h.skus {
		for p := range h.slots {
			if (!c.picks && p != place) || rng.IntN(1+len(h.slots)) != 0 {
				continue
			}
			at := sku*historySlots + p
			c.want[at] = int8(1 + rng.IntN(2))
			if c.deed != deedSearch && rng.IntN(4) == 0 {
				c.keep[at] = int8(1 + rng.IntN(2))
			}
		}
	}
}

// play runs the programs side by side, with a grower in a share of histories.
func (h *history) play(rng *rand.Rand) {
	var group sync.WaitGroup
	start := make(chan struct{})
	goroutines := 2 + rng.IntN(5)
	for i := range goroutines {
		calls := h.program(rng, 1+rng.IntN(max(1, 14/goroutines)))
		group.Go(func() {
			var c client
			<-start
			for _, in := range calls {
				h.record(i, in, func() answer { return h.run(&c, in) })
			}
		})
	}
	if rng.IntN(4) == 0 {
		seed := rng.Uint64()
		group.Go(func() {
			<-start
			h.grow(rand.New(rand.NewPCG(seed, 1)))
		})
	}
	close(start)
	group.Wait()
}

// grow builds rows anew under the claims.
func (h *history) grow(rng *rand.Rand) {
	n := int(h.s.Table().Space.used.Load())
	for range 1 + rng.IntN(3) {
		sku := uint32(rng.IntN(h.skus))
		switch rng.IntN(4) {
		case 0:
			h.s.Ensure(sku, uint32(rng.IntN(n)))
		case 1:
			h.s.Ensure(sku, uint32(rng.IntN(n)), uint32(rng.IntN(n)), uint32(rng.IntN(n)))
		case 2:
			h.s.widen(sku)
		default:
			h.s.Renumber(shuffled(rng, n), n, 4, unannounced)
		}
	}
}

// tally counts what histories were about.
type tally struct{ refused, missed, keptBack, many, manyRefused int }

func (n *tally) add(op porcupine.Operation) {
	in, out := op.Input.(call), op.Output.(answer)
	places := [historySlots]int{}
	for i, w := range in.want {
		places[i%historySlots] += int(w)
	}
	many := in.deed <= deedProbe && min(places[0]+places[1], places[0]+places[2], places[1]+places[2]) > 0
	switch {
	case out.ok && many:
		n.many++
	case out.ok:
	case in.deed == deedSearch:
		n.missed++
	default:
		n.refused++
		if in.keep[out.short] > 0 {
			n.keptBack++
		}
		if many {
			n.manyRefused++
		}
	}
}

// TestLinearizable plays random histories; 24,000 with the tag interleave.
func TestLinearizable(t *testing.T) {
	histories := 3_000
	if interleaved {
		histories = 24_000
	}
	if !scaletest.Full() {
		histories /= 8
	}
	const enough = 5 // bad ones; the rest would say the same
	bad, n := 0, tally{}
	for i := range histories {
		rng := rand.New(rand.NewPCG(11, uint64(i)))
		h := newHistory(rng)
		yields := []uint32{1, 2, 3, 5, 9}[rng.IntN(5)]
		perturb(t, yields)
		h.play(rng)
		if !porcupine.CheckOperations(vector(h.start), h.ops) {
			bad++
			t.Errorf("history %d is not linearizable: start %v, calls %s", i, h.start, describe(h.ops))
		}
		checkBits(t, h.s)
		for _, op := range h.ops {
			n.add(op)
		}
		if bad == enough {
			break
		}
	}
	t.Logf("%d histories, %d bad; %+v", histories, bad, n)
	if bad == 0 && (n.refused < histories/4 || n.missed < histories/10 || min(n.keptBack, n.many, n.manyRefused) < histories/20) {
		t.Errorf("in %d histories only %+v: the programs prove too little", histories, n)
	}
}

func describe(ops []porcupine.Operation) (text string) {
	for _, op := range ops {
		in := op.Input.(call)
		text += fmt.Sprintf("\n  [%d,%d] client %d: %v %v keeping %v → %v", op.Call, op.Return, op.ClientId,
			[]string{"claim", "probe", "add", "search", "kept"}[in.deed], in.want, in.keep, op.Output)
	}
	return text
}

// TestVectorRefusesWrongHistories shows that the specification can say no.
func TestVectorRefusesWrongHistories(t *testing.T) {
	one, both := units{1}, units{1, 1}
	at := func(in call, out answer, began, ended int64) porcupine.Operation {
		return porcupine.Operation{Input: in, Output: out, Call: began, Return: ended}
	}
	for name, ops := range map[string][]porcupine.Operation{
		"refused though it was there": {at(call{deed: deedClaim, want: one}, answer{}, 1, 2)},
		"missed though it was there":  {at(call{deed: deedSearch, want: one}, answer{}, 1, 2)},
		"one unit sold twice": {
			at(call{deed: deedClaim, want: one}, answer{ok: true}, 1, 4),
			at(call{deed: deedClaim, want: one}, answer{ok: true}, 2, 3),
		},
		"taken before it came": {
			at(call{deed: deedClaim, want: units{2}}, answer{ok: true}, 1, 2),
			at(call{deed: deedAdd, want: one}, answer{ok: true}, 3, 4),
		},
		"taken at one of two places": {
			at(call{deed: deedClaim, want: both}, answer{short: 1}, 1, 2),
			at(call{deed: deedClaim, want: one}, answer{short: 0}, 3, 4),
		},
		"taken at two places with one unit": {at(call{deed: deedClaim, want: both}, answer{ok: true}, 1, 2)},
		"taken though it was to be kept":    {at(call{deed: deedClaim, want: one, keep: one}, answer{ok: true}, 1, 2)},
		"taken though it was never kept": {
			at(call{deed: deedAdd, want: units{0, 1}}, answer{ok: true}, 1, 2),
			at(call{deed: deedClaim, want: both, keep: one}, answer{ok: true}, 3, 4),
			at(call{deed: deedKept, want: one, keep: one}, answer{ok: true}, 3, 4),
		},
		"refused for more than it keeps": {
			at(call{deed: deedAdd, want: one}, answer{ok: true}, 1, 2),
			at(call{deed: deedClaim, want: one, keep: one}, answer{}, 3, 4),
		},
	} {
		if porcupine.CheckOperations(vector(units{1}), ops) {
			t.Errorf("%s: accepted", name)
		}
	}
}
