package reservation

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/clickcollect/clickcollect/bench/scaletest"
	"github.com/clickcollect/clickcollect/reservation/history"
	"github.com/clickcollect/clickcollect/reservation/internal/commit"
	"github.com/clickcollect/clickcollect/reservation/internal/journal/faultdisk"
)

// diskLedger opens a ledger of one location on a disk in memory, whose journal the
// test commits itself, with 1,000,000 units of tea in it if it is new.
func diskLedger(t *testing.T, o Options) *Ledger {
	t.Helper()
	o.SKUs, o.Locations, o.Remember, o.manual, o.book = 8, 2, 1<<10, true, smallBook
	if o.SegmentBytes == 0 {
		o.SegmentBytes = 64 << 10
	}
	l, err := Open(o)
	mustDo(t, err)
	fresh := l.Slots() == 0
	slot, _, err := l.AddSlot("l0", nil, 1)
	mustDo(t, err)
	l.Renumber([]uint32{slot}, 0, func(*Table) {})
	mustDo(t, l.Fill())
	if fresh {
		received(t, l, "r", slot, "tea", 1_000_000)
	}
	_, err = l.Opened(1)
	mustDo(t, err, written(l))
	return l
}

// written commits what is queued, and does what a journal that is not manual does by
// itself.
func written(l *Ledger) error { return errors.Join(l.queue.Step(), l.storage.Tend()) }

// fillDisk reserves a unit of tea each until the journal admits no more, and
// returns how many were reserved.
func fillDisk(t *testing.T, l *Ledger, from int) (n int) {
	t.Helper()
	for n = from; ; n++ {
		err := l.Admit(t.Context())
		if errors.Is(err, ErrNoSpace) {
			return n
		}
		mustDo(t, err)
		if how, err := reserveTea(l, n); how != Done {
			t.Fatalf("order %d: %d, %v", n, how, err)
		}
		mustDo(t, written(l))
	}
}

// reserveTea reserves a unit which takes 4,096 bytes of the disk.
func reserveTea(l *Ledger, n int) (how int, err error) {
	var c Claim
	tea, _ := l.SKU("tea")
	if !c.Bind(l, l.Table(), []Line{units(tea, 1)}) {
		return 0, ErrUnknownSKU
	}
	return c.Reserve(0, &Hold{ID: teaID(n), Slot: 0, Now: 1, Deadline: teaDue(n)}, new(Entry)), c.Err()
}

// teaDue is when it expires: each by itself.
func teaDue(n int) int64 { return 1<<40 + int64(n) }

func teaID(n int) string { return fmt.Sprintf("%d %s", n, strings.Repeat("x", 200)) }

// TestLedgerOpensOnFullDisk closes a ledger on a full disk and opens it without a
// free byte: reservations can be read and canceled, new ones are refused, and all
// goes on when there is space.
func TestLedgerOpensOnFullDisk(t *testing.T) {
	disk := faultdisk.New(1)
	disk.SetSpace(600 << 10)
	l := diskLedger(t, Options{disk: disk})
	n := fillDisk(t, l, 0)
	if n < 20 {
		t.Fatalf("the disk is full after %d orders", n)
	}
	mustDo(t, l.Close())
	disk = disk.Kill()
	disk.SetSpace(disk.Used())
	l = diskLedger(t, Options{disk: disk})
	if m := fillDisk(t, l, n); m > n+32 {
		t.Errorf("%d orders found space on a full disk", m-n)
	} else {
		n = m
	}
	var found Entry
	for i := range n {
		if !l.Find(teaID(i), &found) || found.State != Held {
			t.Fatalf("order %d is %v", i, found.State)
		}
	}
	for i := range 5 {
		if _, err := end(l, history.Canceled, teaID(i)); err != nil {
			t.Fatal(err)
		}
		mustDo(t, written(l))
	}
	mustDo(t, l.Settled(t.Context()))
	disk.SetSpace(1 << 30)
	mustDo(t, l.storage.Tend())
	how, err := reserveTea(l, n)
	if mustDo(t, l.Admit(t.Context()), err, written(l)); how != Done {
		t.Errorf("with space again: %d", how)
	}
	mustDo(t, l.Close())
	l = diskLedger(t, Options{disk: disk.Crash()})
	if a := l.Available(0, 0); a.Held != int64(n-5+1) {
		t.Errorf("%d are held, want %d", a.Held, n-5+1)
	}
	mustDo(t, l.Close())
}

