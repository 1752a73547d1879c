package book

import (
	"encoding/binary"
	"math"
	"math/bits"
	"unsafe"

	"github.com/clickcollect/clickcollect/reservation/life"
	"github.com/clickcollect/clickcollect/reservation/lock"
)

// timers finds the orders of a shard whose time has come, to the millisecond:
// a wheel of levels of 64 buckets each, where a bucket of level l spans 64^l ms.
// A timer lies at the level of the highest digit, base 64, in which its time
// differs from the wheel's, and so comes down level by level as its time comes
// near: for a hold of ten minutes three times, eight bytes read and written in
// sequence each. That holds only while the wheel knows the time (settle, look): a
// timer put in while it stands behind lies in one far bucket with all the others
// put in then, and the first of them that is due waits for all to come down. Timers are never looked for: one that is no longer wanted is
// only counted, and found out by its stamp when its time comes or when half of
// its bucket is like that, which then is swept, some timers at each arming and
// disarming, so that no call waits long for it.
//
// A timer is 8 bytes: reference of the record 32, stamp 8, time 24, the lowest
// bits of both. 24 bits are the four lowest levels, 4.7 hours: of what is due
// later the record must be asked once, of which memory has to be waited for, and
// which is why the stamp has no more bits. They lie in chains of pieces of the shard's side slab: 4 bytes
// reference of the next piece, 4 bytes number of timers it has room for, timers.
// Not safe for concurrent use.
//
// A time that is past already goes into the bucket of the wheel's time, which then
// is due since the earliest of these: who asks by an earlier time than the wheel's,
// as a host may that ends holds itself, is not to miss them.
//
// Invariant: no bucket before the wheel's time holds a timer; a record with the
// flag armed has a timer with its stamp, in the bucket that bucketOf gives or in
// the moving chain. A dead timer may look alive when stamps come around after 256
// armings: then its record is not due, or due anyway and done only once.
// Bound: times from 0 to 2^63−2; of the timers of a bucket at most half, or 64,
// are known to be dead, a few more while another bucket is swept; those that came
// down a level with it are not known, and are at most half of what came down.
// Source: Varghese and Lauck, Hashed and Hierarchical Timing Wheels, 1987,
// scheme 7, with unordered arrays for lists and lazy removal; the sweep is ours.
type timers struct {
	now    int64 // the wheel's time
	late   int64 // the earliest time in its bucket that was past when it was put there
	behind bool  // there is one
	stamps uint32
	used   uint16 // bit per level: some bucket there is not empty
	levels [wheelLevels]*wheelLevel
	moving moving

	// Work so far, for tests that count it.
	passed int // timers taken out of a bucket
	asked  int // of them, those of which a record was read to know their time
}

type wheelLevel struct {
	filled  uint64 // bit per bucket
	buckets [wheelBuckets]bucket
}

// bucket is a chain of pieces.
type bucket struct {
	first, last uint32
	fill        uint32 // timers in the last piece
	count, dead uint32
}

// moving is a chain taken out of its bucket, which is put where it belongs bit
// by bit.
type moving struct {
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

	// lookEvery is after how many milliseconds the wheels are told the time again:
	// what they stand behind by then puts a timer one level up at most.
	lookEvery = 1 << 10

	sweepDead  = 64 // so many dead timers are never worth a sweep
	sweepSteps = 8  // timers swept at each arming and disarming

	never = math.MaxInt64
)

func timerOf(ref, stamp uint32, due int64) uint64 {
	return uint64(ref)<<32 | uint64(stamp&stampMask)<<timeBits | uint64(due)&timeMask
}

func timerRef(timer uint64) uint32   { return uint32(timer >> 32) }
func timerStamp(timer uint64) uint32 { return uint32(timer>>timeBits) & stampMask }

// bucketOf returns where a time belongs.
func (t *timers) bucketOf(due int64) (level, at int) {
	if due <= t.now {
		return 0, int(t.now) & (wheelBuckets - 1)
	}
	level = (bits.Len64(uint64(due^t.now)) - 1) / digitBits
	return level, int(due>>(level*digitBits)) & (wheelBuckets - 1)
}

// start returns the first time of a bucket, as seen from the wheel's time.
func (t *timers) start(level, at int) int64 {
	shift := level * digitBits
	return t.now>>shift>>digitBits<<digitBits<<shift | int64(at)<<shift
}

