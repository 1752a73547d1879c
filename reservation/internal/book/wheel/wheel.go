package wheel

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"unsafe"

	"github.com/clickcollect/clickcollect/reservation/internal/book/slab"
)

// Wheel finds the timers whose time has come, to the millisecond: a wheel of levels of
// 64 buckets each, where a bucket of level l spans 64^l ms. A timer lies at the level of
// the highest digit, base 64, in which its time differs from the wheel's, and so comes
// down level by level as its time comes near: for one of ten minutes three times, eight
// bytes read and written in sequence each. That holds only while the wheel knows the
// time (Turn): a timer put in while it stands behind lies in one far bucket with all the
// others put in then, and the first of them that is due waits for all to come down.
// Timers are never looked for: one that is no longer wanted is only counted (Drop), and
// found out by its stamp when its time comes or when half of its bucket is like that,
// which then is swept, some timers at each arming and disarming, so that no call waits
// long for it.
//
// A timer is 8 bytes: reference of the record 32, stamp 8, time 24, the lowest bits of
// both, see Timer. 24 bits are the four lowest levels, 4.7 hours: of what is due later
// the record must be asked once, of which memory has to be waited for, and which is why
// the stamp has no more bits. They lie in chains of pieces of a slab: 4 bytes reference
// of the next piece, 4 bytes number of timers it has room for, timers. Not safe for
// concurrent use.
//
// A time that is past already goes into the bucket of the wheel's time, which then is
// due since the earliest of these: who asks by an earlier time than the wheel's, as a
// host may that ends holds itself, is not to miss them.
//
// Invariant: no bucket before the wheel's time holds a timer; one that was put in and
// not passed is in the bucket that bucketOf gives or in the moving chain. A dead timer
// may look alive when stamps come around after 256 armings: then its record is not due,
// or due anyway and done only once.
// Bound: times from 0 to 2^63−2; of the timers of a bucket at most half, or 64, are known
// to be dead, a few more while another bucket is swept; those that came down a level with
// it are not known, and are at most half of what came down.
// Source: Varghese and Lauck, Hashed and Hierarchical Timing Wheels, 1987, scheme 7, with
// unordered arrays for lists and lazy removal; the sweep is ours.
type Wheel struct {
	now    int64 // the wheel's time
	late   int64 // the earliest time in its bucket that was past when it was put there
	behind bool  // there is one
	stamps uint32
	used   uint16 // bit per level: some bucket there is not empty
	levels [wheelLevels]*wheelLevel
	moving Chain

	// Work so far, for tests that count it.
	passed int // timers taken out of a bucket
	asked  int // of them, those of which a record was read to know their time
}

type wheelLevel struct {
	filled  uint64 // bit per bucket
	buckets [wheelBuckets]Bucket
}

// Bucket is a chain of pieces.
type Bucket struct {
	first, last uint32
	fill        uint32 // timers in the last piece
	count, dead uint32
}

// Chain is a chain taken out of its bucket, which is put where it belongs bit
// by bit.
type Chain struct {
	piece uint32 // 0: none
	next  uint32 // timer of the piece
	last  uint32
	fill  uint32 // timers in the last piece
	start int64  // of the bucket it was
	level int
	sweep bool // ask the records which timers are dead
	late  bool // ask them for the times: some were past before the wheel's
}

const (
	digitBits    = 6
	wheelBuckets = 1 << digitBits
	wheelLevels  = 11 // 63 bits

	timeBits  = 24 // of a timer
	stampBits = 8
	stampMask = 1<<stampBits - 1
	timeMask  = 1<<timeBits - 1

	pieceHead  = 8
	smallPiece = 7  // timers of a bucket's first piece, 64 bytes
	largePiece = 63 // of all others, 512 bytes

	sweepDead = 64 // so many dead timers are never worth a sweep

	// Never is later than any time.
	Never = math.MaxInt64
)

// Timer is a timer of a record: its reference, a stamp of 8 bits and the lowest 24 bits
// of its time.
func Timer(ref, stamp uint32, due int64) uint64 {
	return uint64(ref)<<32 | uint64(stamp&stampMask)<<timeBits | uint64(due)&timeMask
}

// Ref is the reference of a timer's record.
func Ref(timer uint64) uint32 { return uint32(timer >> 32) }

// Stamped reports whether a timer has a stamp, as far as its bits tell.
func Stamped(timer uint64, stamp uint32) bool {
	return uint32(timer>>timeBits)&stampMask == stamp&stampMask
}

