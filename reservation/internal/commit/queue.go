package commit

import (
	"encoding/binary"
	"fmt"
	"iter"
	"log/slog"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/clickcollect/clickcollect/reservation/lock"
	"github.com/clickcollect/clickcollect/reservation/log"
)

// QueueOptions are the settings of a Queue. The zero value commits as soon as
// the last commit is done and acknowledges what the log has made durable.
type Options struct {
	// Delay is how long a commit waits for company after its first record; 0
	// or less waits only for callers that the last commit has just woken.
	Delay time.Duration

	// Written acknowledges a record when the log has taken it, which for a log
	// opened without sync is before it is durable: a power cut may take back
	// what was acknowledged since the last sync, SyncEvery apart.
	Written bool

	// SyncEvery is the time between two syncs when Written is set; 0 means
	// 50 ms.
	SyncEvery time.Duration

	// FrameBytes is the largest payload of a frame that holds more than one
	// record; 0 means 1 MiB, and 256 MiB is the most. A larger record, and larger records of one
	// AppendAll, get a frame of their own.
	FrameBytes int

	// BacklogBytes is how much may be queued before Admit makes new writes
	// wait; 0 means 32 MiB.
	BacklogBytes int

	// Manual starts no goroutine: Step commits. It is for simulations and for
	// hosts that want no goroutine of ours.
	Manual bool

	// Logger hears of a log that stops, fills or slows down; nil is silent.
	Logger *slog.Logger
}

const (
	defaultFrameBytes   = 1 << 20
	defaultBacklogBytes = 32 << 20
	defaultSyncEvery    = 50 * time.Millisecond

	maxSpare = 4 // payload buffers kept to be used again

	// recordOverhead is the most that a record takes in a frame besides itself.
	recordOverhead = binary.MaxVarintLen32
	// mostPayload is the longest payload that is ever handed to a log.
	mostPayload = 256 << 20

	// MaxRecordBytes is the longest record there can be, in a log that takes
	// payloads of 256 MiB; see Queue.MaxRecordBytes. A snapshot takes an item that
	// long, too.
	MaxRecordBytes = mostPayload - recordOverhead
)

