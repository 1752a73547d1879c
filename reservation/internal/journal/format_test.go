package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"flag"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clickcollect/clickcollect/reservation/log"
)

var update = flag.Bool("update-golden-log", false, "write testdata/v1 anew; the format of version 1 is frozen, so do not")

// golden is a log of version 1 with everything in it that a log can have: two
// segments, the first of which is sealed, frames of one and of two blocks, a
// watermark written three times.
func golden() map[string][]byte {
	identity := [16]byte([]byte("identity of a log"))
	super := superblock{identity: identity, owner: [16]byte([]byte("its latest owner")), schema: 7}
	files := map[string][]byte{superblockName: super.block().data[:]}
	marks := [2]mark{{turn: 3, durable: 6, first: 1}, {turn: 2, durable: 3, first: 1}}
	for _, m := range marks {
		files[watermarkName] = append(files[watermarkName], m.block(identity).data[:]...)
	}
	segment := func(s *segment, payloads ...string) *segment {
		b := make([]byte, s.size)
		copy(b, s.head(identity).data[:])
		for _, p := range payloads {
			h := header{kind: kindData, count: 3, previous: s.last, segment: s.id, first: s.next, durable: s.next - 1}
			h.encode(b[s.end:s.end+frameSize(len(p))], []byte(p))
			s.end, s.next, s.last = s.end+frameSize(len(p)), h.next(), h.checksum
		}
		files[s.name] = b
		return s
	}
	one := newSegment(1, 5*blockSize, 0)
	one.id = 0x0123456789abcdef
	segment(one, "a frame", strings.Repeat("a frame of two blocks ", 200))
	one.writeSeal(memoryFile{files[one.name]})
	two := newSegment(one.next, 4*blockSize, one.last)
	two.id = 0xfedcba9876543210
	segment(two, "a frame in the next segment")
	return files
}

// A memoryFile is a File of fixed length.
type memoryFile struct{ b []byte }

func (f memoryFile) ReadAt(p []byte, at int64) (int, error) {
	if at >= int64(len(f.b)) {
		return 0, io.EOF
	}
	n := copy(p, f.b[at:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}
func (f memoryFile) WriteAt(p []byte, at int64) (int, error) { return copy(f.b[at:], p), nil }
func (f memoryFile) Size() (int64, error)                    { return int64(len(f.b)), nil }
func (f memoryFile) Truncate(int64) error                    { return errors.ErrUnsupported }
func (f memoryFile) Sync() error                             { return nil }
func (f memoryFile) Close() error                            { return nil }

// TestFormat holds version 1 to its bytes: what is written today is what was
// committed, and what was committed can be read.
func TestFormat(t *testing.T) {
	dir := filepath.Join("testdata", "v1")
	for name, b := range golden() {
		if *update {
			if err := errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, name), b, 0o644)); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		for i := range max(len(want), len(b)) {
			if len(b) != len(want) || b[i] != want[i] {
				t.Fatalf("%s: %d bytes, different from the %d of version 1 at %d", name, len(b), len(want), i)
			}
		}
	}
	l := openLog(t, copyGolden(t), FileOptions{Manual: true, Schema: 7})
	defer l.Close()
	var got []string
	for f, err := range l.Read(1) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(f.Payload))
	}
	if len(got) != 3 || got[2] != "a frame in the next segment" || l.Last() != 9 || string(l.super.identity[:]) != "identity of a lo" {
		t.Errorf("read %q to %d", got, l.Last())
	}
}

// copyGolden is a directory with the log of version 1.
func copyGolden(t testing.TB) *directory {
	t.Helper()
	path := t.TempDir()
	if err := os.CopyFS(path, os.DirFS(filepath.Join("testdata", "v1"))); err != nil {
		t.Fatal(err)
	}
	return openDir(t, path)
}

// change edits a file and puts the checksum of its block, or frame, right.
func change(t *testing.T, d *directory, name string, at, length int64, edit func(b []byte)) {
	t.Helper()
	f, err := d.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b := make([]byte, length)
	if _, err := f.ReadAt(b, at); err != nil {
		t.Fatal(err)
	}
	edit(b)
	binary.LittleEndian.PutUint32(b, crc32.Checksum(b[4:], checksums))
	if _, err := f.WriteAt(b, at); err != nil {
		t.Fatal(err)
	}
}