// bucketOf returns where a time belongs.
func (t *Wheel) bucketOf(due int64) (level, at int) {
	if due <= t.now {
		return 0, int(t.now) & (wheelBuckets - 1)
	}
	level = (bits.Len64(uint64(due^t.now)) - 1) / digitBits
	return level, int(due>>(level*digitBits)) & (wheelBuckets - 1)
}

// start returns the first time of a bucket, as seen from the wheel's time.
func (t *Wheel) start(level, at int) int64 {
	shift := level * digitBits
	return t.now>>shift>>digitBits<<digitBits<<shift | int64(at)<<shift
}

// Put adds a timer to the bucket of its time, which it returns.
func (t *Wheel) Put(side *slab.Slab, due int64, timer uint64) *Bucket {
	level, at := t.bucketOf(due)
	l := t.levels[level]
	if l == nil {
		l = new(wheelLevel)
		t.levels[level] = l
	}
	if due < t.now && (!t.behind || due < t.late) {
		t.late, t.behind = due, true
	}
	k := &l.buckets[at]
	switch {
	case k.count == 0:
		k.first = side.Take(pieceHead + smallPiece*8)
		k.last, k.fill = k.first, 0
		l.filled |= 1 << at
		t.used |= 1 << level
		binary.LittleEndian.PutUint64(side.At(k.first), smallPiece<<32)
	case k.fill == largePiece || k.fill == smallPiece && k.first == k.last:
		next := side.Take(pieceHead + largePiece*8)
		binary.LittleEndian.PutUint32(side.At(k.last), next)
		binary.LittleEndian.PutUint64(side.At(next), largePiece<<32)
		k.last, k.fill = next, 0
	}
	binary.LittleEndian.PutUint64(side.At(k.last)[pieceHead+8*k.fill:], timer)
	k.fill++
	k.count++
	return k
}

// detach makes a bucket the moving chain. There is none when it is called.
func (t *Wheel) detach(level, at int, sweep bool) {
	l := t.levels[level]
	k := &l.buckets[at]
	t.moving = Chain{piece: k.first, last: k.last, fill: k.fill, start: t.start(level, at), level: level, sweep: sweep}
	if t.behind && level == 0 && at == int(t.now)&(wheelBuckets-1) {
		t.moving.start, t.moving.late, t.behind = t.late, true, false
	}
	*k = Bucket{}
	l.filled &^= 1 << at
	if l.filled == 0 {
		t.used &^= 1 << level
	}
}

// Block returns the timers of the moving chain's present piece that are left, up
// to some; Pass must be told how many of them were taken.
func (t *Wheel) Block(side *slab.Slab, most int) []byte {
	m := &t.moving
	piece := side.At(m.piece)
	end := binary.LittleEndian.Uint32(piece[4:])
	if m.piece == m.last {
		end = m.fill
	}
	end = min(end, m.next+uint32(most))
	return piece[pieceHead+8*m.next : pieceHead+8*end]
}

// Pass goes past n timers of a block, which are taken out.
func (t *Wheel) Pass(side *slab.Slab, n int) {
	m := &t.moving
	t.passed += n
	m.next += uint32(n)
	piece := side.At(m.piece)
	room := binary.LittleEndian.Uint32(piece[4:])
	switch {
	case m.piece == m.last && m.next == m.fill:
		side.Give(m.piece, pieceHead+int(room)*8)
		m.piece = 0
	case m.next == room:
		next := binary.LittleEndian.Uint32(piece)
		side.Give(m.piece, pieceHead+int(room)*8)
		m.piece, m.next = next, 0
	}
}

// earliest returns the first bucket that is not empty, and its first time, or
// Never.
func (t *Wheel) earliest() (level, at int, start int64) {
	switch {
	case t.used == 0:
		return 0, 0, Never
	case t.behind:
		return 0, int(t.now) & (wheelBuckets - 1), t.late
	}
	level = bits.TrailingZeros16(t.used)
	at = bits.TrailingZeros64(t.levels[level].filled)
	return level, at, t.start(level, at)
}

// Turn tells the wheel the time. It goes no further than to the first time of a
// bucket that holds something: that one is for Begin.
func (t *Wheel) Turn(now int64) {
	if _, _, start := t.earliest(); start > now {
		t.now = max(t.now, now)
	}
}

// Bytes returns the memory of the levels; the timers are in the slab.
func (t *Wheel) Bytes() (total int64) {
	for _, l := range t.levels {
		if l != nil {
			total += int64(unsafe.Sizeof(*l))
		}
	}
	return total
}

