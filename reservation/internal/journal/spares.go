package journal

import (
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/clickcollect/clickcollect/reservation/lock"
	"github.com/clickcollect/clickcollect/reservation/log"
)

const (
	preparedPrefix = "prepared-"
	segmentsAhead  = 2 // spares that are kept ready, or more if more is owed
	// maxSpares bounds what trimming keeps of old segments for later use. Each one
	// kept is one that need not be filled with zeros again. More are kept where that
	// many are owed.
	maxSpares = 8
	// leastOwed is how many bytes are kept ready at least, if that many are owed,
	// however short segments may be.
	leastOwed = defaultSegmentBytes
	// owedEvery is after how many commits it is asked anew what is owed, while
	// nothing is short: counting takes some microseconds.
	owedEvery = 16
)

// A spare is a file that is ready to become a segment: all of its bytes are in place
// on the disk. Their content is of no account, since every segment draws a new id.
type spare struct {
	name  string
	bytes int64
}

// Spares are those there are, and how long the next ones are to be.
type spares struct {
	least, most int64 // lengths between which all are; they never change

	mu      lock.Mutex
	turned  *lock.Cond
	files   []spare // the shortest first
	wanted  int64   // how long the next one is made
	largest int64   // the longest segment that a frame has asked for; at most wanted
	owed    int64   // bytes that a full disk must not refuse, at most mostOwed
	serial  uint64  // for the next name
	err     error   // why the last attempt to prepare one failed
	tries   uint64  // attempts
	closed  bool
	called  chan struct{} // to the preparer: one was taken
	asked   uint64        // how often headRoom was

	// For readers that must not wait for the mutex.
	ready, bytes atomic.Int64 // how many files there are, and how long all of them
}

// short reports whether there are fewer than are kept ahead, or too few bytes in them
// for what is owed.
func (p *spares) short() bool {
	p.mu.Lock(lock.Tending)
	defer p.mu.Unlock()
	return p.isShort()
}

func (p *spares) isShort() bool { return p.longer(p.wanted) < segmentsAhead || !p.enough(0) }

// enough reports whether, without the shortest some, and one more that a write may
// begin which is admitted now, there is room for what is owed. mu is held.
func (p *spares) enough(without int) bool {
	if len(p.files)-without < segmentsAhead {
		return false
	}
	return p.room(without+1) >= p.owed
}

// room is how many bytes of frames there is room for without the shortest some. mu is
// held.
func (p *spares) room(without int) (bytes int64) {
	for _, f := range p.files[without:] {
		bytes += f.bytes - 2*blockSize // but for head and seal
	}
	return bytes
}

// longer is how many are at least so long. mu is held.
func (p *spares) longer(than int64) int {
	first, _ := slices.BinarySearchFunc(p.files, than, func(f spare, n int64) int { return int(min(max(f.bytes-n, -1), 1)) })
	return len(p.files) - first
}

// has reports whether there is one at least so long.
func (p *spares) has(length int64) bool {
	p.mu.Lock(lock.Tending)
	defer p.mu.Unlock()
	return p.longer(length) > 0
}

// failure is why the last attempt to prepare one failed, nil if it did not.
func (p *spares) failure() error {
	p.mu.Lock(lock.Tending)
	defer p.mu.Unlock()
	return p.err
}

// headRoom is how many spares there are, and why there are no more: as long as no
// attempt has failed, another one is on its way. If that is needed for what is owed,
// at most one counts; none, while the preparer is so far behind that there is not even
// room for half of it, which would be missing if it found the disk full.
func (p *spares) headRoom(owed func() int64) (n int, err error) {
	if p.looks() {
		p.owe(owed())
	}
	p.mu.Lock(lock.Tending)
	defer p.mu.Unlock()
	switch n = len(p.files); {
	case p.err != nil && !p.enough(0):
		return min(n, segmentsAhead-1), p.err
	case p.err == nil && p.room(0) < p.owed/2:
		return 0, nil
	}
	return n, nil
}

// looks reports whether it is time to ask what is owed.
func (p *spares) looks() bool {
	p.mu.Lock(lock.Tending)
	defer p.mu.Unlock()
	p.asked++
	return p.err != nil || p.asked%owedEvery == 0
}

// aim says how much the segments hold, and how many bytes have to be ready besides
// for what a full disk must not refuse. The next spares are as long as is good for
// both.
func (p *spares) aim(kept, owed int64) {
	p.mu.Lock(lock.Tending)
	defer p.mu.Unlock()
	p.owed = min(owed, p.mostOwed())
	p.wanted = p.step(max(2*kept, p.owed/2, p.largest))
	p.callIfShort()
}

// owe says that anew how many bytes have to be ready.
func (p *spares) owe(bytes int64) {
	p.mu.Lock(lock.Tending)
	defer p.mu.Unlock()
	p.owed = min(bytes, p.mostOwed())
	p.wanted = max(p.wanted, p.step(p.owed/2))
	p.callIfShort()
}

