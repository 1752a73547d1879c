package journal_test

import (
	"errors"
	"flag"
	"testing"

	"github.com/clickcollect/clickcollect/reservation/internal/journal"
	"github.com/clickcollect/clickcollect/reservation/internal/journal/faultdisk"
	"github.com/clickcollect/clickcollect/reservation/log"
)

const blockBytes = 4096

// put appends frames of one record and one byte each, that the test can tell
// apart.
func put(t *testing.T, l log.Log, contents string) {
	t.Helper()
	for i := range len(contents) {
		must(t, l.Append(l.Last()+1, 1, []byte(contents[i:i+1])))
	}
}

// contents is what put has put.
func contents(t *testing.T, l log.Log) (s string) {
	t.Helper()
	for f, err := range l.Read(l.First()) {
		must(t, err)
		s += string(f.Payload)
	}
	return s
}

// splice returns a disk like a, with one block of a file as b has it.
func splice(t *testing.T, a, b *faultdisk.Disk, name string, at int64) *faultdisk.Disk {
	t.Helper()
	content, err := a.Bytes(name)
	must(t, err)
	other, err := b.Bytes(name)
	must(t, err)
	copy(content[at:at+blockBytes], other[at:])
	d := a.Kill()
	d.Put(name, content)
	return d
}

// TestFramesOfTwoHistories puts a frame in its place that follows another one:
// what a restored part of a backup, or a write that the disk has lost and said
// nothing of, looks like.
func TestFramesOfTwoHistories(t *testing.T) {
	base := faultdisk.New(1)
	put(t, mustOpen(t, base, smallSegments), "abc")
	one, other := base.Kill(), base.Kill()
	put(t, mustOpen(t, one, smallSegments), "de")
	put(t, mustOpen(t, other, smallSegments), "DE")
	mixed := splice(t, one, other, "00000000000000000001.segment", 5*blockBytes)
	l, err := journal.OpenFile(mixed, smallSegments)
	if err == nil {
		t.Fatalf("two histories were taken for one: %q", contents(t, l))
	}
	if !errors.Is(err, log.ErrCorrupt) {
		t.Fatal(err)
	}
	t.Log(err)
}

// TestFramesOfAnotherLife begins a segment in a file that has frames of its own
// past, which fit in every other way.
func TestFramesOfAnotherLife(t *testing.T) {
	base := faultdisk.New(1)
	put(t, mustOpen(t, base, smallSegments), "abcdefghijklmn") // a segment is full
	one, other := base.Kill(), base.Kill()
	put(t, mustOpen(t, one, smallSegments), "o")
	put(t, mustOpen(t, other, smallSegments), "o")
	mixed := splice(t, one, other, "00000000000000000015.segment", 0)
	l, err := journal.OpenFile(mixed, smallSegments)
	must(t, err)
	if l.Last() != 14 {
		t.Fatalf("a frame of another life was taken: %q", contents(t, l))
	}
	put(t, l, "pq")
	if got := contents(t, l); got != "abcdefghijklmnpq" {
		t.Fatalf("the log holds %q", got)
	}
}

// TestLaterFramesAreLookedFor damages a frame before the watermark has passed
// it: only the frames behind it prove that it was there.
func TestLaterFramesAreLookedFor(t *testing.T) {
	for _, damaged := range []int64{1, 2, 4} {
		d := faultdisk.New(1)
		put(t, mustOpen(t, d, smallSegments), "abcde")
		d = d.Kill()
		must(t, d.Flip("00000000000000000001.segment", (damaged*blockBytes+50)*8))
		l, err := journal.OpenFile(d, smallSegments)
		if err == nil {
			t.Fatalf("the log was cut silently to %q", contents(t, l))
		}
		var c *log.CorruptError
		if !errors.As(err, &c) || c.From != uint64(damaged) || c.To != uint64(damaged) || c.Offset != damaged*blockBytes {
			t.Fatalf("%v; want record %d", err, damaged)
		}
	}
}

// TestTornTailIsScrubbed loses the first of two frames that no sync covered,
// writes the same frame again, and looks whether the second one comes back.
func TestTornTailIsScrubbed(t *testing.T) {
	o := smallSegments
	o.NoSync = true
	d := faultdisk.New(1)
	l := mustOpen(t, d, o)
	put(t, l, "abc")
	must(t, l.Sync())
	put(t, l, "de")
	d = d.Kill()
	must(t, d.Zero("00000000000000000001.segment", 4*blockBytes, blockBytes)) // d did not reach the disk, e did
	l = mustOpen(t, d, o)
	if got := contents(t, l); got != "abc" {
		t.Fatalf("recovered %q", got)
	}
	put(t, l, "d")
	must(t, l.Sync())
	l = mustOpen(t, d.Kill(), o)
	if got := contents(t, l); got != "abcd" {
		t.Fatalf("a frame that was given up came back: %q", got)
	}
}

var eioAppends = flag.Int("eio-appends", 40, "appends of each of the two lives in TestEveryIOFails; its time grows with the square")

// TestEveryIOFails runs one scenario once for every I/O it has, which fails,
// and then restarts the process without cutting the power: what was
// acknowledged is there, now and after a power cut.
func TestEveryIOFails(t *testing.T) {
	for _, noSync := range []bool{false, true} {
		for n := uint64(1); ; n++ {
			d := faultdisk.New(n)
			d.Strict = n%2 == 0
			d.SetPlan(faultdisk.Plan{Fail: [5]uint64{faultdisk.AnyIO: n}})
			w := &world{disk: d, options: smallSegments}
			w.options.NoSync = noSync
			w.scenario()
			io := d.Count(faultdisk.AnyIO)
			for _, crash := range []bool{false, true, true} {
				if crash {
					w.disk = w.disk.Crash()
				} else {
					w.disk = w.disk.Kill()
				}
				l, err := journal.OpenFile(w.disk, w.options)
				if err != nil {
					t.Fatalf("I/O %d of %d failed; then: %v", n, io, err)
				}
				if l.Last() < w.durable {
					t.Fatalf("I/O %d of %d failed: acknowledged to %d, recovered to %d", n, io, w.durable, l.Last())
				}
				w.durable, w.log = l.Last(), l
				if got := contents(t, l); uint64(len(got)) != l.Last()-l.First()+1 {
					t.Fatalf("I/O %d of %d failed: %d records of %d to %d", n, io, len(got), l.First(), l.Last())
				}
			}
			if io < n { // there was no n-th
				t.Logf("%d I/Os", io)
				break
			}
		}
	}
}

// scenario opens, fills and trims a log, closes and opens it again, until
// something fails.
func (w *world) scenario() {
	for range 2 {
		l, err := journal.OpenFile(w.disk, w.options)
		if err != nil {
			return
		}
		for i := range *eioAppends {
			if l.Append(l.Last()+1, 1, []byte{byte(i)}) != nil {
				return
			}
			if !w.options.NoSync {
				w.durable = l.Last()
			}
			if i%10 == 9 {
				if l.Sync() != nil {
					return
				}
				w.durable = l.Last()
				if l.Tend() != nil || l.Trim(l.Last()/2) != nil {
					return
				}
			}
		}
		if l.Close() != nil {
			return
		}
	}
}
