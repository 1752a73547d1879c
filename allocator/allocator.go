package allocator

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/clickcollect/clickcollect/allocator/internal/calendar"
	"github.com/clickcollect/clickcollect/allocator/internal/channels"
	"github.com/clickcollect/clickcollect/allocator/internal/gate"
	"github.com/clickcollect/clickcollect/allocator/internal/goods"
	"github.com/clickcollect/clickcollect/allocator/internal/route"
	"github.com/clickcollect/clickcollect/allocator/internal/topology"
	"github.com/clickcollect/clickcollect/reservation"
	"github.com/clickcollect/clickcollect/reservation/latency"
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
	gate    gate.Gate // every call comes in by it

	holdFor  int64 // Options.HoldFor in milliseconds
	recovery reservation.Recovery

	locations topology.Locations

	ruling   lock.Mutex // one change of the rules at a time, and of what follows from them
	rules    atomic.Pointer[ruleset]
	shadow   atomic.Pointer[shadow]
	channels *channels.Channels // protection levels and quotas
	moves    moves
	goods    *goods.Goods // bundles, lots and shelf lives
	untraced bool         // for benchmarks: decisions remember nothing to explain
	greedy   bool         // for tests: splits are not the cheapest

	calendar *calendar.Calendar // pickup windows and capacities
	expiry   expiry
	timing   timing
}

// Open returns an engine in memory, or the one that Options.Dir or Options.Log holds, with
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
// system says of the directory, such as fs.ErrPermission; of Options.Log what its
// methods say, ErrFenced included, ErrTrimmed if it begins
// behind all there is in Dir, and ErrLogLost if it ends before. Nothing was changed but for an unfinished
// end of the journal, which was acknowledged to nobody.
func Open(ctx context.Context, o Options) (*Allocator, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("allocator: open: %w", err)
	}
	if err := o.validate(); err != nil {
		return nil, fmt.Errorf("allocator: open: %w", err)
	}
	begun := time.Now()
	a := &Allocator{options: o, holdFor: o.HoldFor.Milliseconds()}
	a.options.Logger = a.gate.Open(gate.Options{Clock: o.Clock, MaxClockGap: o.MaxClockGap, LiveReads: o.LiveReads, Logger: o.Logger})
	a.rules.Store(newRuleset(o.Rules))
	if !o.lasts() {
		a.ledger = reservation.New(a.options.ledger())
	} else {
		var err error
		if a.ledger, err = reservation.Open(a.options.ledger()); err != nil {
			return nil, fmt.Errorf("allocator: open: %w", errors.Join(err, a.gate.Close()))
		}
	}
	if err := a.start(); err != nil {
		return nil, fmt.Errorf("allocator: open: %w", errors.Join(err, a.gate.Close()))
	}
	if o.lasts() {
		a.recovery = a.ledger.Recovered()
		a.recovery.Took = time.Since(begun)
		a.options.Logger.Info("journal opened", "records", a.recovery.Records, "snapshot", a.recovery.Snapshot, "took", a.recovery.Took)
	}
	a.keep()
	return a, nil
}

// start makes a ledger that was just opened ready for calls.
func (a *Allocator) start() error {
	a.gate.Start(a.ledger)
	if err := a.rebuild(); err != nil {
		return err
	}
	t, err := a.ledger.Opened(a.gate.Now())
	if err != nil {
		return fmt.Errorf("recording that it was opened: %w", err)
	}
	if !a.options.ManualExpiry {
		if _, err := a.expire(a.gate.Life(), a.gate.Now()); err != nil {
			return fmt.Errorf("ending holds: %w", err)
		}
	}
	return a.ledger.Wait(context.Background(), t)
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
	if err := a.gate.Close(); err != nil {
		return fmt.Errorf("allocator: close: %w", err)
	}
	return nil
}

// timing is how long orders took.
type timing struct {
	allocateTime latency.Recorder // one order in timedOf
	_            [64]byte         // keeps what every order reads off the line of its sum
}

// timedOf is of how many orders one is timed.
const timedOf = 64

// begun is when an order began that is to be timed, and the zero time for the other
// ones of timedOf. Which those are the counters say that the call has anyway, so that
// the others cost no clock reading, and no write. An order that is counted nowhere, such
// as one that is not valid, leaves the turn to the next one.
func begun(p *gate.Pass) (t time.Time) {
	if (p.Counted(gate.Allocated)+p.Counted(gate.Refused)+p.Counted(gate.Repeated))%timedOf == 0 {
		t = time.Now()
	}
	return t
}

// scratch is the memory one call works in.
type scratch struct {
	*gate.Pass

	route      route.Route
	hold       reservation.Hold
	change     reservation.Change
	ticket     reservation.Ticket // of the answer to an order
	lines      []reservation.Line
	found      reservation.Entry
	plan       *planWork
	note       []byte
	protection *channels.Levels // protection levels of the order's channel; nil: none
}

// scratchOf is the memory of the calls of a pass.
func scratchOf(p *gate.Pass) *scratch {
	if s, ok := p.Memory.(*scratch); ok {
		return s
	}
	s := &scratch{Pass: p}
	p.Memory = s
	return s
}
