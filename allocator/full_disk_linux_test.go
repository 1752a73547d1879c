package allocator

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// small mounts a file system of its own with so many bytes. It skips where that
// is not allowed, which takes root, and only then.
func small(t *testing.T, bytes int) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "small")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprint("size=", bytes)); err != nil {
		if errors.Is(err, syscall.EPERM) {
			t.Skip("mounting a small file system takes root:", err)
		}
		t.Fatal(err)
	}
	t.Cleanup(func() { must(t, syscall.Unmount(dir, 0)) })
	return dir
}

// A real file system fills up: new orders are refused with ErrNoSpace, what is
// held can still be canceled, everything acknowledged is there, and the engine
// goes on by itself once there is space.
func TestFullDisk(t *testing.T) {
	dir := small(t, 2<<20)
	ballast := filepath.Join(dir, "ballast")
	o := Options{Dir: filepath.Join(dir, "data"), SegmentBytes: 64 << 10, SnapshotEvery: -1, MaxIDBytes: 2048}
	a, err := Open(t.Context(), o)
	must(t, err)
	must(t, a.SetLocations(t.Context(), Location{ID: "L0", Point: streetPoint(0)}))
	must(t, a.Receive(t.Context(), Receipt{ID: "r", Location: "L0", Lines: []Line{{"tea", 1 << 20}}}))
	must(t, os.WriteFile(ballast, make([]byte, 1<<20), 0o644))

	id := func(n int) string { return fmt.Sprintf("%01000d", n) }
	var acknowledged []string
	n := 0
	place := func() error {
		n++
		_, err := a.Allocate(t.Context(), ordered(id(n), Line{"tea", 1}))
		if err == nil {
			acknowledged = append(acknowledged, id(n))
		}
		return err
	}
	for err = place(); err == nil && n < 1<<16; err = place() {
	}
	if !errors.Is(err, ErrNoSpace) {
		t.Fatalf("after %d orders: %v", n, err)
	}
	must(t, a.Cancel(t.Context(), acknowledged[0]))
	must(t, os.Remove(ballast))
	for tries := 0; ; tries++ { // the room is made in the background
		if err = place(); err == nil {
			break
		}
		if !errors.Is(err, ErrNoSpace) || tries > 1<<20 {
			t.Fatalf("with space again: %v", err)
		}
	}
	for range 100 {
		must(t, place())
	}
	must(t, a.Close())
	a, err = Open(t.Context(), o)
	must(t, err)
	defer a.Close()
	for i, id := range acknowledged {
		r, err := a.Lookup(id)
		if want := map[bool]State{true: Canceled, false: Held}[i == 0]; err != nil || r.State != want {
			t.Fatalf("order %d: %v %v", i, r.State, err)
		}
	}
	if v, err := a.Available("tea", "L0"); err != nil || v.Held != int64(len(acknowledged)-1) {
		t.Errorf("held %+v %v, acknowledged %d", v, err, len(acknowledged)-1)
	}
}