// Stamp is the stamp of the next timer.
func (t *Wheel) Stamp() uint32 {
	t.stamps++
	return t.stamps
}

// Room is the address where the next timer of a bucket goes, for prefetching.
func (k *Bucket) Room(side *slab.Slab) uintptr {
	return side.Address(k.last) + pieceHead + 8*uintptr(k.fill)
}

// Drop counts the timer of a time as dead. When too many of a bucket are, it becomes the
// moving chain, to be swept.
func (t *Wheel) Drop(due int64) {
	level, at := t.bucketOf(due)
	if l := t.levels[level]; l != nil && l.buckets[at].count > 0 { // Else it is in the moving chain.
		k := &l.buckets[at]
		k.dead++
		if k.dead > sweepDead && k.dead > k.count/2 && !t.Moving() {
			t.detach(level, at, true)
		}
	}
}

// Moving reports whether there is a moving chain.
func (t *Wheel) Moving() bool { return t.moving.piece != 0 }

// Chain is the moving chain as it is now.
func (t *Wheel) Chain() Chain { return t.moving }

// Begin makes the first bucket the moving chain whose time has come; there is none when
// it is called. False: no time has, and the wheel knows now what time it is.
func (t *Wheel) Begin(now int64) bool {
	level, at, start := t.earliest()
	if start > now {
		t.Turn(now)
		return false
	}
	t.now = max(t.now, start)
	t.detach(level, at, false)
	return true
}

// Next is a time before which there is nothing to do, or Never.
func (t *Wheel) Next() int64 {
	_, _, next := t.earliest()
	if t.Moving() {
		next = min(next, t.moving.start)
	}
	return next
}

// Sweep reports whether the chain is swept: then records are asked which of its timers
// are dead.
func (m *Chain) Sweep() bool { return m.sweep }

// far reports whether a timer's bits do not say enough of its time.
func (m *Chain) far() bool { return m.level*digitBits > timeBits }

// Asks reports whether the time of each timer of the chain is to be asked of its record:
// its bits do not say enough.
func (m *Chain) Asks() bool { return m.far() || m.late }

// Reads reports whether, by a time, most records of the chain will be read.
func (m *Chain) Reads(now int64) bool {
	return m.start+1<<(m.level*digitBits) <= now+1 || m.sweep || m.far()
}

// Time is the time of a timer of a chain that does not ask for it.
func (m *Chain) Time(timer uint64) int64 {
	return m.start + int64(timer)&(1<<(m.level*digitBits)-1)
}

// Asked counts a record that was read to know its time.
func (t *Wheel) Asked() { t.asked++ }

// Worked is how many timers were taken out of a bucket so far, and of how many of them a
// record was read to know their time.
func (t *Wheel) Worked() (passed, asked int) { return t.passed, t.asked }

// Sound walks all timers, for tests: an error is a bucket that does not hold what it
// says.
func (t *Wheel) Sound(side *slab.Slab, each func(timer uint64)) error {
	for level, l := range t.levels {
		for at := 0; l != nil && at < wheelBuckets; at++ {
			k := &l.buckets[at]
			n := k.walk(side, 0, each)
			if n != k.count || (n > 0) != (l.filled>>at&1 == 1) {
				return fmt.Errorf("bucket %d/%d holds %d timers and says %d", level, at, n, k.count)
			}
			if k.dead > sweepDead+n*3/4 && !t.Moving() { // More than half: another was being swept.
				return fmt.Errorf("bucket %d/%d says that %d of %d are dead, and nobody sweeps", level, at, k.dead, n)
			}
		}
		if l != nil && (l.filled != 0) != (t.used>>level&1 == 1) {
			return fmt.Errorf("level %d: buckets %x, used %x", level, l.filled, t.used)
		}
	}
	if m := t.moving; m.piece != 0 {
		(&Bucket{first: m.piece, last: m.last, fill: m.fill}).walk(side, m.next, each)
	}
	return nil
}

// walk walks the timers of a bucket from one of its first piece on.
func (k *Bucket) walk(side *slab.Slab, from uint32, each func(timer uint64)) (n uint32) {
	for piece := k.first; piece != 0; from = 0 {
		p := side.At(piece)
		end := binary.LittleEndian.Uint32(p[4:])
		if piece == k.last {
			end = k.fill
		}
		for ; from < end; from++ {
			each(binary.LittleEndian.Uint64(p[pieceHead+8*from:]))
			n++
		}
		if piece == k.last {
			break
		}
		piece = binary.LittleEndian.Uint32(p)
	}
	return n
}
