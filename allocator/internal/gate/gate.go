package gate

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/clickcollect/clickcollect/reservation"
)

// ErrClosed is the answer to every call that begins after Close.
var ErrClosed = errors.New("allocator is closed")

// Options are what a gate is opened with.
type Options struct {
	// Clock drives engine time; nil: the monotonic clock.
	Clock func() time.Time
	// MaxClockGap is how far engine time may leave the last recorded time behind.
	MaxClockGap time.Duration
	// LiveReads ends a read without a wait for what it has read to last.
	LiveReads bool
	// Logger is the host's; it must be there.
	Logger *slog.Logger
}

// A Gate counts the calls of one engine. Open and Start come before all else, in
// this order. All other methods are safe for concurrent use. It is not copied.
type Gate struct {
	bits     atomic.Uint32 // every call reads them once when it begins
	recorded bool          // the ledger has a journal to wait for
	ledger   *reservation.Ledger
	clock    clock

	pool     sync.Pool // of *Pass
	counters counters
	idle     chan struct{} // to Close: look again
	pauses   pauses

	closing sync.Once
	failed  error // what Close answered; set in closing
	// life ends when Close begins; background is the goroutines it waits for.
	life       context.Context
	end        context.CancelFunc
	background sync.WaitGroup

	panics  panics
	logbook *logbook // nil: nothing is logged
	options Options
}

// The bits of a gate.
const (
	closed = 1 << iota // no call may begin
	paused             // no change may begin
)

// Open makes a gate ready and returns the logger that the engine logs by: it never
// blocks and never panics, whatever the host's does. Close must follow.
func (g *Gate) Open(o Options) *slog.Logger {
	g.options = o
	g.idle, g.pauses.quiet = make(chan struct{}, 1), make(chan struct{}, 1)
	g.life, g.end = context.WithCancel(context.Background())
	g.pool.New = func() any { return &Pass{gate: g, stripe: g.counters.next()} }
	if to := o.Logger.Handler(); to != slog.DiscardHandler {
		g.logbook = newLogbook(&g.panics)
		g.options.Logger = slog.New(entrance{g.logbook, to})
	}
	g.panics.logger = g.options.Logger
	return g.options.Logger
}

// Start gives the gate the ledger that was just opened. Engine time goes on from the
// last time that is recorded there, and calls may begin.
func (g *Gate) Start(l *reservation.Ledger) {
	g.ledger, g.recorded = l, l.Recorded()
	g.clock.start(l.Time(), &g.options, &g.panics)
}

// Recorded reports whether the ledger has a journal: history that can be read, and
// that calls wait for.
func (g *Gate) Recorded() bool { return g.recorded }

// Close lets no more calls begin, waits for those in flight, stops the goroutines,
// and closes the ledger, if one was given. Whoever calls it again, or meanwhile,
// waits for the first and gets its answer: what could not be written or closed.
func (g *Gate) Close() error {
	g.closing.Do(func() {
		g.bits.Or(closed)
		g.end()
		for g.counters.busy() {
			<-g.idle
		}
		g.background.Wait()
		if g.ledger != nil {
			g.failed = g.ledger.Close()
		}
		g.logbook.close()
	})
	return g.failed
}

// Closed reports whether Close has begun.
func (g *Gate) Closed() bool { return g.bits.Load()&closed != 0 }

// Life ends when Close begins.
func (g *Gate) Life() context.Context { return g.life }

// WhileOpen is a context that also ends, with ErrClosed as its cause, when the
// engine is closed. For calls that may last; stop must be called.
func (g *Gate) WhileOpen(ctx context.Context) (bound context.Context, stop func()) {
	bound, cancel := context.WithCancelCause(ctx)
	unlink := context.AfterFunc(g.life, func() { cancel(ErrClosed) })
	return bound, func() {
		unlink()
		cancel(context.Canceled)
	}
}

// Ended is the error of a call under such a context, worded as the cause of its
// end.
func Ended(bound context.Context, err error) error {
	if err != nil && bound.Err() != nil && errors.Is(err, bound.Err()) {
		return context.Cause(bound)
	}
	return err
}