// put adds a timer to the bucket of its time, which it returns.
func (t *timers) put(side *slab, due int64, timer uint64) *bucket {
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
		k.first = side.take(pieceHead + smallPiece*8)
		k.last, k.fill = k.first, 0
		l.filled |= 1 << at
		t.used |= 1 << level
		binary.LittleEndian.PutUint64(side.at(k.first), smallPiece<<32)
	case k.fill == largePiece || k.fill == smallPiece && k.first == k.last:
		next := side.take(pieceHead + largePiece*8)
		binary.LittleEndian.PutUint32(side.at(k.last), next)
		binary.LittleEndian.PutUint64(side.at(next), largePiece<<32)
		k.last, k.fill = next, 0
	}
	binary.LittleEndian.PutUint64(side.at(k.last)[pieceHead+8*k.fill:], timer)
	k.fill++
	k.count++
	return k
}

// detach makes a bucket the moving chain. There is none when it is called.
func (t *timers) detach(level, at int, sweep bool) {
	l := t.levels[level]
	k := &l.buckets[at]
	t.moving = moving{piece: k.first, last: k.last, fill: k.fill, start: t.start(level, at), level: level, sweep: sweep}
	if t.behind && level == 0 && at == int(t.now)&(wheelBuckets-1) {
		t.moving.start, t.moving.late, t.behind = t.late, true, false
	}
	*k = bucket{}
	l.filled &^= 1 << at
	if l.filled == 0 {
		t.used &^= 1 << level
	}
}

// block returns the timers of the moving chain's present piece that are left, up
// to some; taken must be told how many of them were taken.
func (t *timers) block(side *slab, most int) []byte {
	m := &t.moving
	piece := side.at(m.piece)
	end := binary.LittleEndian.Uint32(piece[4:])
	if m.piece == m.last {
		end = m.fill
	}
	end = min(end, m.next+uint32(most))
	return piece[pieceHead+8*m.next : pieceHead+8*end]
}

// taken goes past n timers of a block.
func (t *timers) taken(side *slab, n int) {
	m := &t.moving
	t.passed += n
	m.next += uint32(n)
	piece := side.at(m.piece)
	room := binary.LittleEndian.Uint32(piece[4:])
	switch {
	case m.piece == m.last && m.next == m.fill:
		side.give(m.piece, pieceHead+int(room)*8)
		m.piece = 0
	case m.next == room:
		next := binary.LittleEndian.Uint32(piece)
		side.give(m.piece, pieceHead+int(room)*8)
		m.piece, m.next = next, 0
	}
}

// earliest returns the first bucket that is not empty, and its first time, or
// never.
func (t *timers) earliest() (level, at int, start int64) {
	switch {
	case t.used == 0:
		return 0, 0, never
	case t.behind:
		return 0, int(t.now) & (wheelBuckets - 1), t.late
	}
	level = bits.TrailingZeros16(t.used)
	at = bits.TrailingZeros64(t.levels[level].filled)
	return level, at, t.start(level, at)
}

// turn tells the wheel the time. It goes no further than to the first time of a
// bucket that holds something: that one is the sweep's.
func (t *timers) turn(now int64) {
	if _, _, start := t.earliest(); start > now {
		t.now = max(t.now, now)
	}
}

// bytes returns the memory of the levels; the timers are in the side slab.
func (t *timers) bytes() (total int64) {
	for _, l := range t.levels {
		if l != nil {
			total += int64(unsafe.Sizeof(*l))
		}
	}
	return total
}

// The functions below are called with the shard's lock held.

// due returns when something is to be done about an order by itself: at the
// deadline of what is held, and at the pickup deadline or the reminder before it.
func (b *Book) due(e *Entry) int64 {
	if e.State.Ended() {
		return never
	}
	due := int64(never)
	for i := range e.Lines {
		if e.Lines[i].Held > 0 {
			due = e.Deadline
			break
		}
	}
	if e.State == life.Ready {
		pickup := e.Pickup
		if !e.Reminded {
			pickup -= b.RemindBefore
		}
		due = min(due, pickup)
	}
	return due
}

