package journal_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/clickcollect/clickcollect/reservation/internal/journal"
	"github.com/clickcollect/clickcollect/reservation/internal/journal/faultdisk"
	"github.com/clickcollect/clickcollect/reservation/log"
)

// A victim is a log that was closed in order, to be damaged.
type victim struct {
	disk   *faultdisk.Disk
	frames []log.Frame // from the first that is there
	last   uint64
}

var smallSegments = journal.FileOptions{Manual: true, SegmentBytes: 64 << 10}

// newVictim makes a log of several segments: trimmed or not, with files that
// are in their second life or not, by the seed.
func newVictim(t testing.TB, seed uint64) *victim {
	t.Helper()
	draw := rand.New(rand.NewPCG(seed, 2))
	v := &victim{disk: faultdisk.New(seed)}
	o := smallSegments
	o.NoSync = seed%2 == 1
	l := mustOpen(t, v.disk, o)
	for i := range 60 + draw.IntN(100) {
		b := make([]byte, 8+draw.IntN(9000))
		for j := range b {
			b[j] = byte(draw.Uint32())
		}
		f := log.Frame{First: l.Last() + 1, Count: 1 + draw.IntN(5), Payload: b}
		must(t, l.Append(f.First, f.Count, b))
		v.frames = append(v.frames, f)
		if seed%3 > 0 && i == 50 {
			must(t, l.Sync())
			must(t, l.Trim(l.Last()))
		}
		must(t, l.Tend())
	}
	v.last = l.Last()
	for v.frames[0].First < l.First() {
		v.frames = v.frames[1:]
	}
	must(t, l.Close())
	return v
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func mustOpen(t testing.TB, d journal.Disk, o journal.FileOptions) *journal.FileLog {
	t.Helper()
	l, err := journal.OpenFile(d, o)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// inspect opens a damaged log and reads it all. It returns the refusal if there
// was one, nil if everything is there as it was written, and a breach otherwise.
func (v *victim) inspect(d journal.Disk) (refusal error, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = breachf("panic: %v", p)
		}
	}()
	l, err := journal.OpenFile(d, smallSegments)
	if err != nil {
		return typed(err)
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	if l.Last() != v.last || l.First() != v.frames[0].First {
		return nil, breachf("silently %d to %d; it was %d to %d", l.First(), l.Last(), v.frames[0].First, v.last)
	}
	want := v.frames
	for f, err := range l.Read(l.First()) {
		if err != nil {
			return typed(err)
		}
		if len(want) == 0 || !same(f, want[0]) {
			return nil, breachf("frame %d is not what was written", f.First)
		}
		want = want[1:]
	}
	if len(want) > 0 {
		return nil, breachf("silently ended before %d", want[0].First)
	}
	return nil, nil
}

func same(a, b log.Frame) bool {
	return a.First == b.First && a.Count == b.Count && bytes.Equal(a.Payload, b.Payload)
}

// typed accepts an error as a refusal if it says what it refuses.
func typed(err error) (refusal, bad error) {
	if errors.Is(err, log.ErrCorrupt) || errors.Is(err, journal.ErrForeign) || errors.Is(err, log.ErrNewer) {
		return err, nil
	}
	return nil, breachf("refused without a reason: %v", err)
}

// rescue salvages a damaged log: what comes out has to be whole frames of the
// log in a row, and open.
func (v *victim) rescue(d journal.Disk) (copied int, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = breachf("panic in Salvage: %v", p)
		}
	}()
	to := faultdisk.New(1)
	report, err := journal.Salvage(d, to, smallSegments)
	if errors.Is(err, log.ErrNewer) || errors.Is(err, journal.ErrForeign) {
		return 0, nil
	}
	if err != nil {
		return 0, breachf("salvage: %v", err)
	}
	l, err := journal.OpenFile(to, smallSegments)
	if err != nil {
		return 0, breachf("open what was salvaged: %v", err)
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	if l.First() != report.From || l.Last() != report.To {
		return 0, breachf("the report says %d to %d, the log %d to %d", report.From, report.To, l.First(), l.Last())
	}
	i := slices.IndexFunc(v.frames, func(f log.Frame) bool { return f.First == l.First() })
	for f, err := range l.Read(l.First()) {
		if err != nil {
			return 0, breachf("read what was salvaged: %v", err)
		}
		if i < 0 || !same(f, v.frames[i]) {
			return 0, breachf("salvaged frame %d is not what was written", f.First)
		}
		i++
		copied++
	}
	return copied, nil
}

