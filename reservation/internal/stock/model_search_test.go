package stock

import (
	"cmp"
	"slices"

	"pgregory.net/rapid"
)

// pick claims from cells all over the stock.
func (m *machine) pick(t *rapid.T) {
	var picks []Pick
	for range rapid.IntRange(1, 6).Draw(t, "picks") {
		p := Pick{SKU: rapid.Uint32Range(0, modelSKUs-1).Draw(t, "sku"), Slot: m.slot(t)}
		if rapid.IntRange(0, 40).Draw(t, "beyond") == 0 {
			p.Slot = m.ever + rapid.Uint32Range(0, 100).Draw(t, "slot") // one there never was
			p.Quantity = 1
		} else {
			l := m.line(t, p.SKU, p.Slot)
			p.Quantity, p.Keep = l.Quantity, l.Keep
		}
		picks = append(picks, p)
	}
	slices.SortFunc(picks, func(a, b Pick) int {
		return cmp.Or(cmp.Compare(a.SKU, b.SKU), cmp.Compare(a.Slot, b.Slot))
	})
	picks = slices.CompactFunc(picks, func(a, b Pick) bool { return a.SKU == b.SKU && a.Slot == b.Slot })
	if m.wouldWait(t, picks) {
		return
	}
	p := &Picks{}
	m.took(t, p, picks, p.Take(m.s, picks))
}

// passing draws a filter, nil included, and says what it passes.
func (m *machine) passing(t *rapid.T, table *Table) (*Filter, func(number uint32) bool) {
	if rapid.Bool().Draw(t, "filtered") {
		k := rapid.Uint32Range(1, 9).Draw(t, "modulus")
		passes := func(number uint32) bool { return number%k == 0 }
		return table.Filter(table.Space.span, passes), passes
	}
	return nil, func(uint32) bool { return true }
}

// mask draws groups of SKUs and compares what the words lead to, and the list,
// with the twin.
func (m *machine) mask(t *rapid.T) {
	table := m.s.Table()
	groups := rapid.SliceOfN(rapid.SliceOfN(rapid.Uint32Range(0, modelSKUs-1), 0, 4), 0, 4).Draw(t, "groups")
	every := rapid.Bool().Draw(t, "every")
	filter, passes := m.passing(t, table)
	m.m.Start(table, groups, every, filter)
	walked := walk(&m.m, table.Space.span)
	most := rapid.SampledFrom([]int{0, 1, 5, 100, 1 << 20}).Draw(t, "max")
	listed, ok := m.m.List(most, []uint32{None})
	switch {
	case listed[0] != None || !ok && len(listed) != 1:
		t.Fatalf("List changed what was there before it: %v", listed)
	case ok && (len(listed)-1 > most || !slices.Equal(listed[1:], walked)):
		t.Fatalf("List(%d) = %v, the words lead to %v", most, listed[1:], walked)
	case !ok && most == 1<<20:
		t.Fatalf("List finds more than all locations")
	}
	for _, slot := range m.slots {
		number := table.Space.Number(slot)
		_, found := slices.BinarySearch(walked, number)
		if found && !passes(number) {
			t.Fatalf("slot %d is found, and does not pass the filter", slot)
		}
		if want := passes(number) && m.hasOf(groups, every, slot); want && !found {
			t.Fatalf("slot %d has something of %v (every: %v), and is masked out", slot, groups, every)
		}
	}
}

// hasOf is what a mask asks, of the twin.
func (m *machine) hasOf(groups [][]uint32, every bool, slot uint32) bool {
	for _, skus := range groups {
		has := slices.ContainsFunc(skus, func(sku uint32) bool {
			c := m.cells[twinKey{sku, slot}]
			return c != nil && c.available+c.pending > 0
		})
		if has != every {
			return has
		}
	}
	return every
}

func (m *machine) search(t *rapid.T) {
	lines := m.lines(t, m.slot(t))
	table := m.s.Table()
	filter, passes := m.passing(t, table)
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
		walked = walk(&m.q, table.Space.span)
		if !m.q.Plan(false) {
			if again := walk(&m.q, table.Space.span); !m.q.Exhausted() && !slices.Equal(again, walked) {
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
			all, isThere = all && reach-l.Quantity >= l.Keep, isThere && reach > 0
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
