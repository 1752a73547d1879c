package faultdisk

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"

	"github.com/clickcollect/clickcollect/reservation/internal/journal"
)

// create makes a file with a content that is written and not synced.
func create(t testing.TB, d *Disk, name, content string) journal.File {
	t.Helper()
	f, err := d.Create(name, 0)
	if err == nil {
		_, err = f.WriteAt([]byte(content), 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func holds(t testing.TB, d *Disk, name, want string) {
	t.Helper()
	if got, err := d.Bytes(name); err != nil || string(got) != want {
		t.Errorf("%s holds %q, error %v, want %q", name, got, err, want)
	}
}

// TestDiskIsADisk compares a disk that nothing goes wrong with to a map of
// byte slices.
func TestDiskIsADisk(t *testing.T) {
	draw := rand.New(rand.NewPCG(1, 1))
	d, twin := New(1), map[string][]byte{}
	name := func() string { return fmt.Sprint(draw.IntN(4)) }
	for step := range 20_000 {
		n := name()
		f, err := d.Open(n)
		content, there := twin[n]
		if there != (err == nil) || !there && !errors.Is(err, fs.ErrNotExist) {
			t.Fatalf("step %d: open: %v", step, err)
		}
		if !there {
			size := draw.Int64N(10_000)
			if _, err := d.Create(n, size); err != nil {
				t.Fatal(err)
			}
			twin[n] = make([]byte, size)
			continue
		}
		at := draw.Int64N(12_000)
		switch draw.IntN(8) {
		case 0, 1, 2:
			b := bytes.Repeat([]byte{byte(step)}, draw.IntN(9000))
			if k, err := f.WriteAt(b, at); k != len(b) || err != nil {
				t.Fatalf("step %d: wrote %d, error %v", step, k, err)
			}
			if grown := int(at) + len(b) - len(content); grown > 0 && len(b) > 0 {
				content = append(content, make([]byte, grown)...)
			}
			if len(b) > 0 {
				copy(content[at:], b)
			}
			twin[n] = content
		case 3:
			if err := f.Truncate(at); err != nil {
				t.Fatal(err)
			}
			twin[n] = append(content, make([]byte, 12_000)...)[:at:at]
		case 4:
			if err := f.Sync(); err != nil {
				t.Fatal(err)
			}
		case 5:
			to := name()
			if err := d.Rename(n, to); err != nil {
				t.Fatal(err)
			}
			delete(twin, n)
			twin[to] = content
		case 6:
			if err := d.Remove(n); err != nil {
				t.Fatal(err)
			}
			delete(twin, n)
		default:
			b := make([]byte, draw.IntN(9000))
			k, err := f.ReadAt(b, at)
			checkRead(t, content, at, b, k, err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for n, content := range twin {
		holds(t, d, n, string(content))
	}
	if d.Count(AnyIO) != d.Count(Read)+d.Count(Write)+d.Count(Sync)+d.Count(Entry) {
		t.Error("the counters do not add up")
	}
}

// checkRead compares what a read of b at an offset gave with the content.
func checkRead(t *testing.T, content []byte, at int64, b []byte, n int, err error) {
	t.Helper()
	want := content[min(at, int64(len(content))):min(int(at)+len(b), len(content))]
	whole := n == len(b) && at < int64(len(content))
	if !bytes.Equal(b[:n], want) || (err == nil) != whole || err != nil && err != io.EOF {
		t.Fatalf("read %d of %d at %d, error %v", n, len(want), at, err)
	}
}

// TestCrashKeepsWhatWasSynced draws many images of one disk: what was synced is
// in all of them, what was not in some.
func TestCrashKeepsWhatWasSynced(t *testing.T) {
	for _, strict := range []bool{true, false} {
		d := New(7)
		d.Strict = strict
		f := create(t, d, "file", "synced")
		g := create(t, d, "nameless", "synced too")
		if err := errors.Join(f.Sync(), d.Sync(), g.Sync()); err != nil {
			t.Fatal(err)
		}
		for page := range 20 {
			if _, err := f.WriteAt(bytes.Repeat([]byte{'n'}, pageBytes), int64(page+1)*pageBytes); err != nil {
				t.Fatal(err)
			}
		}
		h := create(t, d, "late", "")
		if err := errors.Join(h.Sync(), d.Rename("late", "later")); err != nil {
			t.Fatal(err)
		}
		seen := make(map[string]int)
		for range 2000 {
			image := d.Crash()
			b, err := image.Bytes("file")
			if err != nil || string(b[:6]) != "synced" {
				t.Fatalf("synced bytes are gone: %q, error %v", b, err)
			}
			whole, torn := 0, 0
			for page := pageBytes; page < len(b); page += pageBytes {
				switch n := bytes.Count(b[page:page+pageBytes], []byte{'n'}); {
				case n == pageBytes:
					whole++
				case n > 0:
					torn++
				}
			}
			count := func(what string, is bool) {
				if is {
					seen[what]++
				}
			}
			names := image.Names()
			count("short", len(b) == 6)
			count("whole", whole == 20)
			count("some", whole > 0 && whole < 20)
			count("none", len(b) > pageBytes && whole == 0)
			count("torn", torn > 0)
			count("late", slices.Contains(names, "late"))
			count("later", slices.Contains(names, "later"))
			count("neither", len(names) == 2)
			if slices.Contains(names, "late") && slices.Contains(names, "later") {
				t.Fatal("a rename was kept in part")
			}
		}
		for _, what := range []string{"short", "whole", "some", "none", "torn", "late", "later", "neither"} {
			if seen[what] == 0 {
				t.Errorf("strict %v: no image of 2,000 is %s: %v", strict, what, seen)
			}
		}
	}
}

// TestCrashStrict keeps a later directory change without an earlier one, which
// only the strict disk does, and never without the one it builds on.
func TestCrashStrict(t *testing.T) {
	for _, strict := range []bool{true, false} {
		d := New(1)
		d.Strict = strict
		create(t, d, "first", "")
		create(t, d, "second", "")
		if err := d.Rename("second", "third"); err != nil {
			t.Fatal(err)
		}
		outOfOrder := 0
		for range 500 {
			names := d.Crash().Names()
			if slices.Contains(names, "third") && !slices.Contains(names, "first") {
				outOfOrder++
			}
		}
		if (outOfOrder > 0) != strict {
			t.Errorf("strict %v: %d images have the third change and not the first", strict, outOfOrder)
		}
	}
}

func TestKillKeepsEverything(t *testing.T) {
	d := New(1)
	unlock, err := d.Lock()
	if err != nil {
		t.Fatal(err)
	}
	f := create(t, d, "file", "written")
	next := d.Kill()
	holds(t, next, "file", "written")
	if _, err := f.WriteAt([]byte("late"), 0); !errors.Is(err, ErrCrashed) {
		t.Errorf("a write of the process that is gone: %v", err)
	}
	holds(t, next, "file", "written")
	if _, err := next.Lock(); err != nil {
		t.Errorf("the lock of the process that is gone: %v", err)
	}
	lost := 0
	for range 100 {
		if len(next.Crash().Names()) == 0 {
			lost++
		}
	}
	if lost == 0 {
		t.Error("what was never synced survived 100 power cuts")
	}
	if err := unlock(); err != nil {
		t.Error(err)
	}
}

// TestFailedSyncForgets: what a failed sync did not bring to the device is
// clean, readable until it is forgotten, and no second sync brings it.
func TestFailedSyncForgets(t *testing.T) {
	lost := 0
	for seed := range uint64(50) {
		d := New(seed)
		f := create(t, d, "file", "before")
		if err := errors.Join(f.Sync(), d.Sync()); err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteAt([]byte("after."), 0); err != nil {
			t.Fatal(err)
		}
		d.SetPlan(Plan{Fail: [counts]uint64{Sync: 1}})
		if err := f.Sync(); !errors.Is(err, syscall.EIO) {
			t.Fatalf("sync: got %v, want EIO", err)
		}
		if err := f.Sync(); err != nil {
			t.Fatalf("second sync: %v", err)
		}
		holds(t, d, "file", "after.")
		if err := f.(interface{ Forget() error }).Forget(); err != nil {
			t.Fatal(err)
		}
		b, _ := d.Bytes("file")
		c, _ := d.Crash().Bytes("file")
		if !bytes.Equal(b, c) {
			t.Fatalf("forgotten, the file holds %q, after a crash %q", b, c)
		}
		if string(b) == "before" {
			lost++
		}
	}
	if lost < 10 || lost > 40 {
		t.Errorf("%d of 50 failed syncs lost the page", lost)
	}
}

func TestPlan(t *testing.T) {
	d := New(1)
	f := create(t, d, "file", "123456")
	d.SetPlan(Plan{Fail: [counts]uint64{Read: 2, AnyIO: 5}, Short: 2})
	b := make([]byte, 6)
	_, first := f.ReadAt(b, 0)
	_, second := f.ReadAt(b, 0)
	_, third := f.WriteAt([]byte("abcdef"), 0)
	n, fourth := f.WriteAt([]byte("uvwxyz"), 0)
	fifth := d.Remove("file")
	if first != nil || !errors.Is(second, syscall.EIO) || third != nil || !errors.Is(fourth, syscall.EIO) || !errors.Is(fifth, syscall.EIO) {
		t.Errorf("got %v, %v, %v, %v and %v", first, second, third, fourth, fifth)
	}
	holds(t, d, "file", "uvwxyz"[:n]+"abcdef"[n:])
	d.SetPlan(Plan{Crash: 2})
	_, first = f.ReadAt(b, 0)
	_, second = f.ReadAt(b, 0)
	third = d.Sync()
	_, fourth = d.List()
	if first != nil || !errors.Is(second, ErrCrashed) || !errors.Is(third, ErrCrashed) || !errors.Is(fourth, ErrCrashed) {
		t.Errorf("got %v, %v, %v and %v", first, second, third, fourth)
	}
}

func TestSpace(t *testing.T) {
	d := New(1)
	d.SetSpace(10_000)
	f, err := d.Create("file", 6000)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Create("other", 6000); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("create: got %v, want ENOSPC", err)
	}
	if n, err := f.WriteAt(make([]byte, 5000), 5500); !errors.Is(err, syscall.ENOSPC) || n != 4500 {
		t.Errorf("write: %d bytes, error %v, want 4,500 and ENOSPC", n, err)
	}
	if err := f.Truncate(10_001); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("truncate: got %v, want ENOSPC", err)
	}
	if _, err := f.WriteAt(make([]byte, 10_000), 0); err != nil {
		t.Errorf("write over what is there: %v", err)
	}
	if err := d.Remove("file"); err != nil || d.Used() != 0 {
		t.Errorf("removed: %d bytes used, error %v", d.Used(), err)
	}
}

// TestSameSeedSameImage replays a life.
func TestSameSeedSameImage(t *testing.T) {
	life := func(seed uint64) (images string) {
		d := New(seed)
		f := create(t, d, "file", "")
		g := create(t, d, "other", "")
		for i := range 30 {
			page := bytes.Repeat([]byte{byte('a' + i)}, pageBytes)
			f.WriteAt(page, int64(i%7)*pageBytes)
			g.WriteAt(page, int64(i%3)*pageBytes)
			if i == 20 {
				d.Sync()
			}
		}
		for range 5 {
			image := d.Crash()
			for _, name := range image.Names() {
				b, _ := image.Bytes(name)
				images += name + string(b)
			}
		}
		return images
	}
	for seed := range uint64(20) {
		if first, second := life(seed), life(seed); first != second {
			t.Fatalf("seed %d has two lives", seed)
		}
	}
	if life(1) == life(2) {
		t.Error("two seeds have the same life")
	}
}

func TestDamage(t *testing.T) {
	d := New(1)
	d.Put("a", []byte("0000"))
	d.Put("b", []byte("bb"))
	err := errors.Join(d.Flip("a", 8), d.Zero("a", 3, 1), d.Swap("a", "b"), d.Cut("a", 1), d.Duplicate("a", "c"))
	holds(t, d, "a", "b")
	holds(t, d, "b", "010\x00")
	holds(t, d, "c", "b")
	if err = errors.Join(err, d.Garbage("b", 0, 4)); err != nil {
		t.Error(err)
	}
	holds(t, d.Crash(), "a", "b")
	for name, err := range map[string]error{
		"flip": d.Flip("a", 8), "zero": d.Zero("a", 0, 2), "cut": d.Cut("a", 2), "missing": d.Swap("a", "x"),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// BenchmarkLife is a disk's part of a simulated life: a log of 16 frames of one
// page, synced one by one, a power cut, and all of it read again.
func BenchmarkLife(b *testing.B) {
	page := make([]byte, pageBytes)
	for seed := uint64(0); b.Loop(); seed++ {
		d := New(seed)
		f, err := d.Create("file", 64<<10)
		if err == nil {
			err = errors.Join(f.Sync(), d.Sync())
		}
		for i := range int64(16) {
			if err == nil {
				_, err = f.WriteAt(page, i*pageBytes)
			}
			if err == nil && i < 15 {
				err = f.Sync()
			}
		}
		image := d.Crash()
		if f, err = image.Open("file"); err != nil {
			b.Fatal(err)
		}
		for i := range int64(16) {
			if _, err := f.ReadAt(page, i*pageBytes); err != nil {
				b.Fatal(err)
			}
		}
	}
}
