package stock

import "runtime"

// MaxQuantity is the largest number of units one cell holds, on hand or
// available. It is also the largest quantity of one line.
const MaxQuantity = 1<<31 - 1

// minAvailable is how far below zero a count, a till sale or safety stock may
// push what is available in one cell.
const minAvailable = -1 << 31

// The states of a cell. The zero cell is unlisted: no units, no bit.
const (
	unlisted uint8 = iota // no availability bit; available + pending ≤ 0
	listed                // the bit and every summary bit above it are set
	busy                  // somebody is changing the bit; everyone else waits
	moved                 // the value is in the next row
)

// Limits of the two encodings. A line of more than a narrow row's escrow makes
// the row wide; above the wide one a line is taken without escrow.
const (
	narrowPendingBits = 12
	narrowStateShift  = narrowPendingBits
	narrowShift       = narrowPendingBits + 2
	narrowMax         = 1<<(31-narrowShift) - 1
	narrowMin         = -1 << (31 - narrowShift)
	narrowPending     = 1<<narrowPendingBits - 1
	narrowEscrow      = narrowPending / 2

	widePendingBits = 30
	wideStateShift  = widePendingBits
	wideShift       = 32
	widePending     = 1<<widePendingBits - 1
	wideEscrow      = widePending / 2
)

// word is a cell's value, decoded.
//
// Invariant: available + pending > 0 ⇒ state is listed, or busy on the way
// there. pending ≥ 0. available + pending ≤ the units on hand.
type word struct {
	available int64
	pending   int64
	state     uint8
}

func (w word) reachable() int64 { return w.available + w.pending }

// load reads cell pos: its decoded value and the raw word a later swap compares.
func (r *row) load(pos int) (word, uint64) {
	interleave()
	if !r.wide {
		v := r.narrow[pos].Load()
		return word{
			available: int64(int32(v) >> narrowShift),
			pending:   int64(v & narrowPending),
			state:     uint8(v>>narrowStateShift) & 3,
		}, uint64(v)
	}
	v := r.broad[pos].Load()
	return word{
		available: int64(int32(v >> wideShift)),
		pending:   int64(v & widePending),
		state:     uint8(v>>wideStateShift) & 3,
	}, v
}

// swap replaces raw by w. The caller has checked that w fits the row.
func (r *row) swap(pos int, raw uint64, w word) bool {
	interleave()
	if !r.wide {
		return r.narrow[pos].CompareAndSwap(uint32(raw), packNarrow(w))
	}
	return r.broad[pos].CompareAndSwap(raw, packWide(w))
}

// put writes w without comparing: only for a cell nobody else can change, one
// that is busy by the caller's hand or not yet reachable.
func (r *row) put(pos int, w word) {
	interleave()
	if !r.wide {
		r.narrow[pos].Store(packNarrow(w))
		return
	}
	r.broad[pos].Store(packWide(w))
}

func packNarrow(w word) uint32 {
	return uint32(int32(w.available)<<narrowShift) | uint32(w.state)<<narrowStateShift | uint32(w.pending)
}

func packWide(w word) uint64 {
	return uint64(uint32(int32(w.available)))<<wideShift | uint64(w.state)<<wideStateShift | uint64(w.pending)
}

// fits reports whether w can be written to this row, with room for every
// pending unit to come back.
func (r *row) fits(w word) bool {
	if r.wide {
		return w.reachable() <= MaxQuantity && w.available >= minAvailable && w.pending <= widePending
	}
	return w.reachable() <= narrowMax && w.available >= narrowMin && w.pending <= narrowPending
}

// escrow is how many of q units a claim records as pending: all of them, but
// for a line so large that the field could not hold two of its kind.
func (r *row) escrow(q int64) (units int64, widen bool) {
	if r.wide {
		if q > wideEscrow {
			return 0, false
		}
		return q, false
	}
	return q, q > narrowEscrow
}

// pause is one step of waiting for another goroutine's few instructions.
type pause struct{ turns int }

// spins is how long a waiter stays on its core: about the time a claim on
// another core needs for its remaining lines.
const spins = 16

func (p *pause) wait() {
	p.turns++
	if p.turns > spins {
		runtime.Gosched()
	}
	interleave()
}
