package journal_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/clickcollect/clickcollect/reservation/internal/journal"
	"github.com/clickcollect/clickcollect/reservation/internal/journal/faultdisk"
	"github.com/clickcollect/clickcollect/reservation/log"
)

// TestDiskFull fills a small disk, with and without goroutines, and then makes
// room by trimming or by a larger disk: nothing is lost, nothing is written
// while there is no room, and the log goes on by itself.
func TestDiskFull(t *testing.T) {
	defer goleak.VerifyNone(t)
	for _, manual := range []bool{true, false} {
		for _, enlarge := range []bool{true, false} {
			d := faultdisk.New(1)
			d.SetSpace(400 << 10)
			o := journal.FileOptions{Manual: manual, SegmentBytes: 64 << 10}
			l := mustOpen(t, d, o)
			want := fill(t, l)
			if n, err := l.HeadRoom(); n != 0 || !errors.Is(err, log.ErrNoSpace) {
				t.Errorf("head-room of a full disk: %d, %v", n, err)
			}
			if err := l.Append(l.Last()+1, 1, []byte("x")); !errors.Is(err, log.ErrNoSpace) {
				t.Errorf("a second try: %v", err)
			}
			if got := contents(t, l); got != want {
				t.Fatalf("the full log holds %d records; want %d", len(got), len(want))
			}
			if enlarge {
				d.SetSpace(1 << 30)
			} else {
				must(t, l.Trim(l.Last()/2))
				want = want[l.First()-1:]
			}
			put(t, l, "and on")
			want += "and on"
			must(t, l.Close())
			l = mustOpen(t, d.Crash(), o)
			if got := contents(t, l); got != want {
				t.Errorf("after a restart the log holds %d records; want %d", len(got), len(want))
			}
			must(t, l.Close())
		}
	}
}

// fill appends until there is no space and returns what is there.
func fill(t *testing.T, l *journal.FileLog) (all string) {
	t.Helper()
	for i := 0; ; i++ {
		c := string(rune('a' + i%26))
		err := l.Append(l.Last()+1, 1, []byte(c))
		if errors.Is(err, log.ErrNoSpace) {
			return all
		}
		must(t, err)
		all += c
	}
}

// TestGiantFrameFindsNoSpace asks for a segment that does not fit: the log goes
// on with what does, and keeps nothing of the attempt.
func TestGiantFrameFindsNoSpace(t *testing.T) {
	d := faultdisk.New(1)
	l := mustOpen(t, d, smallSegments)
	put(t, l, "abc")
	d.SetSpace(d.Used() + 100_000)
	for range 2 {
		if err := l.Append(4, 1, make([]byte, 1<<20)); !errors.Is(err, log.ErrNoSpace) {
			t.Fatalf("got %v; want ErrNoSpace", err)
		}
	}
	put(t, l, "defghijklmnopqrstuvwxyz")
	if got := contents(t, l); got != "abcdefghijklmnopqrstuvwxyz" {
		t.Errorf("the log holds %q", got)
	}
	if i := slices.IndexFunc(d.Names(), func(name string) bool { return strings.HasPrefix(name, "preparing") }); i >= 0 {
		t.Errorf("a file was left: %s", d.Names()[i])
	}
}

// TestTrim drops segments and uses their files again.
func TestTrim(t *testing.T) {
	d := faultdisk.New(1)
	l := mustOpen(t, d, smallSegments)
	for range 10 {
		put(t, l, strings.Repeat("abcdefghijklmnopqrstuvwxyz", 10))
		must(t, l.Trim(l.Last()-30))
		first, last := l.First(), l.Last()
		if first > last-30 || first < last-60 || len(contents(t, l)) != int(last-first+1) {
			t.Fatalf("trimmed below %d, and the log begins at %d", last-30, first)
		}
		for _, err := range l.Read(first - 1) {
			var trimmed *log.TrimmedError
			if !errors.As(err, &trimmed) || trimmed.First != first {
				t.Fatalf("read %d: %v", first-1, err)
			}
		}
	}
	n := l.Numbers()
	if n.Prepared > 8 || n.Segments > 5 || d.Used() > 20<<16 {
		t.Errorf("2,600 blocks later: %+v, %d bytes", n, d.Used())
	}
	last := l.Last()
	must(t, l.Trim(last+100))
	if l.Last() != last || l.First() > last {
		t.Errorf("trimmed below all: %d to %d", l.First(), l.Last())
	}
	must(t, l.Close())
	l = mustOpen(t, d.Crash(), smallSegments)
	if l.Last() != last || len(contents(t, l)) != int(last-l.First()+1) {
		t.Errorf("after a restart: %d to %d", l.First(), l.Last())
	}
	must(t, l.Close())
}

// TestReadersMeetTrim reads while segments are written, dropped and used
// again: a reader sees every frame from where it began, or is told that they
// are gone, and never another frame in their place.
func TestReadersMeetTrim(t *testing.T) {
	defer goleak.VerifyNone(t)
	l := mustOpen(t, faultdisk.New(1), journal.FileOptions{SegmentBytes: 64 << 10})
	const frames = 4000
	var readers sync.WaitGroup
	trimmed, read := make([]int, 3), make([]int, 3)
	for i := range trimmed {
		readers.Go(func() {
			for l.Last() < frames {
				next := l.First()
				for f, err := range l.Read(next) {
					if errors.Is(err, log.ErrTrimmed) {
						trimmed[i]++
						break
					}
					if err != nil {
						t.Error(err)
						return
					}
					if f.First != next || binary.LittleEndian.Uint64(f.Payload) != next {
						t.Errorf("frame %d says %d; want %d", f.First, binary.LittleEndian.Uint64(f.Payload), next)
						return
					}
					next++
					read[i]++
				}
			}
		})
	}
	b := bytes.Repeat([]byte{7}, 3000)
	for l.Last() < frames {
		binary.LittleEndian.PutUint64(b, l.Last()+1)
		must(t, l.Append(l.Last()+1, 1, b))
		if l.Last()%20 == 0 {
			must(t, l.Trim(l.Last()-10))
		}
	}
	readers.Wait()
	t.Logf("%d frames read, %d times too late", read, trimmed)
	must(t, l.Close())
}
