package journal

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"go.uber.org/goleak"

	"github.com/clickcollect/clickcollect/bench/scaletest"
	"github.com/clickcollect/clickcollect/reservation/log"
)

// openLog opens a log with small segments.
func openLog(t testing.TB, d Disk, o FileOptions) *FileLog {
	t.Helper()
	if o.SegmentBytes == 0 {
		o.SegmentBytes = minSegmentBytes
	}
	l, err := OpenFile(d, o)
	if err != nil {
		t.Fatal(err)
	}
	// A test that stops early leaves no goroutine to the leak checks of the next.
	t.Cleanup(func() { l.Close() })
	return l
}

// openDir is OpenDir, closed at the end of the test.
func openDir(t testing.TB, path string) *directory {
	t.Helper()
	d, err := OpenDir(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.(*directory).Close() })
	return d.(*directory)
}

// content is what the tests put into the frame that begins with a sequence
// number: bytes that nothing else has, of varying length.
func content(first uint64) []byte {
	b := binary.LittleEndian.AppendUint64(nil, first)
	return append(b, bytes.Repeat([]byte{byte(first), 0x5a}, int(first*797%3000))...)
}

// appendFrames appends n frames of one to three records.
func appendFrames(t testing.TB, l log.Log, n int) {
	t.Helper()
	for range n {
		first := l.Last() + 1
		if err := l.Append(first, int(first%3)+1, content(first)); err != nil {
			t.Fatal(err)
		}
	}
}

// checkLog reads everything from a sequence number on, which begins a frame,
// and fails the test at the first thing that is wrong with it.
func checkLog(t testing.TB, l log.Log, from uint64) {
	t.Helper()
	next := from
	for f, err := range l.Read(from) {
		if err != nil {
			t.Fatal(err)
		}
		if f.First != next || f.Count != int(f.First%3)+1 || !bytes.Equal(f.Payload, content(f.First)) {
			t.Fatalf("frame %d with %d records is wrong; want frame %d", f.First, f.Count, next)
		}
		next = f.First + uint64(f.Count)
	}
	if next != l.Last()+1 {
		t.Fatalf("read to %d, the log ends at %d", next-1, l.Last())
	}
}