// TestEndsFitOnFullDisk fills disks of all sizes, with segments that have grown to all
// lengths, and then ends every reservation, each in a frame of its own: none finds no
// room, also not after a restart on the full disk.
func TestEndsFitOnFullDisk(t *testing.T) {
	ends := []history.Kind{history.Canceled, history.Collected, history.Expired}
	for _, segment := range []int64{64 << 10, 256 << 10, 1 << 20, 32 << 20} {
		for space := int64(3 << 20); space <= 48<<20; space += space / int64(scaletest.Of(16, 3)) {
			for i, verb := range ends {
				if i == int(space/4096)%len(ends) || scaletest.Full() {
					endsFit(t, segment, space, verb)
				}
			}
		}
	}
}

// endsFit is one of them.
func endsFit(t *testing.T, segment, space int64, verb history.Kind) {
	t.Helper()
	where := fmt.Sprintf("%v on %d KiB in segments of %d KiB", verb, space>>10, segment>>10)
	disk := faultdisk.New(1)
	disk.SetSpace(space)
	o := Options{disk: disk, SegmentBytes: segment}
	l := diskLedger(t, o)
	n := fillDisk(t, l, 0)
	if most := int(space / 4096); n < most/16 || n > most {
		t.Errorf("%s: the disk is full after %d orders", where, n)
	}
	mustDo(t, l.Close())
	disk = disk.Crash()
	disk.SetSpace(disk.Used())
	o.disk = disk
	l = diskLedger(t, o)
	for i := range n {
		if verb == history.Expired {
			due, err := l.Expire(teaDue(i))
			if mustDo(t, err); due.Expired != 1 {
				t.Fatalf("%s: order %d: %+v", where, i, due)
			}
		} else {
			_, err := end(l, verb, teaID(i))
			mustDo(t, err)
		}
		if l.queue.Step() != nil {
			t.Fatalf("%s: of %d orders the end of number %d found no room", where, n, i+1)
		}
		mustDo(t, l.storage.Tend())
	}
	mustDo(t, l.Close())
	o.disk = disk.Crash()
	l = diskLedger(t, o)
	if a := l.Available(0, 0); a.Held != 0 {
		t.Errorf("%s: after a restart %d are held", where, a.Held)
	}
	mustDo(t, l.Close())
}

// TestLedgerOpensWithoutRoom uses up all the head-room there is, too, with what nobody
// owes: the directory still opens, and what it holds can be read.
func TestLedgerOpensWithoutRoom(t *testing.T) {
	disk := faultdisk.New(1)
	disk.SetSpace(600 << 10)
	l := diskLedger(t, Options{disk: disk})
	n := fillDisk(t, l, 0)
	for i := 0; ; i++ {
		_, err := l.SetNotes(1, Note{Key: "n", Value: fmt.Append(nil, i)})
		mustDo(t, err)
		if err := written(l); errors.Is(err, ErrNoSpace) {
			break
		} else {
			mustDo(t, err)
		}
	}
	disk = disk.Kill()
	disk.SetSpace(disk.Used())
	l = diskLedger(t, Options{disk: disk})
	mustDo(t, l.Settled(t.Context())) // nobody who reads waits for space
	if err := l.Admit(t.Context()); !errors.Is(err, ErrNoSpace) {
		t.Errorf("admit: %v; want ErrNoSpace", err)
	}
	if a := l.Available(0, 0); a.Held != int64(n) {
		t.Errorf("%d are held, want %d", a.Held, n)
	}
	disk.SetSpace(1 << 30)
	mustDo(t, l.storage.Tend(), l.Admit(t.Context()))
	_, err := end(l, history.Canceled, teaID(0))
	mustDo(t, err, written(l), l.Close())
}

