package reservation

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/clickcollect/clickcollect/bench/scaletest"
	"github.com/clickcollect/clickcollect/reservation/history"
	"github.com/clickcollect/clickcollect/reservation/internal/book"
	"github.com/clickcollect/clickcollect/reservation/internal/commit"
	"github.com/clickcollect/clickcollect/reservation/internal/journal"
	"github.com/clickcollect/clickcollect/reservation/internal/journal/faultdisk"
)

// pausingSink holds up the change whose record it has just passed on.
type pausingSink struct {
	to     book.Sink
	pauses atomic.Bool
	paused chan struct{} // gets one when a change is held up
	goOn   chan struct{} // lets it go
}

func (s *pausingSink) Append(record []byte) (commit.Ticket, error) {
	t, err := s.to.Append(record)
	if s.pauses.CompareAndSwap(true, false) {
		s.paused <- struct{}{}
		<-s.goOn
	}
	return t, err
}

func (s *pausingSink) AppendAll(records ...[]byte) (commit.Ticket, error) {
	return s.to.AppendAll(records...)
}

// snapshotLedger is a ledger on a disk in memory with one location.
func snapshotLedger(t *testing.T, disk *faultdisk.Disk) (l *Ledger, o Options) {
	t.Helper()
	o = Options{SKUs: 8, Locations: 1, Remember: 1 << 10, SegmentBytes: 1 << 20, disk: disk, book: smallBook}
	l, err := Open(o)
	mustDo(t, err)
	slot, _, err := l.AddSlot("l0", nil, 1)
	mustDo(t, err)
	l.Renumber([]uint32{slot}, 0, func(*Table) {})
	mustDo(t, l.Fill())
	return l, o
}

// restored compares what is on hand with what the newest snapshot and the journal
// after it say.
func restored(t *testing.T, l *Ledger, o Options) {
	t.Helper()
	mustDo(t, l.Settled(t.Context()))
	shadow, _, err := recoverFrom(l.storage.Storage, o)
	mustDo(t, err)
	for sku := range uint32(l.SKUs()) {
		if got, want := shadow.state.OnHand(sku, 0), l.Available(sku, 0).OnHand; got != want {
			t.Fatalf("SKU %d: the snapshot and the journal after it have %d on hand, there are %d", sku, got, want)
		}
	}
}

// A change that has its number, and has not shown what it does, is in no snapshot
// that begins behind that number.
func TestSnapshotWaitsForChanges(t *testing.T) {
	const turns = 20_000 // enough for a snapshot that does not wait to come by the shelves
	disk := faultdisk.New(1)
	var begun atomic.Int64
	disk.OnIO = func(kind faultdisk.Kind, _ string) {
		if kind == faultdisk.Entry {
			begun.Add(1)
		}
	}
	l, o := snapshotLedger(t, disk)
	received(t, l, "first", 0, "tea", 1)
	mustDo(t, l.Settled(t.Context()))
	s := &pausingSink{to: l.queue, paused: make(chan struct{}), goOn: make(chan struct{})}
	l.state.Book.Sink = s
	for round := range 10 {
		s.pauses.Store(true)
		var all sync.WaitGroup
		all.Go(func() { received(t, l, fmt.Sprint("more", round), 0, "tea", 1) })
		<-s.paused
		before := begun.Load()
		all.Go(func() {
			if err := l.Snapshot(t.Context(), 1); err != nil {
				t.Error(err)
			}
		})
		for range turns {
			if runtime.Gosched(); begun.Load() > before {
				break
			}
		}
		for range turns / 10 {
			runtime.Gosched()
		}
		s.goOn <- struct{}{}
		all.Wait()
		restored(t, l, o)
	}
	mustDo(t, l.Close())
}

// TestSnapshotDuringTraffic takes snapshots while goods come and go, and restores
// each with the journal after it.
func TestSnapshotDuringTraffic(t *testing.T) {
	const callers, moves = 4, 25
	rounds := 500
	if !scaletest.Full() {
		rounds /= 10
	}
	l, o := snapshotLedger(t, faultdisk.New(1))
	for caller := range callers {
		received(t, l, fmt.Sprint("first", caller), 0, fmt.Sprint("s", caller), 1)
	}
	for round := range rounds {
		var all sync.WaitGroup
		for caller := range callers {
			all.Go(func() {
				for i := range moves {
					cause := history.Received
					if i%2 == 1 {
						cause = history.Sold
					}
					m := &Movement{ID: fmt.Sprintf("%d/%d/%d", round, caller, i), Cause: cause, Now: 1,
						Lines: []MovementLine{{SKU: fmt.Sprint("s", caller), Units: 1}}}
					if _, err := l.Move(m); err != nil {
						t.Error(err)
					}
				}
			})
		}
		mustDo(t, l.Snapshot(t.Context(), 1))
		all.Wait()
		restored(t, l, o)
	}
	mustDo(t, l.Close())
}

// The snapshot before the newest is kept, and the journal from it on: with the
// newest damaged in any block, all is there when the ledger is opened again.
func TestOlderSnapshotIsKept(t *testing.T) {
	disk := faultdisk.New(1)
	l, o := snapshotLedger(t, disk)
	for n := range 4 {
		for i := range 300 { // each in a block of its own: more than a segment, so that there is something to trim
			received(t, l, fmt.Sprintf("r%d-%d", n, i), 0, "tea", 1)
			mustDo(t, l.Settled(t.Context()))
		}
		mustDo(t, l.Snapshot(t.Context(), 1))
	}
	received(t, l, "last", 0, "tea", 1)
	mustDo(t, l.Close())
	if first := l.storage.Counted().First; first == 1 {
		t.Fatal("nothing of the journal was trimmed")
	}
	all, err := journal.Snapshots(disk)
	mustDo(t, err)
	for at := int64(0); at < all[0].Bytes; at += 4096 {
		damaged := disk.Kill()
		mustDo(t, damaged.Zero(all[0].Name, at, 4096))
		o.disk = damaged
		again, err := Open(o)
		if err != nil {
			t.Fatalf("the newest snapshot is damaged: %v", err)
		}
		again.Renumber([]uint32{0}, 0, func(*Table) {})
		mustDo(t, again.Fill())
		if got := again.Available(0, 0).OnHand; got != 1201 {
			t.Fatalf("the newest snapshot is damaged: %d units on hand, want 1201", got)
		}
		mustDo(t, again.Close())
	}
}
