package commit

import (
	"math"
	"time"

	"github.com/clickcollect/clickcollect/reservation/lock"
)

// A crowd is what the committer knows of the callers it has just woken. Only
// the committer touches it.
//
// Callers that write, wait and write again come back a moment after they were
// woken. A commit that begins at once leaves them behind: they fall into two
// halves, each of which waits for the other's commit and then for its own. So
// the committer waits until as many have come as were woken, at most as long as
// the last commit took, which is what a caller that comes too late would wait.
// Callers that do not come back make it stop waiting: for 1 commit, then 3, 7,
// up to 63.
//
// Measured on two cores with records of 100 bytes and syncs of 110 µs of a plain
// file, the median of seven rounds in one run, thousand records/s at 64, 256,
// 1,024 and 10,000 callers: 210, 830, 1,910 and 1,220 with no waiting; 410,
// 1,100, 1,900 and 1,310 so. Half a commit's time as the bound was too short to
// win anything at 256 callers. A committer that yields in a loop instead of
// sleeping won nothing, and neither did spinning before the mutex of Append.
//
// Under a whole engine, with a microsecond of work for each record, a crowd of a
// thousand is served in commits of some 130 while the processor that syncs
// stands still. While many come quickly, more are waited for than were woken,
// half as many more each time, until they do not come in time: at 1,024 callers
// that was worth a fifth to a third, at 64 and 256 nothing either way. Asking for
// more without looking how quickly they came cost 256 callers a seventh.
type crowd struct {
	woken  int // by the last commit
	skip   int // commits for which not to wait
	missed int // what skip was set to last
	ask    int // how many to wait for, beyond the woken, while they come in time
	still  int // commits for which not to ask for more
}

const maxSkip = 63

// stillCommits is for how many commits a number of records that did not come in
// time is not asked for again.
const stillCommits = 32

// crowded is from how many woken callers on more are waited for than were woken.
const crowded = 96

// writtenGather is how long to wait for the woken when a commit is but a write,
// which is over sooner than they can come: tiny frames, each padded to 4,096
// bytes, make the next sync slow. It is so short that it is tried every time.
const writtenGather = 50 * time.Microsecond

// gather waits a moment for company, before take.
func (q *Queue) gather(timer *time.Timer) {
	if q.o.Delay > 0 {
		q.delay(timer)
		return
	}
	c := &q.crowd
	woken := c.woken
	c.woken = 0
	if woken < 2 {
		return
	}
	if c.skip > 0 {
		c.skip--
		return
	}
	most := time.Duration(q.meter.last.Load())
	if q.o.Written {
		most = max(most, writtenGather)
	}
	ask, begun := max(woken, c.ask), time.Now()
	came := q.pauseFor(ask, timer, most)
	switch took := time.Since(begun); {
	case came < ask:
		c.ask, c.still = 0, stillCommits
	case c.still > 0:
		c.still--
	case took < most/2 && woken >= crowded:
		c.ask = came + came/2
	}
	if came >= woken/2 || q.o.Written {
		c.missed = 0
	} else {
		c.missed = min(2*c.missed+1, maxSkip)
		c.skip = c.missed
	}
}

// pauseFor sleeps until that many more records have come, at most d, and
// returns how many have. It does not sleep when a whole frame is there.
func (q *Queue) pauseFor(records int, timer *time.Timer, d time.Duration) (came int) {
	select {
	case <-q.kick: // meant for an earlier pause; what it was for is seen below
	default:
	}
	q.mu.Lock(lock.Queue)
	had := q.last
	whole := len(q.sealed) > 0 || q.closing
	if !whole {
		q.wakeAt = had + uint64(records)
	}
	q.mu.Unlock()
	if whole {
		return records
	}
	q.pause(timer, d)
	q.mu.Lock(lock.Queue)
	defer q.mu.Unlock()
	q.wakeAt = math.MaxUint64
	return int(q.last - had)
}

// delay sleeps for the rest of the time that a commit waits after its first
// record.
func (q *Queue) delay(timer *time.Timer) {
	for begun := time.Now(); ; {
		rest := q.o.Delay - time.Since(begun)
		q.mu.Lock(lock.Queue)
		wait := q.open.count > 0 && len(q.sealed) == 0 && !q.closing && q.stopped == nil
		q.mu.Unlock()
		if !wait || rest <= 0 {
			return
		}
		q.pause(timer, rest)
	}
}
