package allocator

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/clickcollect/clickcollect/allocator/internal/gate"
)

// snapshotLook is how often the goroutine looks how much journal there is since
// the last snapshot.
const snapshotLook = time.Second

// snapshotRetry is after how long a snapshot that the disk had no space for is
// tried again, since each try writes as much as there is.
const snapshotRetry = time.Minute

// snapshotStep is the step of the goroutine that writes a snapshot whenever enough
// journal has come together. What Open had to read counts as journal since the last
// snapshot.
func (a *Allocator) snapshotStep() func() time.Duration {
	n := a.ledger.Journal()
	unread := int64(0)
	if kept := n.Last + 1 - n.First; kept > 0 {
		unread = int64(float64(n.Bytes) * min(1, float64(a.recovery.Records)/float64(kept)))
	}
	since := int64(n.Written) - unread
	return func() time.Duration {
		written := int64(a.ledger.Journal().Written)
		if written-since < a.options.SnapshotEvery {
			return snapshotLook
		}
		last := since
		since = written // also after an error: the next attempt is for the next part
		begun := time.Now()
		switch err := a.ledger.Snapshot(a.gate.Life(), a.gate.Now()); {
		case err == nil:
			a.options.Logger.Info("snapshot written", "took", time.Since(begun))
		case errors.Is(err, ErrNoSpace), errors.Is(err, ErrUnavailable):
			a.options.Logger.Error("snapshot not written", "err", err)
			since = last // there may be no next part as long as the disk is full
			return snapshotRetry
		case a.gate.Life().Err() == nil:
			a.options.Logger.Error("snapshot not written", "err", err)
		}
		return snapshotLook
	}
}

// Snapshot writes down the whole state beside the journal, so that Open has less
// to read, and lets go of the journal that it makes needless, but for
// Options.RetainBytes of it. Changes go on meanwhile. The engine does so by
// itself (Options.SnapshotEvery). Without a directory it does nothing.
//
// Errors: that of ctx, ErrClosed, ErrNoSpace, ErrUnavailable, ErrJournal, or what
// the system says of the disk. The snapshot before it is then still there and nothing is lost.
func (a *Allocator) Snapshot(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("allocator: snapshot: %w", err)
	}
	c, err := a.gate.Enter()
	if err != nil {
		return fmt.Errorf("allocator: snapshot: %w", err)
	}
	defer c.End()
	bound, stop := a.gate.WhileOpen(ctx)
	defer stop()
	if err := a.ledger.Snapshot(bound, a.gate.Now()); err != nil {
		return fmt.Errorf("allocator: %w", gate.Ended(bound, err))
	}
	return nil
}
