package stock

import "math/bits"

// Mask says which locations have something of groups of SKUs: of at least one
// SKU of every group, or of any. It is the mask of a search for orders whose
// lines have alternatives, or whose lines may come from many places. The zero
// value is ready; a Mask is reused, and used by one goroutine at a time.
//
// Invariant: a number that is listed at every moment from Start to Word is not
// masked out, on any level. Bits may be set for nothing.
type Mask struct {
	table  *Table
	filter *Filter
	every  bool
	rows   []*row // of all groups, one group behind the other
	groups []maskGroup
}

// maskGroup is a group's rows.
type maskGroup struct {
	from, to int // in Mask.rows
	listed   int // the sum of their listed cells
}

// Start begins a mask over a table. every: a location passes that has at least
// one SKU of every group listed; otherwise of any. Filter nil lets every
// location pass. With every and no group, whatever the filter passes does; any
// of no group is nothing. SKUs of a group may repeat, within and across groups.
func (m *Mask) Start(t *Table, groups [][]uint32, every bool, filter *Filter) {
	m.table, m.filter, m.every = t, filter, every
	m.rows, m.groups = m.rows[:0], m.groups[:0]
	for _, skus := range groups {
		g := maskGroup{from: len(m.rows)}
		for _, sku := range skus {
			r := t.row(sku)
			if r == nil {
				continue
			}
			if n := r.listedNow.Load(); n > 0 {
				m.rows = append(m.rows, r)
				g.listed += int(n)
			}
		}
		g.to = len(m.rows)
		at := len(m.groups)
		m.groups = append(m.groups, g)
		for ; every && at > 0 && m.groups[at-1].listed > g.listed; at-- { // the rarest first
			m.groups[at] = m.groups[at-1]
		}
		m.groups[at] = g
	}
}

// Reset drops what the mask refers to.
func (m *Mask) Reset() {
	clear(m.rows[:cap(m.rows)])
	m.table, m.filter = nil, nil
	m.rows, m.groups = m.rows[:0], m.groups[:0]
}

// Word is the mask of the search, as Query.Word: bit i of word w at a level says
// whether block w*64+i may hold a location that passes. Level 0 has a bit for
// each number, level 1 for 64, level 2 for 4,096.
func (m *Mask) Word(level, word int) uint64 {
	pass := ^uint64(0)
	if m.filter != nil {
		pass = m.filter.Word(level, word)
	}
	if word<<(6*(level+1)) >= m.table.Space.span {
		return 0
	}
	if !m.every {
		if len(m.groups) == 0 {
			return 0
		}
		return m.any(0, len(m.rows), level, word, pass)
	}
	for _, g := range m.groups {
		if pass == 0 {
			return 0
		}
		pass = m.any(g.from, g.to, level, word, pass)
	}
	return pass
}

// any keeps of pass the bits that at least one of the rows from to to has.
func (m *Mask) any(from, to, level, word int, pass uint64) (found uint64) {
	for _, r := range m.rows[from:to] {
		left := pass &^ found
		if left == 0 {
			break
		}
		switch level {
		case 0:
			found |= r.hoped(uint32(word), left)
		case 1:
			found |= r.summary1(word) & left
		default:
			found |= r.summary2(word) & left
		}
	}
	return found
}

// List appends the numbers that pass, ascending, if there are at most max of
// them and they can be found by reading few words. Otherwise it returns into as
// it was, and false: the locations are to be searched for with Word.
//
// Bound: 2·max + 16 words of 64 numbers.
func (m *Mask) List(max int, into []uint32) ([]uint32, bool) {
	had, budget := len(into), 2*max+16
	for top := range words(words(words(m.table.Space.span))) {
		for m2 := m.Word(2, top); m2 != 0; m2 &= m2 - 1 {
			w1 := top<<6 + bits.TrailingZeros64(m2)
			for m1 := m.Word(1, w1); m1 != 0; m1 &= m1 - 1 {
				if budget--; budget < 0 {
					return into[:had], false
				}
				w0 := w1<<6 + bits.TrailingZeros64(m1)
				found := m.Word(0, w0)
				if len(into)-had+bits.OnesCount64(found) > max {
					return into[:had], false
				}
				for ; found != 0; found &= found - 1 {
					into = append(into, uint32(w0<<6+bits.TrailingZeros64(found)))
				}
			}
		}
	}
	return into, true
}

// hoped keeps of m the numbers of a word that are listed, or for all that can be
// seen without a look at cells nearly all of which are.
func (r *row) hoped(word uint32, m uint64) uint64 {
	if r.shape == sparse && r.sum1 != nil && r.sum1[word>>6].Load()>>(word&63)&1 == 0 {
		return 0
	}
	if m &= r.present(word); m == 0 || r.mostlyListed() {
		return m
	}
	return r.listedOf(word, m)
}

// mostlyListed reports whether so many of a row's cells are listed that a look
// at them costs more, a cold cache line each, than it spares.
func (r *row) mostlyListed() bool {
	return r.shape == dense || int(r.listedNow.Load())*16 >= r.cells()*15
}

// summary1 is a word of the row's lower summary. A tiny row has none: it is made
// from the cells.
func (r *row) summary1(word int) uint64 {
	if r.sum1 != nil {
		return r.sum1[word].Load()
	}
	var m uint64
	low := uint32(word) << 12
	from, to := r.chunk(low)
	for at := from + lowerBound(r.keys[from:to], uint16(low)); at < to && r.keys[at]-uint16(low) < 1<<12; at++ {
		if r.listedAt(at) {
			m |= 1 << (r.keys[at] >> 6 & 63)
		}
	}
	for i := range int(r.tailLen.Load()) {
		if n := r.tailKeys[i].Load(); n>>12 == uint32(word) && r.listedAt(r.fixed+i) {
			m |= 1 << (n >> 6 & 63)
		}
	}
	return m
}

// summary2 is a word of the row's upper summary.
func (r *row) summary2(word int) uint64 {
	if r.sum1 != nil {
		return r.sum2[word].Load()
	}
	var m uint64
	for n, pos := range r.each {
		if n>>18 == uint32(word) && r.listedAt(pos) {
			m |= 1 << (n >> 12 & 63)
		}
	}
	return m
}
