package journal_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/clickcollect/clickcollect/reservation/internal/journal"
	"github.com/clickcollect/clickcollect/reservation/internal/journal/faultdisk"
)

// lengths are the lengths of those files of a log that the pattern names,
// in the order of their names.
func lengths(t *testing.T, d *faultdisk.Disk, pattern func(name string) bool) (all []int) {
	t.Helper()
	names := d.Names()
	slices.Sort(names)
	for _, name := range names {
		if pattern(name) {
			content, err := d.Bytes(name)
			must(t, err)
			all = append(all, len(content))
		}
	}
	return all
}

func isSegment(name string) bool { return len(name) == 28 && name[20:] == ".segment" }

// TestEmptyLogIsSmall opens a log with the defaults: before and after its first
// record it takes less than 4 MB.
func TestEmptyLogIsSmall(t *testing.T) {
	d := faultdisk.New(1)
	l := mustOpen(t, d, journal.FileOptions{Manual: true})
	must(t, l.Tend())
	for range 2 {
		if used := d.Used(); used > 4_000_000 {
			t.Errorf("a log with %d records takes %d bytes", l.Last(), used)
		}
		if segments, err := l.HeadRoom(); segments < 2 || err != nil {
			t.Errorf("head-room of %d segments, %v", segments, err)
		}
		put(t, l, "x")
		must(t, l.Tend())
	}
	must(t, l.Close())
}

// TestSegmentsGrow writes much more than the first segment holds. Segments grow with
// the log, up to the length that was set and not beyond; what is kept ready is a
// multiple of what the log holds; the lengths outlive a restart; and what is trimmed is
// used again only if it is long enough.
func TestSegmentsGrow(t *testing.T) {
	o := journal.FileOptions{Manual: true, FirstBytes: 64 << 10, SegmentBytes: 1 << 20}
	d := faultdisk.New(1)
	l := mustOpen(t, d, o)
	payload := make([]byte, 12_000)
	for i := range 500 {
		if i%100 == 99 {
			must(t, l.Close())
			l = mustOpen(t, d, o)
		}
		must(t, l.Append(l.Last()+1, 1, payload))
		must(t, l.Tend())
		if n := l.Numbers(); d.Used() > 8*n.Bytes || n.Bytes > 8*int64(i+32)*16<<10 {
			t.Fatalf("after %d frames of 16 KiB the log says %d bytes, and %d are used", i+1, n.Bytes, d.Used())
		}
	}
	segments := lengths(t, d, isSegment)
	if !slices.IsSorted(segments) || segments[0] != 64<<10 || segments[len(segments)-1] != 1<<20 {
		t.Errorf("the segments have %d bytes; want them to grow from 64 KiB to 1 MiB", segments)
	}
	if len(segments) > 16 {
		t.Errorf("%d segments hold 8 MB", len(segments))
	}
	must(t, l.Trim(l.Last()))
	for _, length := range lengths(t, d, func(name string) bool { return !isSegment(name) && name[:4] == "prep" }) {
		if length < 128<<10 {
			t.Errorf("a file of %d bytes is kept for a log of %d", length, l.Numbers().Bytes)
		}
	}
	must(t, l.Close())
	if l = mustOpen(t, d.Crash(), o); l.Last() != 500 {
		t.Errorf("the log ends at %d", l.Last())
	}
	must(t, l.Close())
}

// TestLongFramesGetLongSegments appends frames that are longer than the first segment:
// it does not make a segment for each of them.
func TestLongFramesGetLongSegments(t *testing.T) {
	for _, manual := range []bool{true, false} {
		d := faultdisk.New(1)
		l := mustOpen(t, d, journal.FileOptions{Manual: manual, FirstBytes: 64 << 10, SegmentBytes: 4 << 20})
		for range 64 {
			must(t, l.Append(l.Last()+1, 1, make([]byte, 100_000)))
		}
		must(t, l.Close())
		if segments := lengths(t, d, isSegment); len(segments) > 12 {
			t.Errorf("manual %t: 64 frames of 100,000 bytes lie in segments of %d", manual, segments)
		}
	}
}

