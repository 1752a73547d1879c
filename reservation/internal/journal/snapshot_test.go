package journal_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"flag"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"testing/iotest"

	"github.com/clickcollect/clickcollect/reservation/internal/commit"
	"github.com/clickcollect/clickcollect/reservation/internal/journal"
	"github.com/clickcollect/clickcollect/reservation/internal/journal/faultdisk"
	"github.com/clickcollect/clickcollect/reservation/log"
)

var updateGolden = flag.Bool("update-golden", false, "write the golden snapshot anew")

func engine(n byte) (id [16]byte) {
	id[0], id[15] = n, n
	return id
}

// content is drawn bytes.
func content(seed uint64, size int) []byte {
	draw := rand.New(rand.NewPCG(seed, 4))
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(draw.Uint32())
	}
	return b
}

// writeSnapshot writes a content in pieces of drawn sizes.
func writeSnapshot(d journal.Disk, from, to uint64, b []byte) (journal.SnapshotInfo, error) {
	draw := rand.New(rand.NewPCG(from, to))
	return journal.WriteSnapshot(d, engine(1), from, func(w io.Writer) (uint64, error) {
		for rest := b; len(rest) > 0; {
			n := 1 + draw.IntN(len(rest))
			if _, err := w.Write(rest[:n]); err != nil {
				return 0, err
			}
			rest = rest[n:]
		}
		return to, nil
	})
}

func readSnapshot(d journal.Disk, s journal.SnapshotInfo) ([]byte, error) {
	r, err := journal.OpenSnapshot(d, engine(1), s)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(r)
	return b, errors.Join(err, r.Close())
}

const room = 64<<10 - 8 // content of a block

