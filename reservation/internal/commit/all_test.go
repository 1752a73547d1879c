package commit_test

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/clickcollect/clickcollect/reservation/internal/commit"
	"github.com/clickcollect/clickcollect/reservation/internal/journal"
	"github.com/clickcollect/clickcollect/reservation/internal/journal/faultdisk"
	"github.com/clickcollect/clickcollect/reservation/log"
)

// group is records of one call, each of which says which of how many it is, and
// how many bytes more it has.
func group(draw *rand.Rand, records int) (all [][]byte) {
	for i := range records {
		b := binary.LittleEndian.AppendUint32(nil, uint32(i))
		b = binary.LittleEndian.AppendUint32(b, uint32(records))
		all = append(all, append(b, make([]byte, draw.IntN(draw.IntN(900)+1))...))
	}
	return all
}

// checkGroups sees that no frame of a log begins or ends within a group, and
// returns how many records there are.
func checkGroups(t testing.TB, l log.Log) (records int) {
	t.Helper()
	for f, err := range l.Read(1) {
		if err != nil {
			t.Fatal("read: ", err)
		}
		next, of := uint32(0), uint32(0)
		for r, err := range commit.Records(f.Payload) {
			if err != nil {
				t.Fatal("records: ", err)
			}
			i, n := binary.LittleEndian.Uint32(r), binary.LittleEndian.Uint32(r[4:])
			if i != next || i > 0 && n != of {
				t.Fatalf("frame %d: record %d of %d comes when record %d of %d is due", f.First, i, n, next, of)
			}
			records++
			if next, of = i+1, n; next == of {
				next, of = 0, 0
			}
		}
		if next != 0 {
			t.Fatalf("frame %d ends after record %d of %d: a group is cut", f.First, next, of)
		}
	}
	return records
}

// TestAppendAllIsOneFrame lets many callers append groups, larger and smaller than
// a frame: each group has numbers that follow each other, in one frame.
func TestAppendAllIsOneFrame(t *testing.T) {
	const callers, each = 8, 300
	l := log.OpenMemory(1 << 30)
	q := newQueue(t, l, commit.Options{FrameBytes: 1000})
	var mu sync.Mutex
	taken := map[uint64]bool{}
	var done sync.WaitGroup
	total := 0
	for caller := range callers {
		done.Go(func() {
			draw := rand.New(rand.NewPCG(7, uint64(caller)))
			for range each {
				records := group(draw, 1+draw.IntN(6))
				ticket, err := q.AppendAll(records...)
				if err != nil {
					t.Error("append: ", err)
					return
				}
				mu.Lock()
				total += len(records)
				for i := range records {
					if n := ticket.Sequence - uint64(i); taken[n] {
						t.Errorf("record %d was given twice", n)
					} else {
						taken[n] = true
					}
				}
				mu.Unlock()
				if draw.IntN(8) == 0 {
					if err := q.Wait(t.Context(), ticket); err != nil || q.Durable() < ticket.Sequence {
						t.Errorf("wait for %d: durable is %d, error %v", ticket.Sequence, q.Durable(), err)
					}
				}
			}
		})
	}
	done.Wait()
	if err := q.WaitFor(t.Context(), q.Last()); err != nil {
		t.Fatal(err)
	}
	if n := checkGroups(t, l); n != total || q.Last() != uint64(total) {
		t.Errorf("%d records in the log up to %d, want %d", n, q.Last(), total)
	}
	if ticket, err := q.AppendAll(); err != nil || ticket != (commit.Ticket{}) || q.Last() != uint64(total) {
		t.Errorf("no records: ticket %+v, error %v", ticket, err)
	}
}

// TestAppendAllSurvivesCrashes lets the disk fail or the power go at any I/O: of
// every group all records are there afterwards, or none.
func TestAppendAllSurvivesCrashes(t *testing.T) {
	const seeds = 250
	crashes, torn := 0, 0
	for seed := range uint64(seeds) {
		draw := rand.New(rand.NewPCG(seed, 5))
		d := faultdisk.New(seed)
		d.Strict = seed%2 == 0
		acknowledged, appended := uint64(0), uint64(0)
		for life := range 3 {
			d.SetPlan(faultdisk.Plan{})
			l, err := journal.OpenFile(d, journal.FileOptions{SegmentBytes: 64 << 10, Manual: true})
			if err != nil {
				t.Fatalf("seed %d, life %d: open: %v", seed, life, err)
			}
			if records := uint64(checkGroups(t, l)); records != l.Last() || records < acknowledged || records > appended {
				t.Fatalf("seed %d, life %d: %d records, the log ends at %d, acknowledged were %d, appended %d", seed, life, records, l.Last(), acknowledged, appended)
			}
			if l.Last() > acknowledged || l.Last() < appended {
				torn++
			}
			q := commit.New(l, commit.Options{Manual: true, FrameBytes: 1 + draw.IntN(3000)})
			d.SetPlan(faultdisk.Plan{Crash: 1 + draw.Uint64N(60)})
			for err == nil {
				for range draw.IntN(12) {
					if _, err := q.AppendAll(group(draw, 1+draw.IntN(6))...); err != nil {
						t.Fatal("append: ", err)
					}
				}
				err = q.Step()
			}
			if errors.Is(err, faultdisk.ErrCrashed) {
				crashes++
			}
			acknowledged, appended = q.Durable(), q.Last()
			q.Close() // as well as it can
			d = d.Crash()
		}
	}
	if crashes < seeds || torn < seeds/2 {
		t.Errorf("%d crashes, %d of which cost records, are too few", crashes, torn)
	}
}

// AppendAll refuses what Append refuses.
func TestAppendAllStops(t *testing.T) {
	q := newQueue(t, tame(), commit.Options{Manual: true})
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := q.AppendAll([]byte("a"), []byte("b")); !errors.Is(err, log.ErrClosed) || q.Last() != 0 {
		t.Errorf("a closed queue: %v, last record %d", err, q.Last())
	}
}