// TestOwedFramesHaveRoom fills disks of all sizes as the queue does, with writes that
// each owe some frames, and then appends what is owed: as much as that is, up to a
// segment, nothing of it is refused. Where much is owed it does not take the whole disk.
func TestOwedFramesHaveRoom(t *testing.T) {
	for _, each := range []int{0, 1, 3, 10} {
		for space := int64(512 << 10); space <= 16<<20; space += space / 5 {
			t.Run(fmt.Sprintf("owed=%d/space=%dKiB", each, space>>10), func(t *testing.T) {
				owed := 0
				d := faultdisk.New(uint64(space))
				d.SetSpace(space)
				l := mustOpen(t, d, journal.FileOptions{Manual: true, FirstBytes: 64 << 10, SegmentBytes: 4 << 20,
					Owed: func() int64 { return int64(owed) }})
				must(t, l.Tend())
				for {
					if segments, err := l.HeadRoom(); segments < 2 && err != nil {
						break
					}
					put(t, l, "w")
					owed += each
					must(t, l.Tend())
				}
				if l.Last() < uint64(space>>12)/uint64(4*each+4) {
					t.Errorf("the disk is full after %d writes", l.Last())
				}
				for ; owed > 0; owed-- {
					put(t, l, "o")
				}
				must(t, l.Close())
			})
		}
	}
}

// TestOwedOutlivesRestart keeps ready what 4,000 frames take, in segments of 64 KiB: all
// of it is there after a restart on a disk that others have filled meanwhile, it is not
// more than 32 MiB whatever is owed, and what is trimmed fills it up again.
func TestOwedOutlivesRestart(t *testing.T) {
	owed := int64(4000)
	o := journal.FileOptions{Manual: true, SegmentBytes: 64 << 10, Owed: func() int64 { return owed }}
	d := faultdisk.New(1)
	l := mustOpen(t, d, o)
	must(t, l.Tend())
	put(t, l, "a")
	before := l.Numbers()
	must(t, l.Close())
	d = d.Kill()
	d.SetSpace(d.Used())
	l = mustOpen(t, d, o)
	if after := l.Numbers(); after.Prepared != before.Prepared || after.Prepared < 4000/14 {
		t.Errorf("%d files are ready after a restart, %d before", after.Prepared, before.Prepared)
	}
	for range 1000 {
		put(t, l, "b")
	}
	must(t, errors.Join(l.Trim(l.Last()), l.Tend()))
	if n := l.Numbers().Prepared; n < before.Prepared-2 {
		t.Errorf("%d files are ready after all was trimmed, %d before", n, before.Prepared)
	}
	d.SetSpace(1 << 30)
	owed = 1 << 40
	must(t, l.Tend())
	if n := l.Numbers(); n.Bytes < 32<<20 || n.Bytes > 48<<20 {
		t.Errorf("%d bytes for all that is owed", n.Bytes)
	}
	must(t, l.Close())
}

// TestHeadRoomWaitsForWhatIsOwed has more come to be owed than is ready, with nobody yet
// who could know whether there is space for it: there is no head-room, so that no write
// is admitted, until there is room for half of it.
func TestHeadRoomWaitsForWhatIsOwed(t *testing.T) {
	owed := int64(0)
	l := mustOpen(t, faultdisk.New(1), journal.FileOptions{Manual: true, SegmentBytes: 64 << 10, Owed: func() int64 { return owed }})
	must(t, l.Tend())
	for _, step := range []struct {
		owed   int64
		behind bool
	}{{0, false}, {28, false}, {1000, true}} {
		owed = step.owed
		segments, err := 0, error(nil)
		for range 32 { // it does not ask every time
			segments, err = l.HeadRoom()
		}
		if (segments == 0) != step.behind || err != nil {
			t.Errorf("%d frames are owed: head-room of %d segments, %v", owed, segments, err)
		}
	}
	must(t, l.Tend())
	if segments, err := l.HeadRoom(); segments < 1000/14 || err != nil {
		t.Errorf("head-room of %d segments, %v", segments, err)
	}
	must(t, l.Close())
}