func TestSnapshot(t *testing.T) {
	d := faultdisk.New(1)
	sizes := []int{0, 1, 4087, 4088, 4089, room - 1, room, room + 1, room + 4088, 2 * room, 3*room - 5, 1 << 20}
	for i, size := range sizes {
		b := content(uint64(i), size)
		s, err := writeSnapshot(d, uint64(i), uint64(10*i), b)
		if err != nil {
			t.Fatal(err)
		}
		r, err := journal.OpenSnapshot(d, engine(1), s)
		if err != nil {
			t.Fatal(err)
		}
		if err := iotest.TestReader(r, b); size < 100_000 && err != nil {
			t.Errorf("content of %d bytes: %v", size, err)
		}
		if got, err := readSnapshot(d, s); err != nil || !bytes.Equal(got, b) {
			t.Errorf("content of %d bytes: read %d bytes, error %v", size, len(got), err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
	found, err := journal.Snapshots(d)
	if err != nil || len(found) != len(sizes) {
		t.Fatalf("%d snapshots, want %d, error %v", len(found), len(sizes), err)
	}
	for i, s := range found {
		n := uint64(len(sizes) - 1 - i)
		if b, err := d.Bytes(s.Name); err != nil || s.From != n || s.To != 10*n || s.Bytes != int64(len(b)) {
			t.Errorf("snapshot %d is %+v, error %v", i, s, err)
		}
		if err := journal.RemoveSnapshot(d, s); err != nil {
			t.Error(err)
		}
	}
	if left := d.Names(); len(left) != 0 {
		t.Errorf("left are %q", left)
	}
}

// TestSnapshotGolden compares with bytes of version 1 that were written once.
func TestSnapshotGolden(t *testing.T) {
	d := faultdisk.New(1)
	b := content(1, 5000)
	s, err := writeSnapshot(d, 7, 9, b)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join("testdata", "v1.snapshot")
	written, err := d.Bytes(s.Name)
	if err == nil && *updateGolden {
		err = os.WriteFile(name, written, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	golden, err := os.ReadFile(name)
	if err != nil || !bytes.Equal(golden, written) {
		t.Fatalf("a snapshot of version 1 is written otherwise than it was, error %v", err)
	}
	d.Put(s.Name, golden)
	if got, err := readSnapshot(d, s); err != nil || !bytes.Equal(got, b) {
		t.Errorf("the golden snapshot: read %d bytes, error %v", len(got), err)
	}
}

// TestSnapshotRefused is what a snapshot may be besides damaged.
func TestSnapshotRefused(t *testing.T) {
	d := faultdisk.New(1)
	s, err := writeSnapshot(d, 1, 5, content(1, 100))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := journal.OpenSnapshot(d, engine(2), s); !errors.Is(err, journal.ErrForeign) {
		t.Errorf("another engine's: got %v, want ErrForeign", err)
	}
	if _, err := journal.OpenSnapshot(d, engine(1), journal.SnapshotInfo{Name: "no such"}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("one that is not there: got %v", err)
	}
	b, err := d.Bytes(s.Name)
	if err != nil {
		t.Fatal(err)
	}
	b[4] = 2 // the version
	binary.LittleEndian.PutUint32(b, crc32.Checksum(b[4:4096], crc32.MakeTable(crc32.Castagnoli)))
	d.Put(s.Name, b)
	if _, err := readSnapshot(d, s); !errors.Is(err, log.ErrNewer) {
		t.Errorf("version 2: got %v, want ErrNewer", err)
	}
}

// TestSnapshotFails writes what cannot be written.
func TestSnapshotFails(t *testing.T) {
	d := faultdisk.New(1)
	old, err := writeSnapshot(d, 1, 5, content(1, 100))
	if err != nil {
		t.Fatal(err)
	}
	why := errors.New("no state")
	write := func(to uint64, err error) error {
		_, got := journal.WriteSnapshot(d, engine(1), 9, func(io.Writer) (uint64, error) { return to, err })
		return got
	}
	if err := write(0, why); !errors.Is(err, why) {
		t.Errorf("got %v, want the writer's error", err)
	}
	if err := write(8, nil); err == nil {
		t.Error("a content older than the snapshot's beginning was taken")
	}
	d.SetSpace(d.Used() + 100_000)
	if _, err := writeSnapshot(d, 9, 9, content(2, 200_000)); !errors.Is(err, log.ErrNoSpace) || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("disk full: got %v, want ErrNoSpace", err)
	}
	if names := d.Names(); !slices.Equal(names, []string{old.Name}) {
		t.Errorf("left are %q", names)
	}
	d.SetSpace(1 << 30)
	if _, err := writeSnapshot(d, 9, 9, content(2, 200_000)); err != nil {
		t.Errorf("with space again: %v", err)
	}
}

// A forgetfulDisk changes a byte of what is written on its way to the disk.
type forgetfulDisk struct {
	*faultdisk.Disk
	at int64
}

func (d forgetfulDisk) Create(name string, size int64) (journal.File, error) {
	f, err := d.Disk.Create(name, size)
	return forgetfulFile{f, d.at}, err
}

type forgetfulFile struct {
	journal.File
	at int64
}

func (f forgetfulFile) WriteAt(b []byte, offset int64) (int, error) {
	if f.at >= offset && f.at < offset+int64(len(b)) {
		b = slices.Clone(b)
		b[f.at-offset] ^= 4
	}
	return f.File.WriteAt(b, offset)
}

// TestSnapshotIsVerified writes to a disk that keeps something else, which must
// be noticed before the file has its name.
func TestSnapshotIsVerified(t *testing.T) {
	draw := rand.New(rand.NewPCG(1, 5))
	for range 50 {
		d := forgetfulDisk{faultdisk.New(1), draw.Int64N(150_000)}
		old, err := writeSnapshot(d.Disk, 1, 5, content(1, 100))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := writeSnapshot(d, 9, 9, content(2, 140_000)); !errors.Is(err, log.ErrCorrupt) {
			t.Fatalf("a snapshot with byte %d wrong on the disk is believed: got %v, want ErrCorrupt", d.at, err)
		}
		if names := d.Names(); !slices.Equal(names, []string{old.Name}) {
			t.Fatalf("left are %q", names)
		}
	}
}

// TestSnapshotDamage damages a snapshot in many ways. It may be refused, at
// once or while it is read, and never say what was not written.
func TestSnapshotDamage(t *testing.T) {
	d := faultdisk.New(1)
	b := content(1, 2*room+3000)
	s, err := writeSnapshot(d, 3, 9, b)
	other, err2 := writeSnapshot(d, 2, 8, content(2, 2*room+3000))
	if err = errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	whole, err := d.Bytes(s.Name)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := d.Bytes(other.Name)
	if err != nil {
		t.Fatal(err)
	}
	size := int64(len(whole))
	draw := rand.New(rand.NewPCG(1, 6))
	for n := range 1500 {
		d.Put(s.Name, whole)
		at := draw.Int64N(size)
		span := min(size-at, 1+draw.Int64N(9000))
		switch n % 8 {
		case 0, 1:
			err = d.Flip(s.Name, 8*at+draw.Int64N(8))
		case 2:
			err = d.Zero(s.Name, at, span)
		case 3:
			err = d.Garbage(s.Name, at, span)
		case 4:
			err = d.Cut(s.Name, at)
		case 5: // a block of another snapshot, in its place
			damaged := slices.Clone(whole)
			block := 4096 + (64<<10)*draw.Int64N(3)
			copy(damaged[block:min(block+64<<10, size-4096)], theirs[block:])
			d.Put(s.Name, damaged)
		case 6: // two blocks of this one change places
			damaged := slices.Clone(whole)
			copy(damaged[4096:], whole[4096+64<<10:4096+128<<10])
			copy(damaged[4096+64<<10:], whole[4096:4096+64<<10])
			d.Put(s.Name, damaged)
		case 7: // all of another one
			d.Put(s.Name, theirs)
		}
		if err != nil {
			t.Fatal(err)
		}
		damaged, _ := d.Bytes(s.Name)
		got, err := readSnapshot(d, s)
		switch {
		case bytes.Equal(damaged, whole):
		case err == nil:
			t.Fatalf("damage %d at byte %d was not noticed", n, at)
		case !errors.Is(err, log.ErrCorrupt):
			t.Fatalf("damage %d at byte %d: got %v, want ErrCorrupt", n, at, err)
		case !bytes.HasPrefix(b, got):
			t.Fatalf("damage %d at byte %d: what was read before the error is not what was written", n, at)
		}
	}
}

// TestSnapshotFaults fails every I/O of a snapshot once, and cuts the power at
// every one: what is listed afterwards is whole.
func TestSnapshotFaults(t *testing.T) {
	written := 0
	for seed := range uint64(400) {
		d := faultdisk.New(seed)
		d.Strict = seed%2 == 0
		contents := map[uint64][]byte{5: content(5, 1000), 9: content(9, room+5000)}
		if _, err := writeSnapshot(d, 1, 5, contents[5]); err != nil {
			t.Fatal(err)
		}
		plan, at := faultdisk.Plan{}, 1+seed/5%16
		switch seed % 5 {
		case 0:
			plan.Crash = at
		case 1, 2:
			plan.Fail[faultdisk.AnyIO] = at
		case 3:
			plan.Short = at
		case 4:
			plan.Fail[faultdisk.Sync] = at
		}
		d.SetPlan(plan)
		_, err := writeSnapshot(d, 6, 9, contents[9])
		if err == nil {
			written++
		}
		if seed%7 == 0 {
			d = d.Kill()
		} else {
			d = d.Crash()
		}
		found, listed := journal.Snapshots(d)
		if listed != nil || len(found) == 0 || found[len(found)-1].To != 5 || err == nil && len(found) != 2 {
			t.Fatalf("seed %d, written with %v: listed are %+v, error %v", seed, err, found, listed)
		}
		for _, s := range found {
			if got, err := readSnapshot(d, s); err != nil || !bytes.Equal(got, contents[s.To]) {
				t.Fatalf("seed %d: the snapshot of record %d: read %d bytes, error %v", seed, s.To, len(got), err)
			}
		}
	}
	if written < 20 || written > 380 {
		t.Errorf("%d of 400 snapshots were written in spite of the fault", written)
	}
}

// TestTrimPoint keeps the log that two snapshots need.
func TestTrimPoint(t *testing.T) {
	info := func(from, to uint64) journal.SnapshotInfo { return journal.SnapshotInfo{From: from, To: to} }
	for _, c := range []struct {
		have []journal.SnapshotInfo
		want uint64
	}{
		{nil, 1},
		{[]journal.SnapshotInfo{info(100, 120)}, 1},
		{[]journal.SnapshotInfo{info(200, 230), info(100, 120)}, 101},
		{[]journal.SnapshotInfo{info(300, 330), info(200, 230), info(100, 120)}, 201},
	} {
		if got := journal.TrimPoint(c.have); got != c.want {
			t.Errorf("with snapshots %+v the log may be dropped below %d, want %d: a snapshot that is damaged has no other", c.have, got, c.want)
		}
	}
}

// FuzzSnapshot writes over a piece of a snapshot and cuts its end, and may put
// the checksums right: reading never panics, never gives more than the file
// has, and, the checksums left alone, gives nothing that was not written.
func FuzzSnapshot(f *testing.F) {
	f.Add(uint16(100), uint32(4096), []byte("\x00\x00\x00\x00\xff\xff\xff\xff"), uint32(0), false)
	f.Add(uint16(5000), uint32(12288+64), []byte("\xff\xff\xff\xff\xff\xff\xff\x7f"), uint32(0), true)
	f.Add(uint16(0), uint32(4), []byte("\x02"), uint32(4096), true)
	f.Add(uint16(4089), uint32(8), []byte("clickcollect snap end"), uint32(4096), true)
	f.Fuzz(func(t *testing.T, size uint16, at uint32, piece []byte, cut uint32, sealed bool) {
		d := faultdisk.New(1)
		b := content(1, int(size%9000))
		s, err := writeSnapshot(d, 1, 5, b)
		if err != nil {
			t.Fatal(err)
		}
		whole, err := d.Bytes(s.Name)
		if err != nil {
			t.Fatal(err)
		}
		damaged := slices.Clone(whole)
		if uint64(at) < uint64(len(damaged)) {
			copy(damaged[at:], piece)
		}
		damaged = damaged[:len(damaged)-int(uint64(cut)%uint64(len(damaged)))]
		if sealed {
			sealSnapshot(damaged)
		}
		d.Put(s.Name, damaged)
		got, err := readSnapshot(d, s)
		switch {
		case len(got) > len(damaged):
			t.Errorf("%d bytes were read from a file of %d", len(got), len(damaged))
		case !sealed && !bytes.HasPrefix(b, got):
			t.Error("what was read is not what was written")
		case !sealed && err == nil && !bytes.Equal(damaged, whole):
			t.Error("the damage was not noticed")
		}
	})
}

// sealSnapshot puts the checksums of a snapshot of one block right.
func sealSnapshot(b []byte) {
	if len(b) < 3*4096 {
		return
	}
	le, table := binary.LittleEndian, crc32.MakeTable(crc32.Castagnoli)
	tail := b[len(b)-4096:]
	le.PutUint32(b, crc32.Checksum(b[4:4096], table))
	block := b[4096 : len(b)-4096]
	le.PutUint32(block, crc32.Update(le.Uint32(b), table, block[4:]))
	le.PutUint64(tail[48+4*8:], uint64(le.Uint32(block)))
	le.PutUint32(tail, crc32.Checksum(tail[4:], table))
}

// FuzzRecords reads what may be anything: it never panics, and what is taken
// for whole is what the records are written as.
func FuzzRecords(f *testing.F) {
	f.Add([]byte{3, 'o', 'n', 'e', 0, 1, 'x'})
	f.Add([]byte{0x80, 0x01})
	f.Fuzz(func(t *testing.T, payload []byte) {
		left := payload
		for r, err := range commit.Records(payload) {
			if err != nil {
				if !errors.Is(err, log.ErrCorrupt) {
					t.Fatal("error ", err)
				}
				return
			}
			_, n := binary.Uvarint(left)
			if !bytes.Equal(r, left[n:n+len(r)]) {
				t.Fatal("a record is not part of its payload")
			}
			left = left[n+len(r):]
		}
		if len(left) != 0 {
			t.Fatalf("%d bytes were passed over", len(left))
		}
	})
}
