package commit

import (
	"sync/atomic"
	"time"

	"github.com/clickcollect/clickcollect/reservation/latency"
)

// QueueNumbers is what a Queue has done since it was made, and where it stands.
type Numbers struct {
	Last, Durable uint64 // as Queue.Last and Queue.Durable say
	Commits       uint64
	Records       uint64
	Bytes         uint64            // of payload, in committed frames
	BacklogBytes  int               // queued and not yet in the log
	LastCommit    time.Duration     // of the newest commit that has ended
	Slowest       time.Duration     // of all commits
	Took          latency.Histogram // all commits, refused ones too
	Degraded      bool              // the last commit, or the one on its way, takes more than a second
	Err           error             // as Queue.Err says
}

// told is what the fields of a queue are that its mutex guards, for readers that
// must not wait for it. tell brings it up to date before the mutex is given up.
type told struct {
	last    atomic.Uint64
	queued  atomic.Int64
	stopped atomic.Pointer[error]
}

// tell is called with the mutex held.
func (q *Queue) tell() {
	q.meter.told.last.Store(q.last)
	q.meter.told.queued.Store(int64(q.queued))
}

// slowCommit is how long a commit may take before the queue calls itself
// degraded.
const slowCommit = time.Second

// meter counts; it decides nothing.
type meter struct {
	commits, records, bytes atomic.Uint64
	last, slowest           atomic.Int64 // nanoseconds
	begun                   atomic.Int64 // Unix nanoseconds of the commit on its way, 0 for none
	took                    latency.Recorder
	told                    told // behind took, off the lines that the committer reads
}

func (m *meter) begin(at time.Time) { m.begun.Store(at.UnixNano()) }

// end reports whether the commit was slow.
func (m *meter) end(took time.Duration) bool {
	m.begun.Store(0)
	m.last.Store(int64(took))
	m.slowest.Store(max(m.slowest.Load(), int64(took)))
	m.took.Add(took)
	return took > slowCommit
}

func (m *meter) add(b *batch) {
	m.commits.Add(1)
	m.records.Add(uint64(b.count))
	m.bytes.Add(uint64(len(b.payload)))
}

// Numbers is a snapshot of the queue's figures. It takes no lock; each figure is
// what it was at some moment during the call, and Durable is at most Last.
func (q *Queue) Numbers() Numbers {
	n := Numbers{Durable: q.durable.Load()}
	n.Last = q.meter.told.last.Load()
	n.Commits, n.Records, n.Bytes = q.meter.commits.Load(), q.meter.records.Load(), q.meter.bytes.Load()
	n.BacklogBytes = int(q.meter.told.queued.Load())
	n.LastCommit, n.Slowest = time.Duration(q.meter.last.Load()), time.Duration(q.meter.slowest.Load())
	n.Took = q.meter.took.Read()
	if err := q.meter.told.stopped.Load(); err != nil {
		n.Err = *err
	}
	begun := q.meter.begun.Load()
	n.Degraded = n.LastCommit > slowCommit || begun != 0 && time.Since(time.Unix(0, begun)) > slowCommit
	return n
}