func (o Options) withDefaults(most int) Options {
	if o.SyncEvery <= 0 {
		o.SyncEvery = defaultSyncEvery
	}
	if o.FrameBytes <= 0 {
		o.FrameBytes = defaultFrameBytes
	}
	o.FrameBytes = min(o.FrameBytes, most)
	if o.BacklogBytes <= 0 {
		o.BacklogBytes = defaultBacklogBytes
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// A Queue gives records their sequence numbers and commits them to a Log in
// batches, one frame a batch.
//
// Invariant: durable <= last; the records (durable, last] lie, in order, in the
// batch that is being committed, then the sealed ones, then the open one; no
// ticket of a batch is answered before the batch is in the log or known lost. Lost
// is one of two: ErrJournal, it may or may not be in the log; ErrFenced, it is not,
// and neither is what was queued behind it, because another writer owns the log.
// Linearizes at: the mutex of Append and AppendAll, which orders records by their
// numbers.
// Bound: Admit holds new writes back above BacklogBytes; Append never refuses
// for what is queued, so that what a write has begun can always be recorded.
//
// All methods may be called by any number of goroutines at once, but for Step,
// which has one caller at a time.
type Queue struct {
	log     log.Log
	bounded log.Roomy // log, if it has a HeadRoom; else nil
	most    int       // bytes of a payload of the log
	o       Options

	mu       lock.Mutex
	open     *batch   // takes records; never nil
	sealed   []*batch // full ones, oldest first
	inFlight *batch   // being committed, or kept for another try
	last     uint64   // the newest sequence number given
	wakeAt   uint64   // the append that kicks the committer
	queued   int      // bytes appended and not yet in the log
	refused  error    // why the log has not taken the batch in flight
	stopped  error    // why Append refuses
	closing  bool
	slow     bool          // a commit takes its time: callers watch their ctx
	relief   chan struct{} // closed when Admit is to look again
	spare    [][]byte      // payload buffers to use again

	_       [64]byte // keeps readers of durable off the line of the mutex
	durable atomic.Uint64
	gate    atomic.Uint32 // what Admit has to look at; 0 in ordinary times

	kick   chan struct{} // to the committer: look again
	wakes  chan *batch   // to the waker: its callers may go on
	ended  sync.WaitGroup
	closed sync.Once
	failed error // what Close answered; set in closed

	alarm *time.Timer   // calls watchContexts; nil if Manual
	ready chan struct{} // closed
	crowd crowd
	meter meter
}

// A batch is the records of one frame and the callers that wait for them.
type batch struct {
	first   uint64
	count   int
	payload []byte
	err     error         // set before done is closed
	done    chan struct{} // closed when the callers may go on
	watch   chan struct{} // closed with done, or when callers are to watch their ctx too
	watched atomic.Bool   // watch is closed
}

// A Ticket stands for a record whose fate is not yet known. The zero Ticket is
// that of a write which needed no record.
type Ticket struct {
	// Sequence is the number of the record, from 1; 0 for none.
	Sequence uint64
	batch    *batch
}

// New begins to commit to a log, which the Queue owns from now on. Unless o.Manual
// is set it starts goroutines, which Close stops.
func New(l log.Log, o Options) *Queue {
	most := min(log.MaxPayload(l), mostPayload)
	q := &Queue{
		log: l, most: most, o: o.withDefaults(most), last: l.Last(), wakeAt: math.MaxUint64,
		kick: make(chan struct{}, 1), wakes: make(chan *batch, 16), ready: make(chan struct{}),
	}
	close(q.ready)
	q.durable.Store(q.last)
	q.tell()
	q.open = q.newBatch()
	if q.bounded, _ = l.(log.Roomy); q.bounded != nil {
		q.gate.Store(gateFull) // the disk may be full from the beginning: Admit looks
	}
	if !q.o.Manual {
		q.alarm = time.AfterFunc(math.MaxInt64, q.watchContexts)
		q.ended.Go(q.run)
		q.ended.Go(q.wake)
	}
	return q
}

// MaxRecordBytes is the longest record that the queue takes: as much as a frame of
// its log does.
func (q *Queue) MaxRecordBytes() int { return q.most - recordOverhead }

// Append gives the record the next sequence number and queues a copy of it. It
// never waits for the log and may be called under the caller's locks: the order
// of the numbers is the order of the calls. It fails only when the queue has
// stopped, with ErrJournal, ErrFenced or ErrClosed, or with ErrTooLarge for a record of more
// than MaxRecordBytes, and has then queued nothing.
func (q *Queue) Append(record []byte) (Ticket, error) {
	if len(record) > q.MaxRecordBytes() {
		return Ticket{}, fmt.Errorf("%w: a record of %d bytes, at most %d are possible", log.ErrTooLarge, len(record), q.MaxRecordBytes())
	}
	q.mu.Lock(lock.Queue)
	if q.stopped != nil {
		err := q.stopped
		q.mu.Unlock()
		return Ticket{}, err
	}
	b := q.open
	if b.count > 0 && len(b.payload)+len(record)+recordOverhead > q.o.FrameBytes {
		b = q.seal()
	}
	q.put(b, record)
	q.tell()
	t := Ticket{Sequence: q.last, batch: b}
	kick := q.crowdCame()
	q.mu.Unlock()
	if kick {
		q.nudge()
	}
	return t, nil
}

// AppendAll is Append for records that belong together: they get consecutive
// numbers and lie in one frame, which is larger than FrameBytes if it must be, so
// that a crash leaves all of them or none. The ticket is that of the last one; the
// first has the number Sequence − len(records) + 1. No records need no ticket.
// ErrTooLarge: together they are more than MaxRecordBytes, for each but the first
// recordOverhead more.
func (q *Queue) AppendAll(records ...[]byte) (Ticket, error) {
	size := 0
	for _, record := range records {
		size += len(record) + recordOverhead
	}
	if size > q.most {
		return Ticket{}, fmt.Errorf("%w: %d records of %d bytes that belong together, at most %d are possible",
			log.ErrTooLarge, len(records), size, q.most)
	}
	q.mu.Lock(lock.Queue)
	if q.stopped != nil || len(records) == 0 {
		err := q.stopped
		q.mu.Unlock()
		return Ticket{}, err
	}
	b := q.open
	if b.count > 0 && len(b.payload)+size > q.o.FrameBytes {
		b = q.seal()
	}
	for _, record := range records {
		q.put(b, record)
	}
	q.tell()
	t := Ticket{Sequence: q.last, batch: b}
	kick := q.crowdCame()
	q.mu.Unlock()
	if kick {
		q.nudge()
	}
	return t, nil
}

// put adds a record to the open batch. The caller holds the mutex.
func (q *Queue) put(b *batch, record []byte) {
	before := len(b.payload)
	b.payload = append(binary.AppendUvarint(b.payload, uint64(len(record))), record...)
	b.count++
	q.last++
	q.queued += len(b.payload) - before
	if q.queued > q.o.BacklogBytes {
		q.gate.Or(gateBacklog)
	}
}

// crowdCame reports whether the append that kicks the committer has come, once.
// The caller holds the mutex.
func (q *Queue) crowdCame() bool {
	kick := q.last >= q.wakeAt
	if kick {
		q.wakeAt = math.MaxUint64
	}
	return kick
}

// seal puts the open batch behind the sealed ones and opens the next. The
// caller holds the mutex.
func (q *Queue) seal() *batch {
	q.sealed = append(q.sealed, q.open)
	q.open = q.newBatch()
	q.nudge()
	return q.open
}

// newBatch begins at the next sequence number. The caller holds the mutex.
func (q *Queue) newBatch() *batch {
	b := &batch{first: q.last + 1, done: make(chan struct{}), watch: q.ready}
	if watch := q.slow || q.o.Manual || q.o.Delay > 0; watch {
		b.watched.Store(true)
	} else {
		b.watch = make(chan struct{})
	}
	if n := len(q.spare); n > 0 {
		b.payload, q.spare = q.spare[n-1], q.spare[:n-1]
	}
	return b
}

// nudge makes the committer look again. One nudge that waits is enough.
func (q *Queue) nudge() {
	select {
	case q.kick <- struct{}{}:
	default:
	}
}

// Last is the newest sequence number given, 0 before the first record.
func (q *Queue) Last() uint64 {
	q.mu.Lock(lock.Queue)
	defer q.mu.Unlock()
	return q.last
}

// Durable is the newest sequence number that is acknowledged; all before it are
// too.
func (q *Queue) Durable() uint64 { return q.durable.Load() }

// Err is nil while the queue takes records, else ErrJournal with the first
// cause, ErrFenced, or ErrClosed.
func (q *Queue) Err() error {
	q.mu.Lock(lock.Queue)
	defer q.mu.Unlock()
	return q.stopped
}

// Records walks the records of a frame's payload. The slices are parts of it.
// ErrCorrupt ends the walk when the payload is not whole records.
func Records(payload []byte) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for at := 0; at < len(payload); {
			size, n := binary.Uvarint(payload[at:])
			if n <= 0 || size > uint64(len(payload)-at-n) {
				yield(nil, fmt.Errorf("journal: record at byte %d of a payload of %d: %w", at, len(payload), log.ErrCorrupt))
				return
			}
			at += n
			end := at + int(size)
			if !yield(payload[at:end:end], nil) {
				return
			}
			at = end
		}
	}
}
