package stock

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// modelSKUs is how many SKUs the machine plays with.
const modelSKUs = 6

// modelSafety is the safety stock of the machine's world: none for most, and
// for one SKU more than a narrow cell can be below zero.
func modelSafety(sku, slot uint32) int64 {
	switch {
	case sku == 1 && slot%5 == 0:
		return 4
	case sku == 2 && slot%3 == 0:
		return 200_000
	}
	return 0
}

// twinCell is what a map would keep of a cell.
type twinCell struct{ available, pending, onHand int64 }

type twinKey struct{ sku, slot uint32 }

// openClaim is a claim that is taken and neither settled nor undone.
type openClaim struct {
	q     *Query
	slot  uint32
	lines []Line
}

// machine plays a stock against its twin.
type machine struct {
	s     *Stock
	cells map[twinKey]*twinCell
	slots []uint32        // those of the current numbering
	ever  uint32          // one more than the highest slot there ever was
	dense [modelSKUs]bool // rows that were dense once, and have cells at every location of that time
	open  []openClaim
	q     Query
}

// TestStockAgainstAMap plays random calls on small and larger spaces.
func TestStockAgainstAMap(t *testing.T) {
	sizes := []int{1, 20, 60, 130, 130, 700, 700, 4_500, 70_000}
	if underRace {
		sizes = sizes[:5] // one goroutine: the race detector has nothing to find
	}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.SampledFrom(sizes).Draw(t, "locations")
		m := &machine{s: New(modelSKUs, modelSafety), cells: map[twinKey]*twinCell{}}
		m.slots, m.ever = identity(n), uint32(n)
		m.s.Renumber(m.slots, n, 4, unannounced)
		t.Repeat(map[string]func(*rapid.T){
			"":          m.check,
			"ensure":    m.ensure,
			"change":    m.change,
			"addOnHand": m.addOnHand,
			"claim":     m.claim,
			"end":       m.end,
			"fill":      m.fill,
			"drain":     m.drain,
			"search":    m.search,
			"renumber":  m.renumber,
			"join":      m.join,
		})
		m.checkAll(t)
	})
}

// slot draws a location; half of the time one that is stocked.
func (m *machine) slot(t *rapid.T) uint32 {
	if keys := m.keys(); len(keys) > 0 && rapid.Bool().Draw(t, "stocked") {
		return rapid.SampledFrom(keys).Draw(t, "key").slot
	}
	return rapid.SampledFrom(m.slots).Draw(t, "slot")
}