func closeLog(t testing.TB, l log.Log) {
	t.Helper()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestReopen(t *testing.T) {
	defer goleak.VerifyNone(t)
	d := openDir(t, filepath.Join(t.TempDir(), "not", "there", "yet"))
	var identity [16]byte
	for life := range 6 {
		l := openLog(t, d, FileOptions{NoSync: life%3 == 1, Manual: life%2 == 1, SegmentBytes: int64(1+life%2) * minSegmentBytes, Schema: uint32(life)})
		if life == 0 {
			identity = l.Identity()
		}
		if l.Identity() != identity || identity == [16]byte{} {
			t.Errorf("the identity changed to %x", l.Identity())
		}
		checkLog(t, l, 1)
		appendFrames(t, l, 60)
		checkLog(t, l, 1)
		closeLog(t, l)
	}
	if _, err := OpenFile(d, FileOptions{Schema: 4}); !errors.Is(err, log.ErrNewer) {
		t.Errorf("a log of schema 5 was opened by schema 4: %v", err)
	}
}

// TestGiantFrames appends frames that do not fit a segment, to a log that is
// empty, and between others.
func TestGiantFrames(t *testing.T) {
	d := openDir(t, t.TempDir())
	sizes := []int{5 << 20, 10, minSegmentBytes - 2*blockSize - frameHeader, minSegmentBytes - 2*blockSize - frameHeader + 1, 10, minSegmentBytes, 1 << 20, 1}
	for range 2 {
		l := openLog(t, d, FileOptions{})
		for i, n := range sizes {
			if err := l.Append(l.Last()+1, 1, bytes.Repeat([]byte{byte(i)}, n)); err != nil {
				t.Fatal(err)
			}
		}
		var read int
		for f, err := range l.Read(1) {
			if err != nil {
				t.Fatal(err)
			}
			i := read % len(sizes)
			if len(f.Payload) != sizes[i] || bytes.Count(f.Payload, []byte{byte(i)}) != sizes[i] {
				t.Fatalf("frame %d has %d bytes; want %d", read, len(f.Payload), sizes[i])
			}
			read++
		}
		if uint64(read) != l.Last() {
			t.Errorf("read %d frames of %d", read, l.Last())
		}
		closeLog(t, l)
	}
}

// TestArguments refuses what no log can hold, and every wrong option at once.
func TestArguments(t *testing.T) {
	file := openLog(t, openDir(t, t.TempDir()), FileOptions{Manual: true})
	defer file.Close()
	for _, l := range []log.Log{file, log.OpenMemory(1 << 20)} {
		for _, c := range []struct {
			count   int
			payload []byte
		}{{0, []byte("x")}, {-1, []byte("x")}, {1, nil}, {1, make([]byte, maxPayloadBytes+1)}} {
			if err := l.Append(1, c.count, c.payload); err == nil || l.Last() != 0 {
				t.Errorf("%T: %d records in %d bytes: %v", l, c.count, len(c.payload), err)
			}
		}
		var s *log.SequenceError
		if err := l.Append(2, 1, []byte("x")); !errors.As(err, &s) || !errors.Is(err, log.ErrSequence) || s.Last != 0 || s.Expected != 2 {
			t.Errorf("%T: append at 2: %v", l, err)
		}
	}
	_, err := OpenFile(openDir(t, t.TempDir()), FileOptions{SegmentBytes: 5000, Watermark: 1})
	if err == nil || !strings.Contains(err.Error(), "SegmentBytes") || !strings.Contains(err.Error(), "Watermark") {
		t.Errorf("bad options: %v", err)
	}
}

var lockedDir = flag.String("locked-dir", "", "for TestOpenTwice, which runs itself in another process")

// TestOpenTwice opens a directory that is open, in this process and from
// another one.
func TestOpenTwice(t *testing.T) {
	if *lockedDir != "" {
		if _, err := OpenFile(openDir(t, *lockedDir), FileOptions{}); !errors.Is(err, ErrLocked) {
			t.Errorf("got %v; want ErrLocked", err)
		}
		return
	}
	defer goleak.VerifyNone(t)
	path := t.TempDir()
	l := openLog(t, openDir(t, path), FileOptions{})
	appendFrames(t, l, 3)
	for _, d := range []Disk{l.disk, openDir(t, path)} {
		if _, err := OpenFile(d, FileOptions{}); !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), path) {
			t.Errorf("got %v; want ErrLocked with the path", err)
		}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), self, "-test.run", "^TestOpenTwice$", "-locked-dir", path).CombinedOutput(); err != nil {
		t.Errorf("another process: %v\n%s", err, out)
	}
	checkLog(t, l, 1)
	closeLog(t, l)
	closeLog(t, openLog(t, openDir(t, path), FileOptions{}))
}

// TestUsurped lets another process take the directory although it is locked.
func TestUsurped(t *testing.T) {
	d := openDir(t, t.TempDir())
	l := openLog(t, d, FileOptions{Manual: true})
	appendFrames(t, l, 3)
	other := l.super
	draw(other.owner[:])
	if err := (&FileLog{disk: d, super: other, options: l.options}).takeOver(nil); err != nil {
		t.Fatal(err)
	}
	if err := l.Tend(); !errors.Is(err, ErrLocked) || !errors.Is(err, log.ErrJournal) {
		t.Errorf("Tend: %v; want ErrJournal with ErrLocked", err)
	}
	if err := l.Append(l.Last()+1, 1, []byte("x")); !errors.Is(err, log.ErrJournal) {
		t.Errorf("Append: %v; want ErrJournal", err)
	}
	if err := l.Close(); !errors.Is(err, log.ErrJournal) {
		t.Errorf("Close: %v; want ErrJournal", err)
	}
}

// TestDirectoryGone removes the directory under a log, which has to notice
// before it answers for much longer.
func TestDirectoryGone(t *testing.T) {
	defer goleak.VerifyNone(t)
	path := filepath.Join(t.TempDir(), "journal")
	l := openLog(t, openDir(t, path), FileOptions{})
	appendFrames(t, l, 10)
	scaletest.Remove(t, path)
	var err error
	for err == nil && l.Last() < 100_000 {
		err = l.Append(l.Last()+1, 1, []byte("x"))
	}
	if !errors.Is(err, log.ErrJournal) {
		t.Errorf("after %d records: %v; want ErrJournal", l.Last(), err)
	}
	if err := l.Tail(t.Context(), l.Last()); !errors.Is(err, log.ErrJournal) {
		t.Errorf("Tail: %v; want ErrJournal", err)
	}
	if err := l.Close(); !errors.Is(err, log.ErrJournal) {
		t.Errorf("Close: %v; want ErrJournal", err)
	}
}

