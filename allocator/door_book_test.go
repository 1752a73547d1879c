package allocator_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"

	"github.com/clickcollect/clickcollect/allocator"
)

// doorBook is what the callers of a world have asked for, and what they were told.
type doorBook struct {
	mu     sync.Mutex
	byID   map[string]*doorOrder
	orders []*doorOrder
	asks   []*doorAsk // with IDs
	sent   []string
	lent   []allocator.Loan
	moves  map[string]*doorMove // movements by ID, quotas and loans among them
	taken  map[string]bool      // "SKU at location" from which the shop floor may have taken goods
}

// doorOrder is an order with the contents under which its ID was used.
type doorOrder struct {
	contents [2]allocator.Order
	first    doorAnswer
	asked    bool // at least once
}

// doorAnswer is the answer to one of the contents, as text; none: empty.
type doorAnswer struct {
	which int
	text  string
}

// doorAsk is a request that is not an order.
type doorAsk struct {
	ask  killAsk
	made bool // was acknowledged
}

// doorMove is a movement as it was asked for.
type doorMove struct {
	name  string           // of its event
	units map[string]int64 // by SKU, signed; nil: not known beforehand
	made  bool
}

func (b *doorBook) begin() {
	b.byID, b.moves, b.taken = map[string]*doorOrder{}, map[string]*doorMove{}, map[string]bool{}
}

// some are orders, transfers and loans to go on with, most of them recent.
func (b *doorBook) some(draw *rand.Rand) (orders, sent []string, lent []allocator.Loan) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for range min(6, len(b.orders)) {
		orders = append(orders, b.orders[doorRecent(draw, len(b.orders))].contents[0].ID)
	}
	if n := len(b.sent); n > 0 {
		sent = append(sent, b.sent[doorRecent(draw, n)])
	}
	if n := len(b.lent); n > 0 {
		lent = append(lent, b.lent[doorRecent(draw, n)])
	}
	slices.Sort(orders)
	return slices.Compact(orders), sent, lent
}

// doorRecent is an index that is mostly one of the last.
func doorRecent(draw *rand.Rand, n int) int {
	if draw.IntN(5) == 0 {
		return draw.IntN(n)
	}
	return n - 1 - draw.IntN(min(n, 25))
}

func (b *doorBook) ordered(o allocator.Order) *doorOrder {
	e := &doorOrder{}
	e.contents[0], e.contents[1] = o, o
	e.contents[1].Lines = slices.Clone(o.Lines)
	e.contents[1].Lines[0].Quantity++
	b.mu.Lock()
	defer b.mu.Unlock()
	b.orders = append(b.orders, e)
	b.byID[o.ID] = e
	return e
}

func (b *doorBook) anOrder(draw *rand.Rand) *doorOrder {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.orders) == 0 {
		return nil
	}
	return b.orders[doorRecent(draw, len(b.orders))]
}

func (b *doorBook) first(e *doorOrder) doorAnswer {
	b.mu.Lock()
	defer b.mu.Unlock()
	return e.first
}

// begins reports whether an order is asked for the first time.
func (b *doorBook) begins(e *doorOrder) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	first := !e.asked
	e.asked = true
	return first
}

// answer notes an answer and returns the first one.
func (b *doorBook) answer(e *doorOrder, a doorAnswer) doorAnswer {
	b.mu.Lock()
	defer b.mu.Unlock()
	if e.first.text == "" {
		e.first = a
	}
	return e.first
}

// asked notes a request before it is made.
func (b *doorBook) asked(q *killAsk) *doorAsk {
	r := &doorAsk{ask: *q}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, t := range q.Transfers {
		b.sent = append(b.sent, t.ID)
	}
	if q.Verb == "borrow" {
		b.lent = append(b.lent, q.Loans...)
	}
	if killNamed[q.Verb] != nil {
		b.asks = append(b.asks, r)
		doorMoves(q, b.moves, b.taken)
	}
	return r
}

func (b *doorBook) anAsk(draw *rand.Rand) *doorAsk {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.asks) == 0 {
		return nil
	}
	return b.asks[doorRecent(draw, len(b.asks))]
}

