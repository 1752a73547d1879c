package journal_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/clickcollect/clickcollect/reservation/internal/journal"
	"github.com/clickcollect/clickcollect/reservation/internal/journal/faultdisk"
	"github.com/clickcollect/clickcollect/reservation/log"
)

// isRefusal reports whether an error says that nothing was written and that the
// same may be tried again.
func isRefusal(err error) bool {
	return (errors.Is(err, log.ErrUnavailable) || errors.Is(err, log.ErrNoSpace)) && !errors.Is(err, log.ErrJournal)
}

// untilDone tries again while it is refused.
func untilDone(t *testing.T, doing string, do func() error) {
	t.Helper()
	for {
		err := do()
		if err == nil {
			return
		}
		if !isRefusal(err) {
			t.Fatalf("%s: %v; want a refusal", doing, err)
		}
	}
}

// TestRefusedCalls runs one life of a log with all it has: changes of segments,
// watermarks, trims, snapshots, a giant frame and openings, again and again; each
// time the system has nothing to give from another call on names on, for one call
// or for several. Nothing stops the log, each step goes through in the end, and
// all of it is there after a power cut.
func TestRefusedCalls(t *testing.T) {
	for _, why := range []error{syscall.EMFILE, syscall.ENFILE, syscall.EACCES, syscall.ENOSPC} {
		for _, length := range []uint64{1, 7, 40} {
			for n := uint64(1); ; n++ {
				d := faultdisk.New(n)
				d.SetPlan(faultdisk.Plan{Refuse: faultdisk.Refusal{From: n, Until: n + length, Why: why}})
				refusedLife(t, d)
				if t.Failed() {
					t.Fatalf("with %v from call %d on, %d times", why, n, length)
				}
				if d.Calls() < n {
					break
				}
			}
		}
	}
}

// refusedLife is one life of TestRefusedCalls.
func refusedLife(t *testing.T, d *faultdisk.Disk) {
	t.Helper()
	var l *journal.FileLog
	open := func() (err error) {
		l, err = journal.OpenFile(d, smallSegments)
		return err
	}
	untilDone(t, "open", open)
	for i := range 40 {
		b := []byte{byte('a' + i%26)}
		if i == 25 {
			b = make([]byte, 100_000)
		}
		untilDone(t, "append", func() error { return l.Append(l.Last()+1, 1, b) })
		switch i {
		case 10, 30:
			untilDone(t, "tend", l.Tend)
		case 20:
			untilDone(t, "snapshot", func() error {
				_, err := writeSnapshot(d, 10, 20, content(1, 9000))
				return err
			})
			untilDone(t, "list snapshots", func() error {
				s, err := journal.Snapshots(d)
				if err == nil && len(s) != 1 {
					t.Errorf("%d snapshots", len(s))
				}
				return err
			})
		case 33:
			if err := l.Trim(15); errors.Is(err, log.ErrJournal) {
				t.Fatal("trim: ", err) // what could not be renamed or removed is left
			}
		case 36:
			if err := l.Close(); err != nil && !isRefusal(err) {
				t.Fatal("close: ", err)
			}
			untilDone(t, "open again", open)
		}
	}
	if l.Last() != 40 || l.First() != 15 {
		t.Fatalf("the log holds %d to %d; want 15 to 40", l.First(), l.Last())
	}
	d = d.Crash()
	untilDone(t, "open after the power cut", open)
	if got := contents(t, l); uint64(len(got)) < 26 || l.Last() != 40 {
		t.Fatalf("the log holds %d to %d; want 15 to 40", l.First(), l.Last())
	}
}

// TestOpenOnFullDisk opens logs on disks without a free byte: with the draft that
// the last life left, with a prepared file to make one of, with the drafts of a
// life that ended, and with nothing at all, which is ErrNoSpace until there is
// room. What is there can be read, and records are taken as far as they fit.
func TestOpenOnFullDisk(t *testing.T) {
	for _, c := range []struct {
		what   string
		lose   []string // prefixes of names that are not there
		refuse bool
	}{
		{"as it was left", nil, false},
		{"by an earlier version", []string{"superblock.new"}, false},
		{"with nothing to spare", []string{"superblock.new", "prepared"}, true},
	} {
		d := faultdisk.New(1)
		l := mustOpen(t, d, smallSegments)
		put(t, l, "abcdefghijklmnopqr") // a segment and a part
		must(t, l.Tend())
		must(t, l.Close())
		d = d.Kill()
		for _, name := range d.Names() {
			if slices.ContainsFunc(c.lose, func(prefix string) bool { return strings.HasPrefix(name, prefix) }) {
				must(t, d.Remove(name))
			}
		}
		d.SetSpace(d.Used())
		before := d.Names()
		l, err := journal.OpenFile(d, smallSegments)
		if c.refuse {
			if !errors.Is(err, log.ErrNoSpace) || !errors.Is(err, syscall.ENOSPC) {
				t.Fatalf("%s: %v; want ErrNoSpace", c.what, err)
			}
			if after := d.Names(); !slices.Equal(after, before) {
				t.Errorf("%s: the files were %q and are %q", c.what, before, after)
			}
			d.SetSpace(1 << 30)
			l = mustOpen(t, d, smallSegments)
		} else if err != nil {
			t.Fatalf("%s: %v", c.what, err)
		}
		if got := contents(t, l); got != "abcdefghijklmnopqr" {
			t.Errorf("%s: the log holds %q", c.what, got)
		}
		put(t, l, "st")
		must(t, l.Close())
		d.SetSpace(1 << 30)
		l = mustOpen(t, d.Crash(), smallSegments)
		put(t, l, "uvw")
		if got := contents(t, l); got != "abcdefghijklmnopqrstuvw" {
			t.Errorf("%s: the log holds %q at last", c.what, got)
		}
	}
}