// armed reports whether a timer is the one its record carries, as far as the
// bits of the stamp tell.
func (s *shard) armed(timer uint64) bool {
	ref := timerRef(timer)
	if !s.slab.present(ref) {
		return false
	}
	r := s.record(ref)
	return r.kind() == KindOrder && r.has(flagArmed) && r.stamp()&stampMask == timerStamp(timer)
}

// arm gives a record, which has none, a timer.
func (b *Book) arm(s *shard, ref uint32, due int64) {
	t := &s.timers
	t.stamps++
	r := s.record(ref)
	r.setStamp(t.stamps)
	r.setFlag(flagArmed, true)
	k := t.put(&s.side, due, timerOf(ref, t.stamps, due))
	s.hint.bucket.set(uintptr(unsafe.Pointer(k)))
	s.hint.timer.set(s.side.address(k.last) + pieceHead + 8*uintptr(k.fill))
	if due < s.next.Load() {
		s.next.Store(due)
	}
	if t.moving.piece != 0 {
		b.moveSome(s, sweepSteps)
	}
}

// disarm takes the timer of that time from a record.
func (b *Book) disarm(s *shard, r record, due int64) {
	r.setFlag(flagArmed, false)
	t := &s.timers
	level, at := t.bucketOf(due)
	if l := t.levels[level]; l != nil && l.buckets[at].count > 0 { // Else it is in the moving chain.
		k := &l.buckets[at]
		k.dead++
		if k.dead > sweepDead && k.dead > k.count/2 && t.moving.piece == 0 {
			t.detach(level, at, true)
		}
	}
	if t.moving.piece != 0 {
		b.moveSome(s, sweepSteps)
	}
}

// moveSome puts some timers of the moving chain where they belong.
func (b *Book) moveSome(s *shard, steps int) {
	t := &s.timers
	block := t.block(&s.side, 2*steps)
	m := t.moving
	if now := min(len(block), 8*steps); now < len(block) {
		if m.sweep {
			s.prefetchTimers(block[now:])
		}
		block = block[:now]
	}
	for at := 0; at < len(block); at += 8 {
		timer := binary.LittleEndian.Uint64(block[at:])
		if due, ok := b.timeOf(s, &m, timer); ok {
			t.put(&s.side, due, timer)
		}
	}
	t.taken(&s.side, len(block)/8)
}

// prefetchTimers warms the records of timers that come next.
func (s *shard) prefetchTimers(timers []byte) {
	for at := 0; at+8 <= len(timers); at += 8 {
		if ref := timerRef(binary.LittleEndian.Uint64(timers[at:])); s.slab.present(ref) {
			address := s.slab.address(ref)
			prefetchLine(address)
			prefetchLine(address + cacheLine)
		}
	}
}

// timeOf returns the time of a timer of the moving chain, and false if it is
// seen to be dead. Records are asked only if they must be: when sweeping, and
// when the bits of the timer do not say enough.
func (b *Book) timeOf(s *shard, m *moving, timer uint64) (due int64, ok bool) {
	far := m.level*digitBits > timeBits || m.late
	if (far || m.sweep) && !s.armed(timer) {
		return 0, false
	}
	if far {
		s.timers.asked++
		return b.dueAt(s, timerRef(timer)), true
	}
	return m.start + int64(timer)&(1<<(m.level*digitBits)-1), true
}

// DueIn applies a rule to live orders whose time has come, in one shard: up to
// most of them, and returns how many. There may be more if it is most. An order
// that is still due afterwards is given again, unless the rule made no record and
// left it due as it was: then not until something else changes it. now may be
// earlier than in a call before. On an error, the rule's or the sink's, that order
// stays due and n are the ones before it. What has been remembered for long enough
// is forgotten.
// The lock is held for dueSteps timers at a time. The IDs given to the rule are
// valid only inside it; e is room for it to work in.
func (b *Book) DueIn(shard int, now int64, most int, e *Entry, r Rule) (n int, err error) {
	s := &b.shards[shard]
	for more := true; more && err == nil; {
		s.mu.Lock(lock.Shard)
		n, more, err = b.dueSome(s, now, n, most, e, r)
		s.mu.Unlock()
	}
	return n, err
}

// dueSteps is how many timers are moved or fired while the lock is held.
const (
	dueSteps = 256
	dueBlock = 16 // timers looked at ahead
)

