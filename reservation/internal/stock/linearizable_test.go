package stock

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/anishathalye/porcupine"
)

// Histories. A handful of goroutines claim, put back and search at one location
// with at most three SKUs, and porcupine looks for an order of their calls that
// a plain vector of counters would have answered in the same way.
//
// Till sales below what is claimed are left out on purpose: they take units a
// claim in flight already counts as its own (P1 speaks of them), so with them
// there is no single instant at which all its lines were there.

const historySKUs = 3

// deed is what a call of a history does.
type deed uint8

const (
	deedClaim  deed = iota // take, settle: a claim of every line or none
	deedProbe              // take, undo: the same answer, and nothing changes
	deedAdd                // put back, or goods in
	deedSearch             // is the location listed for these lines?
)

// call is the input of one operation of a history.
type call struct {
	deed deed
	want [historySKUs]int8 // units of each SKU; 0 is no line
}

// answer is the output. short is the SKU a refusal names.
type answer struct {
	ok    bool
	short int8
}

// counters is the twin: the units of each SKU at the one location.
type counters [historySKUs]int8

// vector is the specification.
func vector(start counters) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return start },
		Step: func(state, input, output any) (bool, any) {
			return step(state.(counters), input.(call), output.(answer))
		},
	}
}

func step(have counters, in call, out answer) (bool, counters) {
	if in.deed == deedAdd {
		for i, n := range in.want {
			have[i] += n
		}
		return true, have
	}
	if !out.ok { // the line it names must be short at this instant
		if in.deed == deedSearch {
			for i, n := range in.want {
				if n > 0 && have[i] <= 0 {
					return true, have
				}
			}
			return false, have
		}
		return have[out.short] < in.want[out.short], have
	}
	if in.deed == deedSearch {
		return true, have // a bit may be set for nothing
	}
	after := have
	for i, n := range in.want {
		if have[i] < n {
			return false, have
		}
		after[i] -= n
	}
	if in.deed == deedProbe {
		after = have
	}
	return true, after
}

// history is one random program and what came of it.
type history struct {
	s     *Stock
	slot  uint32
	scale int64 // units of the stock for one unit of the model
	start counters
	clock atomic.Int64
	mu    sync.Mutex
	ops   []porcupine.Operation
}

func (h *history) record(client int, in call, do func() answer) answer {
	began := h.clock.Add(1)
	out := do()
	ended := h.clock.Add(1)
	h.mu.Lock()
	h.ops = append(h.ops, porcupine.Operation{ClientId: client, Input: in, Call: began, Output: out, Return: ended})
	h.mu.Unlock()
	return out
}

func (h *history) lines(want [historySKUs]int8, into []Line) []Line {
	for sku, n := range want {
		if n > 0 {
			into = append(into, Line{SKU: uint32(sku), Quantity: int64(n) * h.scale})
		}
	}
	return into
}

// run does one call against the stock.
func (h *history) run(q *Query, in call) answer {
	if in.deed == deedAdd {
		for sku, n := range in.want {
			if n > 0 {
				h.s.Change(uint32(sku), h.slot, int64(n)*h.scale)
			}
		}
		return answer{ok: true}
	}
	table := h.s.Table()
	number := table.Space.Number(h.slot)
	lines := h.lines(in.want, nil)
	if in.deed == deedSearch {
		return answer{ok: q.Start(h.s, table, lines, nil) == -1 && sees(q, number)}
	}
	q.Bind(h.s, table, lines)
	if at := q.Take(number); at >= 0 {
		return answer{short: int8(lines[at].SKU)}
	}
	if in.deed == deedProbe {
		q.Undo()
	} else {
		q.Settle()
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
	h.slot = uint32(c.step * rng.IntN(c.n/c.step))
	for sku := range uint32(historySKUs) {
		h.s.Ensure(sku, everyNth(c.n, c.step)...)
		if h.start[sku] = int8(rng.IntN(3)); h.start[sku] > 0 {
			h.s.Change(sku, h.slot, int64(h.start[sku])*h.scale)
		}
	}
	return h
}

// program is the calls of one goroutine. Single-SKU adds are atomic; adds of
// several SKUs are several calls.
func program(rng *rand.Rand, length int) []call {
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
			c.want[rng.IntN(historySKUs)] = int8(1 + rng.IntN(2))
			continue
		default:
			c.deed = deedSearch
		}
		for c.want == ([historySKUs]int8{}) {
			for sku := range c.want {
				if rng.IntN(2) == 0 {
					c.want[sku] = int8(1 + rng.IntN(2))
				}
			}
		}
	}
	return calls
}

// play runs the programs side by side, with a grower in a share of histories.
func (h *history) play(rng *rand.Rand) {
	var group sync.WaitGroup
	start := make(chan struct{})
	goroutines := 2 + rng.IntN(5)
	for client := range goroutines {
		calls := program(rng, 1+rng.IntN(max(1, 14/goroutines)))
		group.Go(func() {
			var q Query
			<-start
			for _, in := range calls {
				h.record(client, in, func() answer { return h.run(&q, in) })
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
		sku := uint32(rng.IntN(historySKUs))
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

// TestLinearizable plays random histories; 20,000 with the tag interleave.
func TestLinearizable(t *testing.T) {
	histories := 3_000
	if interleaved {
		histories = 24_000
	}
	if testing.Short() {
		histories /= 8
	}
	const enough = 5 // bad ones; the rest would say the same
	bad, refused, missed := 0, 0, 0
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
			if !op.Output.(answer).ok {
				if op.Input.(call).deed == deedSearch {
					missed++
				} else {
					refused++
				}
			}
		}
		if bad == enough {
			break
		}
	}
	t.Logf("%d histories, %d bad; %d refusals and %d misses in them", histories, bad, refused, missed)
	if bad == 0 && (refused < histories/4 || missed < histories/10) {
		t.Errorf("only %d refusals and %d misses in %d histories: the programs prove too little", refused, missed, histories)
	}
}

func describe(ops []porcupine.Operation) (text string) {
	for _, op := range ops {
		text += fmt.Sprintf("\n  [%d,%d] client %d: %v %v → %v", op.Call, op.Return, op.ClientId,
			[]string{"claim", "probe", "add", "search"}[op.Input.(call).deed], op.Input.(call).want, op.Output)
	}
	return text
}

// TestVectorRefusesWrongHistories shows that the specification can say no.
func TestVectorRefusesWrongHistories(t *testing.T) {
	one := [historySKUs]int8{1, 0, 0}
	at := func(in call, out answer, began, ended int64) porcupine.Operation {
		return porcupine.Operation{Input: in, Output: out, Call: began, Return: ended}
	}
	for name, ops := range map[string][]porcupine.Operation{
		"refused though it was there": {at(call{deedClaim, one}, answer{}, 1, 2)},
		"missed though it was there":  {at(call{deedSearch, one}, answer{}, 1, 2)},
		"one unit sold twice": {
			at(call{deedClaim, one}, answer{ok: true}, 1, 4),
			at(call{deedClaim, one}, answer{ok: true}, 2, 3),
		},
		"taken before it came": {
			at(call{deedClaim, [historySKUs]int8{2, 0, 0}}, answer{ok: true}, 1, 2),
			at(call{deedAdd, one}, answer{ok: true}, 3, 4),
		},
	} {
		if porcupine.CheckOperations(vector(counters{1}), ops) {
			t.Errorf("%s: accepted", name)
		}
	}
}
