package stock

import "math/bits"

// This file keeps the availability bits of a row.
//
// Invariant: a cell that is listed or busy has its summary bits set, and in a
// dense row its own bit, at every moment after its state became listed. A set
// summary bit of level 1 has its bit of level 2 set at every moment, because the
// upper one is set first and cleared last: a setter that takes no latch may meet
// another one half-way.
// Linearizes at: the store that makes the cell listed (list) or unlisted (drop).
// Progress: list and drop hold the cell's busy state, or the row's latch, for a
// bounded number of instructions; others wait for them only on the same cell
// or the same row's summaries. Searches never wait.
// Source: the two-level summary is the usual hierarchical bitmap; the latch in
// place of clear-then-read-again is ours, doc.go tells why.

// list makes a cell positive: raw is its unlisted value, w the value it shall
// have. It sets the bits first. False: the cell changed, start again.
func (r *row) list(number uint32, pos int, raw uint64, old, w word) bool {
	old.state = busy
	if !r.swap(pos, raw, old) {
		return false
	}
	r.expose(number)
	if p := r.prev.Load(); p != nil {
		p.expose(r.space.numberIn(p.space, number))
		p.listedNow.Add(1)
	}
	r.listedNow.Add(1)
	w.state = listed
	r.put(pos, w)
	return true
}

// expose sets the bits above a number whose cell is busy, moved or not yet
// reachable. The number may lie outside the row: then no bit of it can say so,
// and none is needed, because the row is replaced before the cell is filled.
func (r *row) expose(number uint32) {
	if number >= uint32(r.space.span) {
		return
	}
	if r.shape == dense {
		r.bits[number>>6].Or(1 << (number & 63))
	}
	r.raise(number >> 6)
}

// raise sets the summary bits of a word of 64 numbers in which something has
// become visible. With the latch free and the bit set there is nothing to do:
// whoever takes the latch from here on sees what has become visible.
func (r *row) raise(word uint32) {
	if r.sum1 == nil {
		return
	}
	interleave()
	bit := uint64(1) << (word & 63)
	free := !r.sumLatch.Load()
	interleave()
	if free && r.sum1[word>>6].Load()&bit != 0 {
		return
	}
	r.lockSums()
	r.sum2[word>>12].Or(1 << (word >> 6 & 63)) // first: whoever sees the lower bit relies on this one
	interleave()
	r.sum1[word>>6].Or(bit)
	r.sumLatch.Store(false)
}

// lower clears the summary bits of a word in which nothing is left.
func (r *row) lower(word uint32) {
	if r.sum1 == nil {
		return
	}
	r.lockSums()
	defer r.sumLatch.Store(false)
	if r.anyIn(word) {
		return
	}
	interleave()
	r.sum1[word>>6].And(^(uint64(1) << (word & 63)))
	if r.sum1[word>>6].Load() == 0 {
		interleave()
		r.sum2[word>>12].And(^(uint64(1) << (word >> 6 & 63)))
	}
}

func (r *row) lockSums() {
	var p pause
	for !r.sumLatch.CompareAndSwap(false, true) {
		p.wait()
	}
	interleave()
}

// anyIn reports whether any cell of a word of 64 numbers is not unlisted.
func (r *row) anyIn(word uint32) bool {
	if r.shape == dense {
		return r.bits[word].Load() != 0
	}
	return r.listedOf(word, r.present(word)) != 0
}

// present is the superset of listed numbers in a word that costs no look at the
// cells: the listed bits of a dense row, the stocked numbers of the others.
func (r *row) present(word uint32) uint64 {
	var m uint64
	switch r.shape {
	case dense:
		return r.bits[word].Load()
	case mid:
		m = r.bits[word].Load()
	case sparse:
		from, to := r.chunk(word << 6)
		at := lowerBound(r.keys[from:to], uint16(word<<6)) + from
		m = r.keysFrom(word, &at)
	}
	return m | r.tailIn(word)
}

// keysFrom is the bitmap of a sparse row's numbers in a word, looked for from
// *at on, which must not be past them; *at ends behind them.
func (r *row) keysFrom(word uint32, at *int) (m uint64) {
	from, to := r.chunk(word << 6)
	i, low := max(*at, from), uint16(word<<6)
	for ; i < to && r.keys[i] < low; i++ {
	}
	for ; i < to && r.keys[i]-low < 64; i++ {
		m |= 1 << (r.keys[i] - low)
	}
	*at = i
	return m
}

// lowerBound is the index of the first key that is not below low. The halving
// has no branch to mispredict: base moves by a conditional move.
func lowerBound(keys []uint16, low uint16) int {
	base, n := 0, len(keys)
	for n > 1 {
		half := n >> 1
		next := base + half
		if keys[next-1] < low {
			base = next
		}
		n -= half
	}
	if n == 1 && keys[base] < low {
		base++
	}
	return base
}

// listedOf keeps of m, numbers of a word, those whose cell is not unlisted. The
// cells of a word lie one behind the other, so their places follow from the
// first.
func (r *row) listedOf(word uint32, m uint64) uint64 {
	var members uint64
	pos := 0
	switch r.shape {
	case dense:
		return m & r.bits[word].Load()
	case mid:
		members, pos = r.bits[word].Load(), int(r.rank[word])
	case sparse:
		from, to := r.chunk(word << 6)
		pos = from + lowerBound(r.keys[from:to], uint16(word<<6))
		at := pos
		members = r.keysFrom(word, &at)
	}
	late := m &^ members
	for rest := members & m; rest != 0; rest &= rest - 1 {
		bit := rest & -rest
		if !r.listedAt(pos + bits.OnesCount64(members&(bit-1))) {
			m &^= bit
		}
	}
	for ; late != 0; late &= late - 1 { // the tail's
		bit := late & -late
		at := r.findTail(word<<6 + uint32(bits.TrailingZeros64(bit)))
		if at < 0 || !r.listedAt(at) {
			m &^= bit
		}
	}
	return m
}

// listedAt reports whether a cell is not unlisted.
func (r *row) listedAt(pos int) bool {
	if !r.wide {
		return r.narrow[pos].Load()>>narrowStateShift&3 != uint32(unlisted)
	}
	w, _ := r.load(pos)
	return w.state != unlisted
}

// isListed reports whether a number's cell is not unlisted.
func (r *row) isListed(number uint32) bool {
	if r.shape == dense {
		return r.bits[number>>6].Load()>>(number&63)&1 != 0
	}
	pos := r.find(number)
	if pos < 0 {
		return false
	}
	return r.listedAt(pos)
}

// drop clears the bits of a cell found empty while listed. It gives up when the
// cell is not empty any more or somebody else is at it.
func (r *row) drop(number uint32, pos int) {
	w, raw := r.load(pos)
	if w.state != listed || w.reachable() > 0 {
		return
	}
	if r.shape != dense {
		w.state = unlisted
		if !r.swap(pos, raw, w) {
			return
		}
	} else {
		w.state = busy
		if !r.swap(pos, raw, w) {
			return
		}
		r.bits[number>>6].And(^(uint64(1) << (number & 63)))
		w.state = unlisted
		r.put(pos, w)
	}
	r.listedNow.Add(-1)
	if r.sum1 != nil && !r.anyIn(number>>6) {
		r.lower(number >> 6)
	}
}
