package book

import (
	"encoding/binary"
	"slices"
	"unsafe"

	"github.com/clickcollect/clickcollect/reservation/internal/book/wheel"
	"github.com/clickcollect/clickcollect/reservation/life"
	"github.com/clickcollect/clickcollect/reservation/lock"
)

// An order whose time comes has a timer on the wheel of its shard. Timers are never
// looked for: one that is no longer wanted is found out by its stamp. A record with the
// flag armed has a timer with its stamp.

const (
	// lookEvery is after how many milliseconds the wheels are told the time again:
	// what they stand behind by then puts a timer one level up at most.
	lookEvery = 1 << 10

	sweepSteps = 8 // timers swept at each arming and disarming
)

// The functions below are called with the shard's lock held.

// due returns when something is to be done about an order by itself: at the
// deadline of what is held, and at the pickup deadline or the reminder before it.
func (b *Book) due(e *Entry) int64 {
	if e.State.Ended() {
		return wheel.Never
	}
	due := int64(wheel.Never)
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
	ref := wheel.Ref(timer)
	if !s.slab.Present(ref) {
		return false
	}
	r := s.record(ref)
	return r.kind() == KindOrder && r.has(flagArmed) && wheel.Stamped(timer, r.stamp())
}

// arm gives a record, which has none, a timer.
func (b *Book) arm(s *shard, ref uint32, due int64) {
	t := &s.timers
	stamp := t.Stamp()
	r := s.record(ref)
	r.setStamp(stamp)
	r.setFlag(flagArmed, true)
	k := t.Put(&s.side, due, wheel.Timer(ref, stamp, due))
	s.hint.bucket.set(uintptr(unsafe.Pointer(k)))
	s.hint.timer.set(k.Room(&s.side))
	if due < s.next.Load() {
		s.next.Store(due)
	}
	if t.Moving() {
		b.moveSome(s, sweepSteps)
	}
}

// disarm takes the timer of that time from a record.
func (b *Book) disarm(s *shard, r record, due int64) {
	r.setFlag(flagArmed, false)
	t := &s.timers
	t.Drop(due)
	if t.Moving() {
		b.moveSome(s, sweepSteps)
	}
}

// moveSome puts some timers of the moving chain where they belong.
func (b *Book) moveSome(s *shard, steps int) {
	t := &s.timers
	block := t.Block(&s.side, 2*steps)
	m := t.Chain()
	if now := min(len(block), 8*steps); now < len(block) {
		if m.Sweep() {
			s.prefetchTimers(block[now:])
		}
		block = block[:now]
	}
	for at := 0; at < len(block); at += 8 {
		timer := binary.LittleEndian.Uint64(block[at:])
		if due, ok := b.timeOf(s, &m, timer); ok {
			t.Put(&s.side, due, timer)
		}
	}
	t.Pass(&s.side, len(block)/8)
}

// prefetchTimers warms the records of timers that come next.
func (s *shard) prefetchTimers(timers []byte) {
	for at := 0; at+8 <= len(timers); at += 8 {
		if ref := wheel.Ref(binary.LittleEndian.Uint64(timers[at:])); s.slab.Present(ref) {
			address := s.slab.Address(ref)
			prefetchLine(address)
			prefetchLine(address + cacheLine)
		}
	}
}

// timeOf returns the time of a timer of the moving chain, and false if it is
// seen to be dead. Records are asked only if they must be: when sweeping, and
// when the bits of the timer do not say enough.
func (b *Book) timeOf(s *shard, m *wheel.Chain, timer uint64) (due int64, ok bool) {
	asks := m.Asks()
	if (asks || m.Sweep()) && !s.armed(timer) {
		return 0, false
	}
	if asks {
		s.timers.Asked()
		return b.dueAt(s, wheel.Ref(timer)), true
	}
	return m.Time(timer), true
}

// DueIn applies a rule to live orders whose time has come, in one shard: up to
// most of them, and returns how many. There may be more if it is most. An order
// that is still due afterwards is given again, unless the rule made no record and
// left it due as it was: then not until something else changes it. now may be
// earlier than in a call before. On an error, the rule's or the sink's, that order
// stays due and n are the ones before it. What has been remembered for long enough
// is forgotten.
// The lock is held for dueSteps timers at a time. The IDs given to the rule are
// valid only inside it; e is room for it to work in. A rule that is an AllRule is given
// all parts of an order together, when the time of one has come.
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
		if !t.Moving() && !t.Begin(now) {
			break
		}
		block := t.Block(&s.side, min(steps, most-n, dueBlock))
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
	m := t.Chain()
	if m.Reads(now) { // Mostly due, or asked.
		s.prefetchTimers(block)
	}
	var kept [dueBlock]uint64
	t.Pass(&s.side, copyTimers(&kept, block))
	for i := range len(block) / 8 {
		timer := kept[i]
		due, ok := b.timeOf(s, &m, timer)
		switch {
		case !ok:
		case due > now || err != nil:
			t.Put(&s.side, due, timer)
		default:
			var hit bool
			if hit, err = b.fire(s, now, timer, e, r); err != nil {
				t.Put(&s.side, due, timer)
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
	ref := wheel.Ref(timer)
	s.read(ref, e)
	due := b.due(e)
	if due > now {
		return false, nil // An old timer whose stamp came around again.
	}
	if all, ok := r.(AllRule); ok && e.several() {
		id := string(s.record(ref).id())
		parts := b.members(s, id, nil)
		// Else its order was forgotten, and another one has the ID.
		if slices.ContainsFunc(parts, func(m Member) bool { return m.ref == ref }) {
			_, err = b.changeMembers(s, id, parts, all, ref)
			return err == nil, err
		}
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
		s.timers.Turn(now)
		s.mu.Unlock()
	}
}

// NextDue returns a time before which DueIn has nothing to do in a shard, never
// later than the earliest deadline there, and MaxInt64 if there is none.
func (b *Book) NextDue(shard int) int64 { return b.shards[shard].next.Load() }

// setNext works out when there is something to do again.
func (b *Book) setNext(s *shard) {
	next := s.timers.Next()
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
	if b.RememberFor <= 0 || ended > wheel.Never-b.RememberFor-1024 {
		return wheel.Never
	}
	return (ended + b.RememberFor + 1023) &^ 1023
}

// Worked is how many timers were moved from wheel to wheel, and how many records were
// read for it.
func (b *Book) Worked() (moved, read int) {
	for i := range b.shards {
		s := &b.shards[i]
		s.mu.Lock(lock.Shard)
		passed, asked := s.timers.Worked()
		moved, read = moved+passed, read+asked
		s.mu.Unlock()
	}
	return moved, read
}