// TestHistoryGivesWay fills a disk with records that are kept for readers alone:
// the oldest segments go before anything is refused, and nothing that is needed
// does.
func TestHistoryGivesWay(t *testing.T) {
	d := faultdisk.New(1)
	d.SetSpace(1 << 20)
	l := mustOpen(t, d, smallSegments)
	for range 100 {
		put(t, l, "x")
	}
	if l.First() != 1 {
		t.Fatal("history went without need")
	}
	l.Spare(80)
	for l.First() < 50 {
		if err := l.Append(l.Last()+1, 1, []byte("y")); err != nil {
			t.Fatalf("record %d is refused while there is history from %d on: %v", l.Last()+1, l.First(), err)
		}
	}
	for {
		err := l.Append(l.Last()+1, 1, make([]byte, 150_000)) // gets a segment of its own
		if errors.Is(err, log.ErrNoSpace) {
			break
		}
		must(t, err)
	}
	if first := l.First(); first > 80 || first < 80-14 {
		t.Errorf("the log begins at %d; want the segment that holds 80", first)
	}
	if l.FreeSpace() {
		t.Error("more is given up than may be")
	}
	must(t, l.Trim(100))
	put(t, l, "z")
}

// TestForeignInTheWay puts directories in the way of every name that a log makes
// files under: they are stepped over and stay.
func TestForeignInTheWay(t *testing.T) {
	d := faultdisk.New(1)
	l := mustOpen(t, d, smallSegments)
	put(t, l, "ab")
	must(t, l.Close())
	d = d.Kill()
	for _, name := range d.Names() {
		if strings.HasPrefix(name, "prepar") || name == "superblock.new" {
			must(t, d.Remove(name))
		}
	}
	for _, name := range []string{"superblock.new", "preparingcopy", "snapshot.new", "preparing-0000000000000001",
		"prepared-0000000000000002", "prepared-0000000000000003", "preparing-0000000000000005"} {
		d.Obstruct(name)
	}
	l = mustOpen(t, d, smallSegments)
	put(t, l, strings.Repeat("c", 60))
	must(t, l.Tend())
	if n, err := l.HeadRoom(); n != 2 || err != nil {
		t.Errorf("%d segments are prepared, %v", n, err)
	}
	if _, err := writeSnapshot(d, 1, 2, content(1, 5000)); err != nil {
		t.Error("snapshot: ", err)
	}
	put(t, l, "d")
	l = mustOpen(t, d.Kill(), smallSegments) // with frames that the watermark does not cover
	if got := contents(t, l); got != "ab"+strings.Repeat("c", 60)+"d" {
		t.Errorf("the log holds %q", got)
	}
}

// TestForeignInADirectory is TestForeignInTheWay with what a file system can have
// there: directories, empty or not, links and pipes.
func TestForeignInADirectory(t *testing.T) {
	path := t.TempDir()
	for i, name := range []string{"prepared-0000000000000001", "prepared-0000000000000002", "preparing-0000000000000004",
		"preparing-0000000000000005", "preparing-0000000000000006", "superblock.new"} {
		name = filepath.Join(path, name)
		switch i {
		case 3:
			must(t, os.Symlink(filepath.Join(path, "..", "elsewhere"), name))
		case 4:
			must(t, os.Symlink("watermark", name))
		default:
			must(t, os.MkdirAll(filepath.Join(name, "inside"), 0o755))
		}
	}
	d, err := journal.OpenDir(path)
	must(t, err)
	for range 2 {
		l := mustOpen(t, d, smallSegments)
		put(t, l, strings.Repeat("c", 60))
		must(t, l.Tend())
		if n, err := l.HeadRoom(); n != 2 || err != nil {
			t.Errorf("%d segments are prepared, %v", n, err)
		}
		must(t, l.Close())
	}
}

// TestUnsyncedNamesStopTheLog lets a sync of the names fail that a snapshot asked
// for. The system tells of it once: the log's own next sync would say that all is
// well.
func TestUnsyncedNamesStopTheLog(t *testing.T) {
	d := faultdisk.New(1)
	l := mustOpen(t, d, smallSegments)
	put(t, l, "ab")
	s, err := l.WriteSnapshot(1, func(io.Writer) (uint64, error) { return 2, nil })
	must(t, err)
	d.SetPlan(faultdisk.Plan{Fail: [5]uint64{faultdisk.Sync: 1}})
	if err := l.RemoveSnapshot(s); !errors.Is(err, log.ErrJournal) || !errors.Is(err, syscall.EIO) {
		t.Errorf("removing a snapshot: %v; want ErrJournal", err)
	}
	if err := l.Append(3, 1, []byte("c")); !errors.Is(err, log.ErrJournal) {
		t.Errorf("append: %v; want ErrJournal", err)
	}
	l = mustOpen(t, d.Kill(), smallSegments)
	put(t, l, "c")
}