func segments(d *faultdisk.Disk) []string {
	return slices.DeleteFunc(d.Names(), func(name string) bool { return !strings.HasSuffix(name, ".segment") })
}

// TestDamage damages a log in each way there is a name for.
func TestDamage(t *testing.T) {
	v := newVictim(t, 0)
	names := segments(v.disk)
	first, second, last := names[0], names[1], names[len(names)-1]
	prepared := v.disk.Names()[slices.IndexFunc(v.disk.Names(), func(name string) bool { return strings.HasPrefix(name, "prepared-") })]
	whole, err := v.disk.Bytes(last)
	must(t, err)
	end := int64(len(bytes.TrimRight(whole, "\x00"))+4095) &^ 4095
	const size, block = 64 << 10, 4096
	for _, c := range []struct {
		name   string
		damage func(d *faultdisk.Disk) error
		says   string // "" if it does no harm
	}{
		{"a bit in the head of a segment", func(d *faultdisk.Disk) error { return d.Flip(first, 60*8) }, first + " at byte 0: its head is not whole"},
		{"a bit in a frame's header", func(d *faultdisk.Disk) error { return d.Flip(first, (block+20)*8) }, first + " at byte 4096: the checksum of a frame"},
		{"a bit in a payload", func(d *faultdisk.Disk) error { return d.Flip(second, (block+100)*8) }, second + " at byte 4096: the checksum of a frame"},
		{"a bit in the last segment", func(d *faultdisk.Disk) error { return d.Flip(last, (block+100)*8) }, last + " at byte 4096: no whole frame"},
		{"a bit in the last block", func(d *faultdisk.Disk) error { return d.Flip(last, (end-block+9)*8) }, last},
		{"a bit in a seal", func(d *faultdisk.Disk) error { return d.Flip(first, (size-block+30)*8) }, first + " at byte 61440: its seal is damaged"},
		{"a bit in the superblock", func(d *faultdisk.Disk) error { return d.Flip("superblock", 35*8) }, "superblock at byte 0: its checksum"},
		{"a bit in the superblock's magic", func(d *faultdisk.Disk) error { return d.Flip("superblock", 10*8) }, "superblock at byte 0: its checksum"},
		{"a bit in one slot of the watermark", func(d *faultdisk.Disk) error { return d.Flip("watermark", 60*8) }, ""},
		{"both slots of the watermark", func(d *faultdisk.Disk) error { return d.Garbage("watermark", 0, 2*block) }, "neither of its slots"},
		{"a zeroed block in the middle", func(d *faultdisk.Disk) error { return d.Zero(first, 2*block, block) }, first},
		{"a zeroed block at the end", func(d *faultdisk.Disk) error { return d.Zero(last, end-block, block) }, last},
		{"a zeroed head", func(d *faultdisk.Disk) error { return d.Zero(last, 0, block) }, last + " at byte 0: its head"},
		{"a zeroed last segment", func(d *faultdisk.Disk) error { return d.Zero(last, 0, size) }, last + " at byte 0: its head"},
		{"zeros for all frames of the last segment", func(d *faultdisk.Disk) error { return d.Zero(last, block, size-block) }, "but the watermark says"},
		{"a cut first segment", func(d *faultdisk.Disk) error { return d.Cut(first, size/2) }, "it was made 65536 bytes long and is 32768"},
		{"a cut last segment", func(d *faultdisk.Disk) error { return d.Cut(last, block) }, "it was made 65536 bytes long and is 4096"},
		{"an empty last segment", func(d *faultdisk.Disk) error { return d.Cut(last, 0) }, last},
		{"garbage behind the end", func(d *faultdisk.Disk) error { return d.Garbage(last, end, block) }, ""},
		{"garbage in a prepared file", func(d *faultdisk.Disk) error { return d.Garbage(prepared, 0, block) }, ""},
		{"no prepared file", func(d *faultdisk.Disk) error { return d.Remove(prepared) }, ""},
		{"a segment twice", func(d *faultdisk.Disk) error { return d.Duplicate(first, second) }, "it is the segment that begins with 1"},
		{"a segment once more at the end", func(d *faultdisk.Disk) error { return d.Duplicate(first, "00000000000000099999.segment") }, "it is the segment that begins with 1"},
		{"two segments swapped", func(d *faultdisk.Disk) error { return d.Swap(first, second) }, "it is the segment that begins with"},
		{"the first segment gone", func(d *faultdisk.Disk) error { return d.Remove(first) }, first + ": it is missing (records 1 to"},
		{"a segment in the middle gone", func(d *faultdisk.Disk) error { return d.Remove(second) }, second + ": it is missing (records"},
		{"the last segment gone", func(d *faultdisk.Disk) error { return d.Remove(last) }, last + ": it is missing, although"},
		{"all segments gone", func(d *faultdisk.Disk) error { return removeAll(d, names) }, first + ": it is missing, and so are all others"},
		{"the watermark gone", func(d *faultdisk.Disk) error { return d.Remove("watermark") }, "watermark: it is missing"},
		{"the superblock gone", func(d *faultdisk.Disk) error { return d.Remove("superblock") }, "superblock: it is missing, and there are segments"},
		{"a strange name", func(d *faultdisk.Disk) error { return d.Duplicate(second, "1.segment") }, "no segment has such a name"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := v.disk.Kill()
			must(t, c.damage(d))
			refusal, err := v.inspect(d.Kill())
			must(t, err)
			if (refusal == nil) != (c.says == "") || refusal != nil && !strings.Contains(refusal.Error(), c.says) {
				t.Errorf("it says %q; want %q", fmt.Sprint(refusal), c.says)
			}
			n, err := v.rescue(d.Kill())
			must(t, err)
			t.Logf("%v; salvaged %d of %d frames", refusal, n, len(v.frames))
		})
	}
}