// A readOnly Disk is a directory nobody may write to.
type readOnly struct{ Disk }

func (readOnly) Create(name string, _ int64) (File, error) {
	return nil, &os.PathError{Op: "open", Path: name, Err: syscall.EROFS}
}

func (readOnly) Rename(from, to string) error {
	return &os.LinkError{Op: "rename", Old: from, New: to, Err: syscall.EROFS}
}

func (readOnly) Remove(name string) error {
	return &os.PathError{Op: "remove", Path: name, Err: syscall.EROFS}
}

func TestReadOnly(t *testing.T) {
	defer goleak.VerifyNone(t)
	d := openDir(t, t.TempDir())
	if _, err := OpenFile(readOnly{d}, FileOptions{}); !errors.Is(err, syscall.EROFS) {
		t.Errorf("a new log: %v; want EROFS", err)
	}
	l := openLog(t, d, FileOptions{})
	appendFrames(t, l, 3)
	closeLog(t, l)
	if _, err := OpenFile(readOnly{d}, FileOptions{}); !errors.Is(err, syscall.EROFS) {
		t.Errorf("an old log: %v; want EROFS", err)
	}
	l = openLog(t, d, FileOptions{})
	checkLog(t, l, 1)
	closeLog(t, l)
}

// TestClose closes logs that are in use, twice, and uses them afterwards.
func TestClose(t *testing.T) {
	defer goleak.VerifyNone(t)
	for _, l := range []log.Log{
		openLog(t, openDir(t, t.TempDir()), FileOptions{}),
		openLog(t, openDir(t, t.TempDir()), FileOptions{NoSync: true}),
		openLog(t, openDir(t, t.TempDir()), FileOptions{Manual: true}),
		log.OpenMemory(1 << 20),
	} {
		var traffic sync.WaitGroup
		begun := make(chan struct{})
		traffic.Go(func() {
			for n := 0; ; n++ {
				if err := l.Append(l.Last()+1, 1, content(1)); err != nil {
					if !errors.Is(err, log.ErrClosed) {
						t.Errorf("%T: append during Close: %v", l, err)
					}
					return
				}
				if n == 10 {
					close(begun)
				}
			}
		})
		<-begun
		traffic.Go(func() {
			for {
				for _, err := range l.Read(l.First()) {
					if errors.Is(err, log.ErrTrimmed) {
						break
					}
					if err != nil {
						if !errors.Is(err, log.ErrClosed) {
							t.Errorf("%T: read during Close: %v", l, err)
						}
						return
					}
				}
			}
		})
		traffic.Go(func() {
			if err := l.Tail(t.Context(), 1<<40); !errors.Is(err, log.ErrClosed) {
				t.Errorf("%T: tail during Close: %v", l, err)
			}
		})
		closeLog(t, l)
		traffic.Wait()
		for name, err := range map[string]error{
			"Close": l.Close(), "Append": l.Append(1, 1, []byte("x")), "Sync": l.Sync(), "Trim": l.Trim(1), "Tail": l.Tail(t.Context(), 1<<40),
		} {
			if !errors.Is(err, log.ErrClosed) {
				t.Errorf("%T: %s after Close: %v", l, name, err)
			}
		}
	}
}

// TestTail waits for a record, and for the end of a context.
func TestTail(t *testing.T) {
	for _, l := range []log.Log{openLog(t, openDir(t, t.TempDir()), FileOptions{}), log.OpenMemory(1 << 20)} {
		var waiting sync.WaitGroup
		for range 3 {
			waiting.Go(func() {
				for after := uint64(0); after < 20; after = l.Last() {
					if err := l.Tail(t.Context(), after); err != nil || l.Last() <= after {
						t.Errorf("%T: tail after %d: %v, last %d", l, after, err, l.Last())
						return
					}
				}
			})
		}
		appendFrames(t, l, 20)
		waiting.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := l.Tail(ctx, l.Last()); !errors.Is(err, context.Canceled) {
			t.Errorf("%T: tail with a canceled context: %v", l, err)
		}
		closeLog(t, l)
	}
}
