package stock

import (
	"fmt"
	"math"
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
	taken taken
	picks []Pick
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
	m     Mask
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
			"pick":      m.pick,
			"end":       m.end,
			"fill":      m.fill,
			"drain":     m.drain,
			"search":    m.search,
			"mask":      m.mask,
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
		lines = append(lines, m.line(t, sku, slot))
	}
	return lines
}

// line draws a quantity and what it keeps, both near what is there.
func (m *machine) line(t *rapid.T, sku, slot uint32) Line {
	l := Line{SKU: sku, Quantity: rapid.Int64Range(1, 3).Draw(t, "quantity")}
	if rapid.IntRange(0, 3).Draw(t, "keeps") == 0 {
		l.Keep = rapid.OneOf(rapid.Int64Range(1, 9), rapid.SampledFrom([]int64{narrowMax, MaxQuantity, math.MaxInt64})).Draw(t, "keep")
	}
	c := m.at(t, sku, slot)
	if c == nil || c.available <= 0 {
		return l
	}
	near := max(1, min(MaxQuantity, c.available+rapid.Int64Range(-1, 1).Draw(t, "off")))
	switch rapid.IntRange(0, 5).Draw(t, "near") {
	case 0:
		l.Quantity = near
	case 1:
		l.Keep = max(0, near-l.Quantity)
	}
	return l
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
func (m *machine) wouldWait(t *rapid.T, picks []Pick) bool {
	for _, p := range picks {
		c := m.at(t, p.SKU, p.Slot)
		if c == nil {
			return false
		}
		if c.available-p.Quantity < p.Keep && c.available+c.pending-p.Quantity >= p.Keep {
			return true
		}
		limit := int64(narrowPending)
		if m.s.Table().row(p.SKU).wide || p.Quantity > narrowEscrow {
			limit = widePending
		}
		if c.pending+escrowed(p.Quantity) > limit {
			return true
		}
	}
	return false
}

// isShort reports whether a pick cannot be filled.
func (m *machine) isShort(t *rapid.T, p Pick) bool {
	c := m.at(t, p.SKU, p.Slot)
	return c == nil || c.available-p.Quantity < p.Keep
}

func (m *machine) claim(t *rapid.T) {
	slot := m.slot(t)
	lines := m.lines(t, slot)
	var picks []Pick
	for _, l := range lines {
		picks = append(picks, Pick{SKU: l.SKU, Slot: slot, Quantity: l.Quantity, Keep: l.Keep})
	}
	if m.wouldWait(t, picks) {
		return
	}
	q := &Query{}
	if rapid.Bool().Draw(t, "bind") {
		if !q.Bind(m.s, m.s.Table(), lines) {
			if !slices.ContainsFunc(picks, func(p Pick) bool { return m.isShort(t, p) }) {
				t.Fatalf("Bind(%v) finds no row", lines)
			}
			return
		}
	} else if at := q.Start(m.s, m.s.Table(), lines, nil); at >= 0 {
		m.nowhere(t, lines[at].SKU)
		return
	}
	m.took(t, q, picks, q.Take(m.s.Table().Space.Number(slot)))
}

// took compares what a claim answered with the twin, and leaves it open.
func (m *machine) took(t *rapid.T, claim taken, picks []Pick, at int) {
	enough := !slices.ContainsFunc(picks, func(p Pick) bool { return m.isShort(t, p) })
	switch {
	case (at == -1) != enough:
		t.Fatalf("Take of %v = %d, enough is %v", picks, at, enough)
	case at >= 0:
		if !m.isShort(t, picks[at]) {
			t.Fatalf("Take of %v names line %d, which is there", picks, at)
		}
		return
	}
	for _, p := range picks {
		c := m.at(t, p.SKU, p.Slot)
		c.available -= p.Quantity
		c.pending += escrowed(p.Quantity)
	}
	m.open = append(m.open, openClaim{taken: claim, picks: picks})
	large := slices.ContainsFunc(picks, func(p Pick) bool { return p.Quantity > wideEscrow })
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
		o.taken.Settle()
	} else {
		o.taken.Undo()
	}
	for _, p := range o.picks {
		c := m.at(t, p.SKU, p.Slot)
		c.pending -= escrowed(p.Quantity)
		if !settle {
			c.available += p.Quantity
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