func removeAll(d *faultdisk.Disk, names []string) error {
	var faults []error
	for _, name := range names {
		faults = append(faults, d.Remove(name))
	}
	return errors.Join(faults...)
}

var damages = flag.Int("damages", 600, "random damages of TestRandomDamage")

// TestRandomDamage damages logs at random: nothing may be lost without a word,
// nothing may be returned that was not written, and nothing may panic.
func TestRandomDamage(t *testing.T) {
	victims := make([]*victim, 6)
	for i := range victims {
		victims[i] = newVictim(t, uint64(i))
	}
	tally := make(map[string][2]int) // kind: refused, harmless
	for seed := range uint64(*damages) {
		v := victims[seed%uint64(len(victims))]
		d := v.disk.Kill()
		kind, err := damageAtRandom(d, rand.New(rand.NewPCG(seed, 3)))
		must(t, err)
		refusal, err := v.inspect(d.Kill())
		if err != nil {
			t.Fatalf("seed %d, %s: %v", seed, kind, err)
		}
		n := tally[kind]
		if refusal != nil {
			n[0]++
		} else {
			n[1]++
		}
		tally[kind] = n
		if _, err := v.rescue(d.Kill()); err != nil {
			t.Fatalf("seed %d, %s: %v", seed, kind, err)
		}
	}
	refused := 0
	for kind, n := range tally {
		t.Logf("%-10s %4d refused, %4d harmless", kind, n[0], n[1])
		refused += n[0]
	}
	if refused < *damages/4 {
		t.Errorf("only %d of %d damages were refused: the test does not hit", refused, *damages)
	}
}

// damageAtRandom does one thing to one file.
func damageAtRandom(d *faultdisk.Disk, draw *rand.Rand) (kind string, err error) {
	names := d.Names()
	if draw.IntN(10) > 0 {
		names = segments(d)
	}
	name := names[draw.IntN(len(names))]
	b, err := d.Bytes(name)
	if err != nil {
		return "", err
	}
	size := int64(len(b))
	other := segments(d)[draw.IntN(len(segments(d)))]
	kinds := []string{"flip", "zero", "cut", "garbage", "duplicate", "swap", "remove"}
	kind = kinds[draw.IntN(len(kinds))]
	if size == 0 {
		kind = "remove"
	}
	switch kind {
	case "flip":
		return kind, d.Flip(name, draw.Int64N(size*8))
	case "zero":
		return kind, d.Zero(name, draw.Int64N(size)&^4095, 4096)
	case "cut":
		return kind, d.Cut(name, draw.Int64N(size))
	case "garbage":
		at := draw.Int64N(size)
		return kind, d.Garbage(name, at, min(size-at, 1+draw.Int64N(20_000)))
	case "duplicate":
		return kind, d.Duplicate(name, other)
	case "swap":
		return kind, d.Swap(name, other)
	}
	return kind, d.Remove(name)
}
