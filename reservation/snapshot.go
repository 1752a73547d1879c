package reservation

import (
	"context"
	"fmt"
	"io"

	"github.com/clickcollect/clickcollect/reservation/internal/recovery"
	"github.com/clickcollect/clickcollect/reservation/lock"
)

// Snapshot writes down the state, while changes go on, and then lets go of the
// part of the journal that neither it nor the snapshot before it needs, nor
// RetainBytes keeps for readers of the feed. Without a directory it does nothing, and
// a log that was given is never trimmed.
//
// What it writes is no single instant, see recovery.WriteSnapshot. The snapshot counts
// only when the journal is durable up to the record at which it ends.
func (l *Ledger) Snapshot(ctx context.Context, now int64) error {
	if l.storage == nil || !l.storage.HasSnapshots() {
		return nil
	}
	begin := func() uint64 {
		l.state.Reach(now)
		from := l.queue.Last()
		l.grace()
		return from
	}
	write := func(w io.Writer) (uint64, error) {
		if err := recovery.WriteSnapshot(ctx, w, &l.state); err != nil {
			return 0, err
		}
		to := l.queue.Last()
		return to, l.queue.WaitFor(ctx, to)
	}
	const keep = 2 // snapshots: the newest may turn out to be damaged
	perRecord := func() int64 {
		n := l.queue.Numbers()
		return int64(n.Bytes / max(1, n.Records))
	}
	if err := l.storage.WriteSnapshot(begin, write, keep, perRecord); err != nil {
		return fmt.Errorf("reservation: %w", err)
	}
	return nil
}

// grace returns when every change that had its sequence number when it was called
// has shown its effects: such a change holds one of these locks from before its
// record to after them. The ledger's time is then not before that of any of them.
func (l *Ledger) grace() {
	for i := range l.state.Floors {
		l.state.Reach(l.state.Floors[i].Latest())
	}
	for i := range l.changes {
		pass(&l.changes[i], lock.Step)
	}
	pass(&l.state.SKUs.Adding, lock.Names)
	pass(&l.state.Slots.Adding, lock.Names)
}

// pass waits for whoever holds a lock now.
func pass(m *lock.Mutex, r lock.Rank) {
	m.Lock(r)
	defer m.Unlock()
}