// TestNewerAndForeign opens what a later version and another product wrote:
// both are refused by name, and nothing is changed.
func TestNewerAndForeign(t *testing.T) {
	newer := func(b []byte) { b[4] = 2 }
	last := segmentName(7)
	for _, c := range []struct {
		name    string
		prepare func(t *testing.T, d *directory)
		want    error
		says    string
	}{
		{"newer superblock", func(t *testing.T, d *directory) { change(t, d, superblockName, 0, blockSize, newer) }, log.ErrNewer, "version 2"},
		{"newer watermark", func(t *testing.T, d *directory) { change(t, d, watermarkName, 0, blockSize, newer) }, log.ErrNewer, "version 2"},
		{"newer segment", func(t *testing.T, d *directory) { change(t, d, last, 0, blockSize, newer) }, log.ErrNewer, "version 2"},
		{"newer frame", func(t *testing.T, d *directory) {
			change(t, d, last, blockSize, blockSize, func(b []byte) { b[8] = 2 })
		}, log.ErrNewer, "version 2"},
		{"newer schema", func(t *testing.T, d *directory) {
			change(t, d, superblockName, 0, blockSize, func(b []byte) { b[blockFields+16] = 8 })
		}, log.ErrNewer, "schema 8"},
		{"another superblock", func(t *testing.T, d *directory) {
			write(t, d, superblockName, strings.Repeat("SQLite format 3\x00", 300))
		}, ErrForeign, superblockName},
		{"a short superblock", func(t *testing.T, d *directory) { write(t, d, superblockName, "id=7\n") }, ErrForeign, superblockName},
		{"another product's directory", func(t *testing.T, d *directory) {
			for _, name := range []string{superblockName, watermarkName, segmentName(1), segmentName(7)} {
				if err := d.Remove(name); err != nil {
					t.Fatal(err)
				}
			}
			write(t, d, "PG_VERSION", "18\n")
		}, ErrForeign, "PG_VERSION"},
		{"another log's segment", func(t *testing.T, d *directory) {
			change(t, d, last, 0, blockSize, func(b []byte) { b[32]++ })
		}, log.ErrCorrupt, "another journal"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := copyGolden(t)
			c.prepare(t, d)
			before := snapshotDirectory(t, d.path)
			_, err := OpenFile(d, FileOptions{Manual: true, Schema: 7})
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v; want %v with %q", err, c.want, c.says)
			}
			if after := snapshotDirectory(t, d.path); before != after {
				t.Error("the refusal changed the directory")
			}
		})
	}
}

func write(t *testing.T, d *directory, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(d.path, name), []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// snapshotDirectory is every name and byte but the lock's.
func snapshotDirectory(t *testing.T, path string) string {
	t.Helper()
	var s strings.Builder
	entries, err := os.ReadDir(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() == lockName {
			continue
		}
		b, err := os.ReadFile(filepath.Join(path, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		s.WriteString(e.Name() + "\x00" + string(b) + "\x00")
	}
	return s.String()
}

// FuzzFrame walks a segment that holds two frames of any header and payload,
// with their checksums put right or not. A walk never panics, and returns
// nothing but frames that encode to the bytes they were read from.
func FuzzFrame(f *testing.F) {
	s := newSegment(1, 4*blockSize, 0)
	s.id = 1
	for _, p := range []string{"x", "a payload"} {
		b := make([]byte, blockSize)
		h := header{kind: kindData, count: 2, segment: 1, first: 1}
		h.encode(b, []byte(p))
		f.Add(b[4:frameHeader], []byte(p), true)
		f.Add(b[4:frameHeader], []byte(p), false)
	}
	f.Fuzz(func(t *testing.T, head, payload []byte, sign bool) {
		var b []byte
		for i := range 2 {
			frame := make([]byte, frameSize(len(payload)))
			copy(frame[4:frameHeader], head)
			copy(frame[frameHeader:], payload)
			if sign {
				frame[24] ^= byte(i) // one of them is of the segment
				binary.LittleEndian.PutUint32(frame, crc32.Checksum(frame[4:], checksums))
			}
			b = append(b, frame...)
		}
		file := memoryFile{append(make([]byte, blockSize), b...)}
		s.size = int64(len(file.b))
		w := s.walk(file, s.start(), s.size, nil)
		for {
			at := w.pos
			h, payload, err := w.step()
			if err != nil {
				w.later(at, func(*header) bool { return false })
				return
			}
			again := make([]byte, frameSize(len(payload)))
			h.encode(again, payload)
			said := frameHeader + len(payload) // padding may be anything that the checksum holds for
			if want := file.b[at:w.pos]; len(again) != len(want) || !bytes.Equal(again[4:said], want[4:said]) {
				t.Fatalf("the frame at %d does not encode to what it was read from", at)
			}
		}
	})
}

// FuzzSuperblock reads superblocks of any bytes: what is accepted encodes to a
// superblock that says the same.
func FuzzSuperblock(f *testing.F) {
	f.Add(golden()[superblockName], false)
	f.Add([]byte("SQLite format 3\x00"), true)
	f.Fuzz(func(t *testing.T, content []byte, sign bool) {
		b := new(block)
		copy(b.data[:], content)
		if sign {
			copy(b.data[8:], magicJournal+"\x00\x00\x00\x00")
			binary.LittleEndian.PutUint32(b.data[:], crc32.Checksum(b.data[4:], checksums))
		}
		s, err := parseSuperblock(b)
		if err != nil {
			if !errors.Is(err, log.ErrCorrupt) && !errors.Is(err, log.ErrNewer) && !errors.Is(err, ErrForeign) {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		if again, err := parseSuperblock(s.block()); err != nil || again != s {
			t.Fatalf("%+v became %+v, %v", s, again, err)
		}
	})
}
