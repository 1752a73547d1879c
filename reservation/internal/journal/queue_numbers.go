package journal

import (
	"sync/atomic"
	"time"

	"github.com/clickcollect/clickcollect/reservation/lock"
)

// QueueNumbers is what a Queue has done since it was made.
type QueueNumbers struct {
	Commits      uint64
	Records      uint64
	Bytes        uint64        // of payload, in committed frames
	BacklogBytes int           // queued and not yet in the log
	LastCommit   time.Duration // of the newest commit that has ended
	Slowest      time.Duration // of all commits
	Degraded     bool          // the last commit, or the one on its way, takes more than a second
}

// slowCommit is how long a commit may take before the queue calls itself
// degraded.
const slowCommit = time.Second

// meter counts; it decides nothing.
type meter struct {
	commits, records, bytes atomic.Uint64
	last, slowest           atomic.Int64 // nanoseconds
	begun                   atomic.Int64 // Unix nanoseconds of the commit on its way, 0 for none
}

func (m *meter) begin(at time.Time) { m.begun.Store(at.UnixNano()) }

// end reports whether the commit was slow.
func (m *meter) end(took time.Duration) bool {
	m.begun.Store(0)
	m.last.Store(int64(took))
	m.slowest.Store(max(m.slowest.Load(), int64(took)))
	return took > slowCommit
}

func (m *meter) add(b *batch) {
	m.commits.Add(1)
	m.records.Add(uint64(b.count))
	m.bytes.Add(uint64(len(b.payload)))
}

// Numbers is a snapshot of the queue's figures.
func (q *Queue) Numbers() QueueNumbers {
	q.mu.Lock(lock.Queue)
	queued := q.queued
	q.mu.Unlock()
	n := QueueNumbers{
		Commits: q.meter.commits.Load(), Records: q.meter.records.Load(), Bytes: q.meter.bytes.Load(),
		BacklogBytes: queued,
		LastCommit:   time.Duration(q.meter.last.Load()), Slowest: time.Duration(q.meter.slowest.Load()),
	}
	begun := q.meter.begun.Load()
	n.Degraded = n.LastCommit > slowCommit || begun != 0 && time.Since(time.Unix(0, begun)) > slowCommit
	return n
}