// dueSome does some of the work of DueIn, which has given n so far.
func (b *Book) dueSome(s *shard, now int64, n, most int, e *Entry, r Rule) (given int, more bool, err error) {
	t := &s.timers
	for steps := dueSteps; n < most; {
		if steps <= 0 {
			return n, true, nil
		}
		if t.moving.piece == 0 {
			level, at, start := t.earliest()
			if start > now {
				t.turn(now)
				break
			}
			t.now = max(t.now, start)
			t.detach(level, at, false)
		}
		block := t.block(&s.side, min(steps, most-n, dueBlock))
		fired, err := b.passBlock(s, now, block, e, r)
		n += fired
		if err != nil {
			return n, false, err
		}
		steps -= dueBlock
	}
	more = b.forgetSome(s, now)
	b.setNext(s)
	return n, more, nil
}

// passBlock fires the timers of a block that are due and puts the others where
// they belong. A timer whose order meets an error stays.
func (b *Book) passBlock(s *shard, now int64, block []byte, e *Entry, r Rule) (fired int, err error) {
	t := &s.timers
	m := t.moving
	far := m.level*digitBits > timeBits
	if m.start+1<<(m.level*digitBits) <= now+1 || m.sweep || far { // Mostly due, or asked.
		s.prefetchTimers(block)
	}
	var kept [dueBlock]uint64
	t.taken(&s.side, copyTimers(&kept, block))
	for i := range len(block) / 8 {
		timer := kept[i]
		due, ok := b.timeOf(s, &m, timer)
		switch {
		case !ok:
		case due > now || err != nil:
			t.put(&s.side, due, timer)
		default:
			var hit bool
			if hit, err = b.fire(s, now, timer, e, r); err != nil {
				t.put(&s.side, due, timer)
			} else if hit {
				fired++
			}
		}
	}
	return fired, err
}

func copyTimers(into *[dueBlock]uint64, block []byte) (n int) {
	for ; 8*n < len(block); n++ {
		into[n] = binary.LittleEndian.Uint64(block[8*n:])
	}
	return n
}

// fire applies the rule to the order of a timer, unless the timer is dead.
func (b *Book) fire(s *shard, now int64, timer uint64, e *Entry, r Rule) (fired bool, err error) {
	if !s.armed(timer) {
		return false, nil
	}
	ref := timerRef(timer)
	s.read(ref, e)
	due := b.due(e)
	if due > now {
		return false, nil // An old timer whose stamp came around again.
	}
	_, err = b.changeAt(s, ref, aliasID(s.record(ref)), e, r, due, true)
	return err == nil, err
}

// Look tells the wheels the time, whether anything is due or not, unless they have
// been told it a moment ago.
func (b *Book) Look(now int64) {
	if now-b.looked.Load() < lookEvery {
		return
	}
	b.looked.Store(now)
	for i := range b.shards {
		s := &b.shards[i]
		s.mu.Lock(lock.Shard)
		s.timers.turn(now)
		s.mu.Unlock()
	}
}

// NextDue returns a time before which DueIn has nothing to do in a shard, never
// later than the earliest deadline there, and MaxInt64 if there is none.
func (b *Book) NextDue(shard int) int64 { return b.shards[shard].next.Load() }

// setNext works out when there is something to do again.
func (b *Book) setNext(s *shard) {
	_, _, next := s.timers.earliest()
	if s.timers.moving.piece != 0 {
		next = min(next, s.timers.moving.start)
	}
	for i := range s.ended {
		if q := &s.ended[i]; q.oldest != 0 {
			next = min(next, b.forgetTime(s.record(q.oldest).deadline()))
		}
	}
	s.next.Store(next)
}

// forgetTime returns when to look whether an entry that ended then is to be
// forgotten: about once a second.
func (b *Book) forgetTime(ended int64) int64 {
	if b.RememberFor <= 0 || ended > never-b.RememberFor-1024 {
		return never
	}
	return (ended + b.RememberFor + 1023) &^ 1023
}

// Worked is how many timers were moved from wheel to wheel, and how many records were
// read for it.
func (b *Book) Worked() (moved, read int) {
	for i := range b.shards {
		s := &b.shards[i]
		s.mu.Lock(lock.Shard)
		moved += s.timers.passed
		read += s.timers.asked
		s.mu.Unlock()
	}
	return moved, read
}