// mostOwed is what counts as owed at most: what fits the longest segment.
func (p *spares) mostOwed() int64 { return max(p.most, leastOwed) - 2*blockSize }

// keeps reports whether of the files that are not needed any more as many more are
// kept, of so many bytes, to be used again: a few, and as many as are owed. early: what
// is owed is not known yet.
func (p *spares) keeps(files int, bytes int64, early bool) bool {
	p.mu.Lock(lock.Tending)
	defer p.mu.Unlock()
	owed := p.owed
	if early {
		owed = p.mostOwed()
	}
	return len(p.files)+files < maxSpares || p.bytes.Load()+bytes < owed
}

// callIfShort calls the preparer if there is less than is wanted. mu is held.
func (p *spares) callIfShort() {
	if p.isShort() {
		p.call()
	}
}

// step is the first of the lengths that is at least n, the greatest if none is: each
// is twice the one before.
func (p *spares) step(n int64) int64 {
	length := p.least
	for length < n && length < p.most {
		length *= 2
	}
	return min(length, p.most)
}

// next is how long the next one is to be.
func (p *spares) next() int64 {
	p.mu.Lock(lock.Tending)
	defer p.mu.Unlock()
	return p.wanted
}

// shorter halves that, because there is no space for one so long, and reports whether
// one that short is still of use. aim asks for more again.
func (p *spares) shorter() bool {
	p.mu.Lock(lock.Tending)
	defer p.mu.Unlock()
	if p.wanted/2 < max(p.least, p.largest) {
		return false
	}
	p.wanted /= 2
	return true
}

// fits reports whether a file of the length can be one.
func (p *spares) fits(length int64) bool { return length >= p.least && length <= p.most }

func (p *spares) put(f spare) {
	p.mu.Lock(lock.Tending)
	defer p.mu.Unlock()
	p.err = nil
	p.insert(f)
}

// giveBack is put for a file that was taken and not used: why no more can be
// prepared is as true as before.
func (p *spares) giveBack(f spare) {
	p.mu.Lock(lock.Tending)
	defer p.mu.Unlock()
	p.insert(f)
}

// insert keeps the order. mu is held.
func (p *spares) insert(f spare) {
	p.files = slices.Insert(p.files, len(p.files)-p.longer(f.bytes+1), f)
	p.ready.Add(1)
	p.bytes.Add(f.bytes)
	p.turned.Broadcast()
}

// remove takes the file at i. mu is held.
func (p *spares) remove(i int) spare {
	f := p.files[i]
	p.files = slices.Delete(p.files, i, i+1)
	p.ready.Add(-1)
	p.bytes.Add(-f.bytes)
	return f
}

// surplus takes the shortest, if there are more than are kept ahead and enough without
// it.
func (p *spares) surplus() (f spare, ok bool) {
	p.mu.Lock(lock.Tending)
	defer p.mu.Unlock()
	if !p.enough(1) {
		return spare{}, false
	}
	return p.remove(0), true
}

// name is one that no file of ours has.
func (p *spares) name() string {
	p.mu.Lock(lock.Tending)
	defer p.mu.Unlock()
	p.serial++
	return fmt.Sprintf("%s%016d", preparedPrefix, p.serial)
}

// report says how an attempt to prepare a file ended.
func (p *spares) report(err error) {
	p.mu.Lock(lock.Tending)
	defer p.mu.Unlock()
	p.tries++
	p.err = err
	p.turned.Broadcast()
}

// call asks the preparer for more.
func (p *spares) call() {
	select {
	case p.called <- struct{}{}:
	default:
	}
}

func (p *spares) close() {
	p.mu.Lock(lock.Tending)
	defer p.mu.Unlock()
	p.closed = true
	p.turned.Broadcast()
}

// take returns the shortest file that is long enough, and waits for the preparer if
// there is none: once, for its next attempt to end.
func (p *spares) take(length int64, manual bool) (f spare, err error) {
	p.mu.Lock(lock.Tending)
	defer p.mu.Unlock()
	p.call()
	for tries := p.tries; p.longer(length) == 0; p.turned.Wait() {
		switch {
		case p.closed:
			return spare{}, log.ErrClosed
		case manual || p.tries > tries && p.err != nil:
			return spare{}, p.err
		}
	}
	return p.remove(len(p.files) - p.longer(length)), nil
}

// expect says that a frame asks for a segment of the length, at most the greatest
// there are: from now on all are so long, and if there is none yet the preparer makes
// one.
func (p *spares) expect(length int64) {
	p.mu.Lock(lock.Tending)
	defer p.mu.Unlock()
	if length > p.largest {
		p.largest = length
		p.wanted = max(p.wanted, p.step(length))
	}
}
