package allocator

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/clickcollect/clickcollect/reservation"
	"github.com/clickcollect/clickcollect/reservation/lock"
)

// Allocator is the engine: the stock of every SKU at every location, where the
// locations are, and the reservations made. All its methods are safe to call
// from any number of goroutines at once. Allocate, Nearby, Cancel, Lookup and
// Available never wait for a change of locations or for one another beyond a
// few instructions; the movements of one location take turns. With a directory
// each waits for the disk besides, many in one write.
type Allocator struct {
	options Options
	ledger  *reservation.Ledger
	clock   *clock

	// recorded tells that the ledger has a journal to wait for.
	recorded bool
	holdFor  int64 // Options.HoldFor in milliseconds
	recovery reservation.Recovery

	setting  lock.Mutex // one change of locations at a time
	topology atomic.Pointer[topology]

	ruling   lock.Mutex // one change of the rules at a time, and of what follows from them
	rules    atomic.Pointer[ruleset]
	shadow   atomic.Pointer[shadow]
	channels atomic.Pointer[channels] // nil: nothing was ever set for a channel
	dividing lock.Mutex               // one change of protection levels at a time
	// special tells that there is something that the hot path does not know:
	// capacities, bundles, lots, locations that cool down.
	special  atomic.Bool
	moves    moves
	wares    wares
	untraced bool // for benchmarks: decisions remember nothing to explain
	greedy   bool // for tests: splits are not the cheapest

	gate    atomic.Uint32
	closing sync.Once
	failed  error         // what Close answered; set in closing
	idle    chan struct{} // to Close: look again
	pauses
	scratch sync.Pool
	tallies

	// life ends when Close begins; background is the goroutines it waits for.
	capacity capacity

	life       context.Context
	end        context.CancelFunc
	background sync.WaitGroup
	expiry     expiry
	panics     panics
	logbook    *logbook // nil: nothing is logged
}

// Open returns an engine in memory, or the one that Options.Dir holds, with
// everything that was acknowledged and with all holds ended whose deadline has
// passed meanwhile. It reads a snapshot and the journal behind it, some millions
// of records a second. ctx is looked at before; it ends nothing later on.
//
// A directory on a full disk opens: it can be read, what frees passes, and the rest
// is ErrNoSpace until there is space.
//
// Errors: every fault of the options at once, as *InvalidError each; ErrLocked,
// ErrCorrupt, ErrNewer, ErrForeign, ErrFull; ErrNoSpace and ErrUnavailable, not even
// the few kilobytes, or the file handles, that opening takes are to be had; what the
// system says of the directory, such as fs.ErrPermission. Nothing was changed but for an unfinished
// end of the journal, which was acknowledged to nobody.
func Open(ctx context.Context, o Options) (*Allocator, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("allocator: open: %w", err)
	}
	if err := o.validate(); err != nil {
		return nil, fmt.Errorf("allocator: open: %w", err)
	}
	begun := time.Now()
	a := &Allocator{options: o, holdFor: o.HoldFor.Milliseconds(), idle: make(chan struct{}, 1)}
	a.openLogbook()
	a.rules.Store(newRuleset(o.Rules))
	a.pauses.quiet = make(chan struct{}, 1)
	a.life, a.end = context.WithCancel(context.Background())
	a.scratch.New = func() any { return &scratch{stripe: &a.stripes[a.nextOne.Add(1)%stripes]} }
	if o.Dir == "" {
		a.ledger = reservation.New(a.options.ledger())
	} else {
		var err error
		if a.ledger, err = reservation.Open(a.options.ledger()); err != nil {
			a.logbook.close()
			return nil, fmt.Errorf("allocator: open: %w", err)
		}
	}
	if err := a.start(); err != nil {
		a.end()
		defer a.logbook.close()
		return nil, fmt.Errorf("allocator: open: %w", errors.Join(err, a.ledger.Close()))
	}
	if o.Dir != "" {
		a.recovery = a.ledger.Recovered()
		a.recovery.Took = time.Since(begun)
		a.options.Logger.Info("journal opened", "records", a.recovery.Records, "snapshot", a.recovery.Snapshot, "took", a.recovery.Took)
	}
	a.keep()
	return a, nil
}

// start makes a ledger that was just opened ready for calls.
func (a *Allocator) start() error {
	a.recorded = a.ledger.Recorded()
	a.clock = newClock(a.ledger.Time(), &a.options, &a.panics)
	if err := a.rebuild(); err != nil {
		return err
	}
	t, err := a.ledger.Opened(a.clock.now())
	if err != nil {
		return fmt.Errorf("recording that it was opened: %w", err)
	}
	if !a.options.ManualExpiry {
		if _, err := a.expire(a.life, a.clock.now()); err != nil {
			return fmt.Errorf("ending holds: %w", err)
		}
	}
	return a.ledger.Wait(context.Background(), t)
}

// openLogbook puts the logbook in front of the host's handler.
func (a *Allocator) openLogbook() {
	to := a.options.Logger.Handler()
	if to != slog.DiscardHandler {
		a.logbook = newLogbook(&a.panics)
		a.options.Logger = slog.New(entrance{a.logbook, to})
	}
	a.panics.logger = a.options.Logger
}

// Close refuses new calls with ErrClosed, waits for those in flight, stops the
// engine's goroutines, and lets go of the directory, with everything on the disk
// also if Durability is Written. An engine in memory is gone with its content.
// Whoever calls it again, or meanwhile, waits for the first and gets its answer.
// The error says what could not be written or closed; the engine is closed all
// the same.
//
// Since it waits for the calls in flight, a function that the engine calls during
// one, such as a rule, Options.Clock or Options.Holidays, must not wait for it: it
// would wait for itself. Such a function calls it in a goroutine of its own.
func (a *Allocator) Close() error {
	a.closing.Do(func() {
		a.gate.Or(gateClosed)
		a.end()
		for a.busy() {
			<-a.idle
		}
		a.background.Wait()
		if err := a.ledger.Close(); err != nil {
			a.failed = fmt.Errorf("allocator: close: %w", err)
		}
		a.logbook.close()
	})
	return a.failed
}

// busy reports whether any call is in flight. One that stops to count as a change
// has counted as in flight before, and does until it ends, hence the order.
func (a *Allocator) busy() bool {
	for i := range a.stripes {
		if a.stripes[i].changing.Load() > 0 || a.stripes[i].inFlight.Load() > 0 {
			return true
		}
	}
	return false
}