func (b *doorBook) made(r *doorAsk) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return r.made
}

// make notes that a request was acknowledged.
func (b *doorBook) make(r *doorAsk) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r.made = true
	all := map[string]*doorMove{}
	doorMoves(&r.ask, all, map[string]bool{})
	for id := range all {
		b.moves[id].made = true
	}
}

// mayBeShort tells the cells from which the shop floor may have taken goods.
func (b *doorBook) mayBeShort(cell string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.taken[cell]
}

// doorMoves are the movements of a request.
func doorMoves(q *killAsk, all map[string]*doorMove, taken map[string]bool) {
	add := func(id, name, location string, lines []allocator.Line, sign int64, floor bool) {
		m := &doorMove{name: name}
		if sign != 0 && len(lines) > 0 {
			m.units = map[string]int64{}
		}
		for _, l := range lines {
			if m.units != nil {
				m.units[l.SKU] += sign * l.Quantity
			}
			if floor {
				taken[l.SKU+" at "+location] = true
			}
		}
		all[id] = m
	}
	for _, m := range q.Receipts {
		add(m.ID, "StockReceived", m.Location, m.Lines, 1, false)
	}
	for _, m := range q.Counts {
		add(m.ID, "StockCounted", m.Location, m.Lines, 0, true)
	}
	for _, m := range q.Sales {
		add(m.ID, "SaleRecorded", m.Location, m.Lines, -1, true)
	}
	for _, m := range q.Adjustments {
		add(m.ID, "StockAdjusted", m.Location, m.Lines, 1, true)
	}
	for _, m := range q.Damages {
		add(m.ID, "StockDamaged", m.Location, m.Lines, -1, true)
	}
	for _, m := range q.Transfers {
		add("transfer "+m.ID, "TransferShipped", m.From, m.Lines, -1, false)
	}
	for _, m := range q.Deliveries {
		add(m.ID, "TransferReceived", "", m.Lines, 1, false)
	}
	for _, m := range q.Losses {
		add(m.ID, "TransferShort", "", m.Lines, 1, false)
	}
	for _, m := range q.Quotas {
		add(m.ID, "QuotaMoved", m.Location, nil, 0, false)
	}
	for _, m := range q.Loans {
		add(m.ID, "QuotaMoved", m.Location, nil, 0, false)
	}
}

// doorOther is a request with another content under the same ID; false: there is
// none of its kind.
func doorOther(q *killAsk) (killAsk, bool) {
	other := killAsk{Verb: q.Verb}
	more := func(lines []allocator.Line) []allocator.Line {
		lines = slices.Clone(lines)
		lines[0].Quantity++
		return lines
	}
	switch q.Verb {
	case "receive":
		other.Receipts = []allocator.Receipt{q.Receipts[0]}
		other.Receipts[0].Lines = more(q.Receipts[0].Lines)
	case "sell":
		other.Sales = []allocator.Sale{q.Sales[0]}
		other.Sales[0].Lines = more(q.Sales[0].Lines)
	case "damage":
		other.Damages = []allocator.Damage{q.Damages[0]}
		other.Damages[0].Lines = more(q.Damages[0].Lines)
	case "count":
		other.Counts = []allocator.Count{q.Counts[0]}
		other.Counts[0].Lines = more(q.Counts[0].Lines)
	case "send":
		other.Transfers = []allocator.Transfer{q.Transfers[0]}
		other.Transfers[0].Lines = more(q.Transfers[0].Lines)
	case "quota":
		other.Quotas = []allocator.Quota{q.Quotas[0]}
		other.Quotas[0].Units++
	case "borrow":
		other.Loans = []allocator.Loan{q.Loans[0]}
		other.Loans[0].Units++
	default:
		return other, false
	}
	return other, true
}

// doorText is an answer as far as a repeat has to say the same.
func doorText(g allocator.Allocation, o *allocator.Order) string {
	return killText(killAnswerOf(g, o, true)) + fmt.Sprint(g.Cost, g.Missing(), g.Substituted())
}

func doorStack() []byte {
	stack := make([]byte, 1<<14)
	return stack[:runtime.Stack(stack, false)]
}
