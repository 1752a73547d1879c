package stock

import (
	"slices"

	"pgregory.net/rapid"
)

// fill brings goods to many locations of two SKUs, so that searches have more
// than a list to look at.
func (m *machine) fill(t *rapid.T) {
	first := rapid.Uint32Range(0, modelSKUs-2).Draw(t, "sku")
	step := rapid.SampledFrom([]int{1, 3, 9}).Draw(t, "step")
	var slots []uint32
	for i := 0; i < len(m.slots); i += max(step, len(m.slots)/2_000) {
		slots = append(slots, m.slots[i])
	}
	for sku := first; sku < first+2; sku++ {
		m.own(t, sku, slots)
		for _, slot := range slots {
			m.add(t, sku, slot, 1+modelSafety(sku, slot))
		}
	}
}

// add changes a cell by units the range has room for.
func (m *machine) add(t *rapid.T, sku, slot uint32, units int64) {
	c := m.at(t, sku, slot)
	if c.available+c.pending+units > MaxQuantity {
		return
	}
	if !m.s.Change(sku, slot, units) {
		t.Fatalf("Change(%d, %d, %d) was refused", sku, slot, units)
	}
	c.available += units
}

// drain takes one SKU away at a run of locations, and comes back to each to be
// refused, which clears its bits.
func (m *machine) drain(t *rapid.T) {
	sku := rapid.Uint32Range(0, modelSKUs-1).Draw(t, "sku")
	keys := slices.DeleteFunc(m.keys(), func(k twinKey) bool { return k.sku != sku })
	if len(keys) == 0 {
		return
	}
	from := rapid.IntRange(0, len(keys)-1).Draw(t, "from")
	count := rapid.SampledFrom([]int{1, 10, 100, 1_000}).Draw(t, "count")
	for _, k := range keys[from:min(len(keys), from+count)] {
		c := m.cells[k]
		if c.pending != 0 || c.available <= 0 {
			continue
		}
		table := m.s.Table()
		number := table.Space.Number(k.slot)
		all := []Line{{SKU: sku, Quantity: c.available}}
		if at := m.q.Start(m.s, table, all, nil); at >= 0 {
			m.nowhere(t, sku)
		}
		if at := m.q.Take(number); at >= 0 {
			t.Fatalf("all %d units of sku %d at slot %d cannot be taken", c.available, sku, k.slot)
		}
		m.q.Settle()
		c.available = 0
		m.q.Reset()
		if m.q.Bind(m.s, m.s.Table(), []Line{{SKU: sku, Quantity: 1}}); m.q.Take(number) != 0 {
			t.Fatalf("sku %d at slot %d was taken twice", sku, k.slot)
		}
		if r := m.s.Table().row(sku); r.isListed(number) {
			t.Fatalf("sku %d at slot %d is still listed after a refusal", sku, k.slot)
		}
	}
}