// keys is the twin's cells in a fixed order, a bounded number of them.
func (m *machine) keys() []twinKey {
	keys := make([]twinKey, 0, len(m.cells))
	for k, c := range m.cells {
		if c.available != -modelSafety(k.sku, k.slot) || len(m.cells) < 500 {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, func(a, b twinKey) int {
		return int(a.sku)*1_000_000 + int(a.slot) - int(b.sku)*1_000_000 - int(b.slot)
	})
	return keys
}

// at is the twin's cell. A dense row has cells at locations nobody asked for and
// keeps them in whatever shape it takes later; the twin learns of them here.
func (m *machine) at(t *rapid.T, sku, slot uint32) *twinCell {
	k := twinKey{sku, slot}
	c := m.cells[k]
	has := m.s.Has(sku, slot)
	if c != nil && !has {
		t.Fatalf("sku %d slot %d: the cell is gone", sku, slot)
	}
	if c == nil && has {
		if !m.dense[sku] {
			t.Fatalf("sku %d slot %d: a cell nobody asked for", sku, slot)
		}
		c = &twinCell{available: -modelSafety(sku, slot)}
		m.cells[k] = c
	}
	return c
}

func (m *machine) ensure(t *rapid.T) {
	sku := rapid.Uint32Range(0, modelSKUs-1).Draw(t, "sku")
	var slots []uint32
	switch n := len(m.slots); rapid.IntRange(0, 4).Draw(t, "how") {
	case 0: // many
		step := rapid.SampledFrom([]int{1, 1, 2, 5, 9, 13, 40}).Draw(t, "step")
		for i := 0; i < n; i += max(step, n/700) {
			slots = append(slots, m.slots[i])
		}
	case 1: // a few
		slots = rapid.SliceOfN(rapid.SampledFrom(m.slots), 1, 6).Draw(t, "slots")
	default:
		slots = []uint32{rapid.SampledFrom(m.slots).Draw(t, "slot")}
	}
	m.own(t, sku, slots)
}

// own makes cells, in the stock and in the twin.
func (m *machine) own(t *rapid.T, sku uint32, slots []uint32) {
	m.s.Ensure(sku, slots...)
	for _, slot := range slots {
		if !m.s.Has(sku, slot) {
			t.Fatalf("Ensure(%d, %d) left no cell", sku, slot)
		}
		if k := (twinKey{sku, slot}); m.cells[k] == nil {
			m.cells[k] = &twinCell{available: -modelSafety(sku, slot)}
		}
	}
}

var modelUnits = rapid.OneOf(
	rapid.Int64Range(-5, 12),
	rapid.SampledFrom([]int64{-narrowMax, narrowMin, narrowMax, narrowMax + 1, narrowEscrow, 4 * narrowEscrow, wideEscrow, MaxQuantity, -MaxQuantity, minAvailable}),
)

func (m *machine) change(t *rapid.T) {
	sku, slot := rapid.Uint32Range(0, modelSKUs-1).Draw(t, "sku"), m.slot(t)
	units := modelUnits.Draw(t, "units")
	c := m.at(t, sku, slot)
	want := c != nil && c.available+c.pending+units <= MaxQuantity && c.available+units >= minAvailable
	var ok bool
	if rapid.Bool().Draw(t, "locked") {
		m.s.Locked(func() { ok = m.s.ChangeLocked(sku, slot, units) })
	} else {
		ok = m.s.Change(sku, slot, units)
	}
	if ok != want {
		t.Fatalf("Change(%d, %d, %d) = %v, want %v", sku, slot, units, ok, want)
	}
	if ok {
		c.available += units
	}
}

func (m *machine) addOnHand(t *rapid.T) {
	sku, slot := rapid.Uint32Range(0, modelSKUs-1).Draw(t, "sku"), m.slot(t)
	units := modelUnits.Draw(t, "units")
	c := m.at(t, sku, slot)
	want := int64(0)
	if c != nil {
		if c.onHand+units < 0 || c.onHand+units > MaxQuantity {
			return // the caller has checked
		}
		c.onHand += units
		want = c.onHand
	}
	if got := m.s.AddOnHand(sku, slot, units); got != want {
		t.Fatalf("AddOnHand(%d, %d, %d) = %d, want %d", sku, slot, units, got, want)
	}
}

// lines draws ascending SKUs with quantities near what is there.
func (m *machine) lines(t *rapid.T, slot uint32) []Line {
	var lines []Line
	skus := rapid.SliceOfNDistinct(rapid.Uint32Range(0, modelSKUs-1), 1, modelSKUs, rapid.ID).Draw(t, "skus")
	slices.Sort(skus)
	for _, sku := range skus {
		q := rapid.Int64Range(1, 3).Draw(t, "quantity")
		if c := m.at(t, sku, slot); c != nil && c.available > 0 && rapid.IntRange(0, 3).Draw(t, "near") == 0 {
			q = max(1, min(MaxQuantity, c.available+rapid.Int64Range(-1, 1).Draw(t, "off")))
		}
		lines = append(lines, Line{SKU: sku, Quantity: q})
	}
	return lines
}

// escrowed is what the row of a line will record as pending.
func escrowed(q int64) int64 {
	if q > wideEscrow {
		return 0
	}
	return q
}

// wouldWait reports whether a claim has to wait for an open one, which in a
// machine of one goroutine is for ever.
func (m *machine) wouldWait(t *rapid.T, slot uint32, lines []Line) bool {
	for _, l := range lines {
		c := m.at(t, l.SKU, slot)
		if c == nil {
			return false
		}
		if c.available < l.Quantity && c.available+c.pending >= l.Quantity {
			return true
		}
		limit := int64(narrowPending)
		if m.s.Table().row(l.SKU).wide || l.Quantity > narrowEscrow {
			limit = widePending
		}
		if c.pending+escrowed(l.Quantity) > limit {
			return true
		}
	}
	return false
}

func (m *machine) claim(t *rapid.T) {
	slot := m.slot(t)
	lines := m.lines(t, slot)
	if m.wouldWait(t, slot, lines) {
		return
	}
	q := &Query{}
	enough := true
	for _, l := range lines {
		c := m.at(t, l.SKU, slot)
		enough = enough && c != nil && c.available >= l.Quantity
	}
	if rapid.Bool().Draw(t, "bind") {
		if !q.Bind(m.s, m.s.Table(), lines) {
			if enough {
				t.Fatalf("Bind(%v) finds no row", lines)
			}
			return
		}
	} else if at := q.Start(m.s, m.s.Table(), lines, nil); at >= 0 {
		m.nowhere(t, lines[at].SKU)
		return
	}
	number := m.s.Table().Space.Number(slot)
	at := q.Take(number)
	switch {
	case (at == -1) != enough:
		t.Fatalf("Take of %v at slot %d = %d, enough is %v", lines, slot, at, enough)
	case at >= 0:
		if c := m.at(t, lines[at].SKU, slot); c != nil && c.available >= lines[at].Quantity {
			t.Fatalf("Take of %v at slot %d names line %d, which is there", lines, slot, at)
		}
		return
	}
	for _, l := range lines {
		c := m.at(t, l.SKU, slot)
		c.available -= l.Quantity
		c.pending += escrowed(l.Quantity)
	}
	m.open = append(m.open, openClaim{q: q, slot: slot, lines: lines})
	large := slices.ContainsFunc(lines, func(l Line) bool { return l.Quantity > wideEscrow })
	if large || len(m.open) > 2 { // a large line must not stay open: its units could not come back after a change
		m.finish(t, len(m.open)-1)
	}
}

// nowhere fails when Start called a SKU unavailable that is available somewhere.
func (m *machine) nowhere(t *rapid.T, sku uint32) {
	for k, c := range m.cells {
		if k.sku == sku && c.available+c.pending > 0 {
			t.Fatalf("Start says sku %d is nowhere, slot %d has %d", sku, k.slot, c.available)
		}
	}
}

func (m *machine) end(t *rapid.T) {
	if len(m.open) > 0 {
		m.finish(t, rapid.IntRange(0, len(m.open)-1).Draw(t, "open"))
	}
}

// finish settles or undoes an open claim.
func (m *machine) finish(t *rapid.T, i int) {
	o := m.open[i]
	m.open = slices.Delete(m.open, i, i+1)
	settle := rapid.Bool().Draw(t, "settle")
	if settle {
		o.q.Settle()
	} else {
		o.q.Undo()
	}
	for _, l := range o.lines {
		c := m.at(t, l.SKU, o.slot)
		c.pending -= escrowed(l.Quantity)
		if !settle {
			c.available += l.Quantity
		}
	}
}

func (m *machine) search(t *rapid.T) {
	lines := m.lines(t, m.slot(t))
	table := m.s.Table()
	var filter *Filter
	passes := func(uint32) bool { return true }
	if rapid.Bool().Draw(t, "filtered") {
		k := rapid.Uint32Range(1, 9).Draw(t, "modulus")
		passes = func(number uint32) bool { return number%k == 0 }
		filter = table.Filter(table.Space.span, passes)
	}
	if at := m.q.Start(m.s, table, lines, filter); at >= 0 {
		m.nowhere(t, lines[at].SKU)
		return
	}
	if m.q.Len() != len(lines) || m.q.Line(0) != lines[0] {
		t.Fatalf("the query holds %d lines, was given %v", m.q.Len(), lines)
	}
	found := slices.Sorted(slices.Values(m.q.Numbers()))
	if n := len(found); len(slices.Compact(slices.Clone(found))) != n {
		t.Fatalf("Numbers lists a location twice: %v", found)
	}
	walked := found
	if !m.q.Plan(true) {
		walked = walk(&m.q)
		if !m.q.Plan(false) {
			if again := walk(&m.q); !m.q.Exhausted() && !slices.Equal(again, walked) {
				t.Fatalf("with a budget the words lead to %v, without to %v", again, walked)
			}
		}
	}
	for _, slot := range m.slots {
		number := table.Space.Number(slot)
		all, isThere := true, true
		var want []int64
		for _, l := range lines {
			var reach int64
			if c := m.cells[twinKey{l.SKU, slot}]; c != nil {
				reach = c.available + c.pending
			}
			all, isThere = all && reach >= l.Quantity, isThere && reach > 0
			want = append(want, max(reach, 0))
		}
		_, listed := slices.BinarySearch(found, number)
		_, reached := slices.BinarySearch(walked, number)
		if isThere && passes(number) && !(listed && reached) || reached && !listed {
			t.Fatalf("slot %d has something of every line of %v, and is not found", slot, lines)
		}
		if listed {
			levels, enough := m.q.Levels(number, nil)
			if !passes(number) || enough != all || !slices.Equal(levels, want) {
				t.Fatalf("slot %d: levels %v, %v; want %v, %v", slot, levels, enough, want, all)
			}
		}
	}
}

// renumber shuffles, and leaves out some slots at which nothing is left.
func (m *machine) renumber(t *rapid.T) {
	busySlots := map[uint32]bool{}
	for k, c := range m.cells {
		if c.available != -modelSafety(k.sku, k.slot) || c.pending != 0 || c.onHand != 0 {
			busySlots[k.slot] = true
		}
	}
	rng := rapid.Uint64().Draw(t, "seed")
	keep := m.slots[:0:0]
	for _, slot := range m.slots {
		rng = rng*6364136223846793005 + 1442695040888963407
		if busySlots[slot] || len(m.slots) < 3 || rng>>60 != 0 {
			keep = append(keep, slot)
		}
	}
	for i := range keep {
		rng = rng*6364136223846793005 + 1442695040888963407
		j := i + int(rng>>33)%(len(keep)-i)
		keep[i], keep[j] = keep[j], keep[i]
	}
	if len(keep) == 0 {
		return
	}
	m.slots = keep
	kept := make([]bool, m.ever)
	for _, slot := range keep {
		kept[slot] = true
	}
	for k := range m.cells {
		if !kept[k.slot] {
			delete(m.cells, k)
		}
	}
	var published *Table
	m.s.Renumber(keep, int(m.ever), rapid.IntRange(0, 70).Draw(t, "spare"), func(table *Table) { published = table })
	if published != m.s.Table() {
		t.Fatalf("Renumber published another table than it installed")
	}
}

func (m *machine) join(t *rapid.T) {
	free := m.s.Table().Space.Free()
	var number uint32
	if ok := m.s.Join(m.ever, func(n uint32) { number = n }); ok != (free > 0) {
		t.Fatalf("Join = %v with room for %d", ok, free)
	} else if !ok {
		return
	}
	if space := m.s.Table().Space; space.Number(m.ever) != number || space.Slot(number) != m.ever || space.Free() != free-1 {
		t.Fatalf("slot %d joined as number %d, the space says %d", m.ever, number, space.Number(m.ever))
	}
	m.slots = append(slices.Clip(m.slots), m.ever)
	m.ever++
}

// check compares the twin's cells and every bit.
func (m *machine) check(t *rapid.T) {
	for k, c := range m.cells {
		if err := m.compare(k, c); err != "" {
			t.Fatalf("sku %d slot %d: %s", k.sku, k.slot, err)
		}
	}
	checkBits(t, m.s)
	for r := range m.s.Table().each {
		m.dense[r.sku] = m.dense[r.sku] || r.shape == dense
	}
}

func (m *machine) compare(k twinKey, c *twinCell) string {
	table := m.s.Table()
	l, ok := m.s.Level(k.sku, k.slot)
	if want := (Level{OnHand: c.onHand, Available: c.available}); !ok || l != want {
		return fmt.Sprintf("level %+v, %v; want %+v", l, ok, want)
	}
	if got := table.Reachable(k.sku, table.Space.Number(k.slot)); got != c.available+c.pending {
		return fmt.Sprintf("reachable %d, want %d", got, c.available+c.pending)
	}
	if got := m.s.OnHand(k.sku, k.slot); got != c.onHand {
		return fmt.Sprintf("on hand %d, want %d", got, c.onHand)
	}
	return ""
}

// checkAll asks about every SKU and slot, and takes the stock both ways round.
func (m *machine) checkAll(t *rapid.T) {
	for sku := range uint32(modelSKUs) {
		var want []uint32
		for _, slot := range m.slots {
			if m.at(t, sku, slot) != nil {
				want = append(want, slot)
			}
		}
		slices.Sort(want)
		var got []uint32
		m.s.Slots(sku, func(slot uint32) bool { got = append(got, slot); return true })
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Fatalf("Slots(%d) = %v, want %v", sku, got, want)
		}
	}
	slot := m.slots[0]
	m.s.SKUs(slot, func(sku uint32) bool {
		if m.cells[twinKey{sku, slot}] == nil {
			t.Fatalf("SKUs(%d) names %d, which has no cell there", slot, sku)
		}
		return true
	})
	m.check(t)
}