// TestRetainedHistoryGivesWay keeps more history than the disk has room for, over
// several lives: history goes before anything is refused.
func TestRetainedHistoryGivesWay(t *testing.T) {
	disk := faultdisk.New(1)
	disk.SetSpace(2 << 20)
	o := Options{disk: disk, RetainBytes: 1 << 40}
	l := diskLedger(t, o)
	for n := range 2000 {
		if err := l.Admit(t.Context()); err != nil {
			t.Fatalf("order %d, with history from %d to %d: %v", n, l.storage.Log().First(), l.storage.Log().Last(), err)
		}
		how, err := reserveTea(l, n)
		if how != Done {
			t.Fatal(how, err)
		}
		_, err = end(l, history.Canceled, teaID(n))
		mustDo(t, err, written(l))
		if n%50 == 49 {
			mustDo(t, l.Snapshot(t.Context(), 1))
		}
		if n%500 == 499 {
			mustDo(t, l.Close())
			o.disk = o.disk.(*faultdisk.Disk).Kill()
			l = diskLedger(t, o)
			if l.storage.Log().First() == 1 {
				t.Fatal("no history went")
			}
		}
	}
	if n := l.storage.Counted(); n.Bytes < 1<<19 {
		t.Errorf("only %d bytes of history were kept, of 2 MiB", n.Bytes)
	}
	mustDo(t, l.Close())
}

// TestTooLargeIsRefused gives the ledger more than one record takes: nothing has
// changed, and it goes on.
func TestTooLargeIsRefused(t *testing.T) {
	memory := New(Options{SKUs: 8, Locations: 8})
	disk := diskLedger(t, Options{disk: faultdisk.New(1)})
	giant := make([]byte, 260<<20)
	for _, l := range []*Ledger{memory, disk} {
		for what, try := range map[string]func() error{
			"a note": func() error {
				_, err := l.SetNotes(1, Note{Key: "a", Value: []byte("b")}, Note{Key: "c", Value: giant})
				return err
			},
			"notes that belong together": func() error {
				_, err := l.SetNotes(1, Note{Key: "a", Value: giant[:130<<20]}, Note{Key: "b", Value: giant[:130<<20]})
				return err
			},
			"a place": func() error { _, _, err := l.AddSlot("x", giant, 1); return err },
		} {
			var invalid *InvalidError
			if err := try(); !errors.Is(err, ErrTooLarge) || !errors.As(err, &invalid) {
				t.Errorf("%s: %v; want ErrTooLarge", what, err)
			}
		}
		if _, ok := l.Slot("x"); ok || l.Note("a") != nil || l.Note("c") != nil {
			t.Error("what was refused is there")
		}
		_, err := l.SetNotes(1, Note{Key: "a", Value: []byte("b")})
		mustDo(t, err)
	}
	mustDo(t, disk.queue.Step(), disk.Settled(context.Background()), disk.Close())
}

// TestEveryRecordFits computes the longest record of every kind whose length has a
// bound: one frame takes it, and all that are written together.
func TestEveryRecordFits(t *testing.T) {
	text := strings.Repeat("x", MaxIDBytes)
	lines := make([]history.Line, 1<<20) // the most that an order or a movement has
	for i := range lines {
		lines[i] = history.Line{SKU: uint32(i) << 8, Units: -MaxQuantity, OnHand: MaxQuantity}
	}
	r := history.Record{Kind: history.Moved, Cause: history.Received, Slot: math.MaxUint32, To: math.MaxUint32, SKU: math.MaxUint32,
		Time: math.MinInt64, Deadline: math.MaxInt64, AsOf: math.MaxInt64, Promise: math.MaxInt64, Fingerprint: math.MaxUint64, Distance: 1,
		ID: text, Change: text, Name: text, Order: text, Customer: text, Owner: text, Channel: text, Code: text, Ref: text,
		Place: make([]byte, MaxNoteBytes), Parts: math.MaxUint8, Part: math.MaxUint8, Other: math.MaxUint8, Missing: true, Lines: lines}
	for i := range math.MaxUint8 {
		r.Shares = append(r.Shares, history.Share{Part: uint8(i + 1), Slot: math.MaxUint32, Lines: len(lines) / math.MaxUint8})
	}
	r.Shares[0].Lines += len(lines) % math.MaxUint8
	bytes := len(r.Append(nil))
	if bytes > maxRecordBytes {
		t.Errorf("a record of all there is takes %d bytes, at most %d are possible", bytes, maxRecordBytes)
	}
	r.Lines, r.Shares = nil, nil
	texts := len(r.Append(nil))
	if texts-9*len(text)-MaxNoteBytes > fixedBytes {
		t.Errorf("a record takes %d bytes besides its texts", texts-9*len(text)-MaxNoteBytes)
	}
	if parts := math.MaxUint8*texts + bytes - texts; parts > commit.MaxRecordBytes {
		t.Errorf("an order in 255 parts takes %d bytes", parts)
	}
}
