package allocator

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"
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
	a, o, acknowledged, ballast := fullDisk(t)
	n := len(acknowledged)
	place := func() (err error) {
		id := fmt.Sprintf("%01000d", n)
		if _, err = a.Allocate(t.Context(), ordered(id, Line{"tea", 1})); err == nil {
			acknowledged = append(acknowledged, id)
			n++
		}
		return err
	}
	var err error
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
	for range 20 {
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

// With files of all lengths a full disk refuses orders, and nothing else: every order
// that was placed is canceled, collected or expires, one after another, and is so after
// a restart.
func TestEndsOnFullDisk(t *testing.T) {
	for _, segment := range []int64{64 << 10, 256 << 10, 1 << 20, 0} {
		t.Run(fmt.Sprint(segment), func(t *testing.T) {
			begin := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
			now := begin
			o := Options{Dir: filepath.Join(small(t, 6<<20), "data"), SegmentBytes: segment, SnapshotEvery: -1, MaxIDBytes: 2048,
				ManualExpiry: true, Clock: func() time.Time { return now }}
			a, err := Open(t.Context(), o)
			must(t, err, a.SetLocations(t.Context(), Location{ID: "L0", Point: streetPoint(0)}))
			must(t, a.Receive(t.Context(), Receipt{ID: "r", Location: "L0", Lines: []Line{{"tea", 1 << 20}}}))
			var placed []string
			for len(placed) < 1<<12 {
				id := fmt.Sprintf("%01000d", len(placed))
				order := ordered(id, Line{"tea", 1})
				order.HoldFor = time.Hour + time.Duration(len(placed))*time.Millisecond
				if _, err = a.Allocate(t.Context(), order); err != nil {
					break
				}
				placed = append(placed, id)
			}
			if !errors.Is(err, ErrNoSpace) || len(placed) < 20 {
				t.Fatalf("after %d orders: %v", len(placed), err)
			}
			for i := 0; i+2 < len(placed); i += 3 {
				must(t, a.Cancel(t.Context(), placed[i]), a.Collect(t.Context(), placed[i+1]))
				now = begin.Add(time.Hour + time.Duration(i+2)*time.Millisecond)
				if due, err := a.Expire(now); err != nil || due.Expired != 1 {
					t.Fatalf("%d of %d: %+v, %v", i, len(placed), due, err)
				}
			}
			must(t, a.Close())
			a, err = Open(t.Context(), o)
			must(t, err)
			for i, id := range placed[:len(placed)/3*3] {
				state(t, a, id, []State{Canceled, Collected, Expired}[i%3])
			}
			must(t, a.Close())
		})
	}
}

// fullDisk is an engine on a file system of its own that is so full that new
// orders are refused, with the IDs of those that were placed. The ballast is what
// fills it; removed, there is space again.
func fullDisk(t *testing.T) (a *Allocator, o Options, placed []string, ballast string) {
	t.Helper()
	dir := small(t, 2<<20)
	ballast = filepath.Join(dir, "ballast")
	o = Options{Dir: filepath.Join(dir, "data"), SegmentBytes: 64 << 10, SnapshotEvery: -1, MaxIDBytes: 2048}
	a, err := Open(t.Context(), o)
	must(t, err)
	must(t, a.SetLocations(t.Context(), Location{ID: "L0", Point: streetPoint(0)}))
	must(t, a.Receive(t.Context(), Receipt{ID: "r", Location: "L0", Lines: []Line{{"tea", 1 << 20}}}))
	must(t, os.WriteFile(ballast, make([]byte, 1<<20), 0o644))
	for len(placed) < 1<<16 {
		id := fmt.Sprintf("%01000d", len(placed))
		if _, err = a.Allocate(t.Context(), ordered(id, Line{"tea", 1})); err != nil {
			break
		}
		placed = append(placed, id)
	}
	if !errors.Is(err, ErrNoSpace) {
		t.Fatalf("after %d orders: %v", len(placed), err)
	}
	return a, o, placed, ballast
}

// A directory on a full disk is opened: what is there is read, an order is
// canceled, a new one is ErrNoSpace, and all goes on once there is space.
func TestOpenOnFullDisk(t *testing.T) {
	a, o, placed, ballast := fullDisk(t)
	must(t, a.Close())
	f, err := os.OpenFile(ballast, os.O_WRONLY|os.O_APPEND, 0)
	must(t, err)
	for err == nil { // not a byte is left
		_, err = f.Write(make([]byte, 4096))
	}
	if must(t, f.Close()); !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	a, err = Open(t.Context(), o)
	must(t, err)
	for _, id := range placed {
		state(t, a, id, Held)
	}
	must(t, a.Cancel(t.Context(), placed[0]))
	must(t, a.Confirm(t.Context(), placed[1]))
	n := 0
	for ; err == nil && n < 1<<8; n++ {
		_, err = a.Allocate(t.Context(), ordered(fmt.Sprint("n", n), Line{"tea", 1}))
	}
	if !errors.Is(err, ErrNoSpace) {
		t.Fatalf("after %d orders on a full disk: %v", n, err)
	}
	must(t, a.Cancel(t.Context(), placed[2]))
	must(t, os.Remove(ballast))
	for tries := 0; ; tries++ { // the room is made in the background
		if _, err = a.Allocate(t.Context(), ordered("last", Line{"tea", 1})); err == nil {
			break
		}
		if !errors.Is(err, ErrNoSpace) || tries > 1<<20 {
			t.Fatalf("with space again: %v", err)
		}
	}
	must(t, a.Close())
	a, err = Open(t.Context(), o)
	must(t, err)
	for i, id := range append(placed, "last") {
		want := Held
		switch i {
		case 0, 2:
			want = Canceled
		case 1:
			want = Confirmed
		}
		state(t, a, id, want)
	}
	must(t, a.Close())
}

// On a full disk each action is let in, or refused, in a list of changes as by the
// method of its name.
func TestChangesAreAdmittedAsVerbs(t *testing.T) {
	a, _, _, _ := fullDisk(t)
	defer a.Close()
	ctx := t.Context()
	verbs := map[Action]func(id string) error{
		DoConfirm:   func(id string) error { return a.Confirm(ctx, id) },
		DoAccept:    func(id string) error { return a.Accept(ctx, id) },
		DoDispatch:  func(id string) error { return a.Dispatch(ctx, id, "L0") },
		DoArrive:    func(id string) error { return a.Arrive(ctx, id) },
		DoReady:     func(id string) error { return a.Ready(ctx, id, Pickup{}) },
		DoShortPick: func(id string) error { return a.ShortPick(ctx, id) },
		DoCollect:   func(id string) error { return a.Collect(ctx, id) },
		DoCancel:    func(id string) error { return a.Cancel(ctx, id) },
		DoReject:    func(id string) error { _, err := a.Reject(ctx, id); return err },
	}
	for do := Action(1); do < actions; do++ {
		c := Change{ID: do.String(), Reservation: "nobody", Do: do}
		if do == DoDispatch {
			c.Location = "L0"
		}
		want := ErrNotFound // let in
		if do == DoReject {
			want = ErrNoSpace
		}
		if verb := verbs[do]; verb == nil != (do >= DoPack) { // what is of a parcel has no method
			t.Errorf("%v: a method %v", do, verb != nil)
		} else if verb != nil {
			if err := verb("nobody"); !errors.Is(err, want) {
				t.Errorf("%v: %v; want %v", do, err, want)
			}
		}
		if err := a.Change(ctx, c); !errors.Is(err, want) {
			t.Errorf("change to %v: %v; want %v", do, err, want)
		}
	}
	err := a.Change(ctx, Change{ID: "1", Reservation: "nobody", Do: DoCancel}, Change{ID: "2", Reservation: "nobody", Do: DoReject})
	if !errors.Is(err, ErrNoSpace) {
		t.Errorf("a list with a rejection: %v; want ErrNoSpace", err)
	}
}

// An engine without file handles, for as long as its process has none, refuses new
// orders and goes on by itself: nothing that was begun is lost.
func TestNoFileHandles(t *testing.T) {
	o := Options{Dir: t.TempDir(), SegmentBytes: 64 << 10, SnapshotEvery: -1, MaxIDBytes: 2048}
	a, err := Open(t.Context(), o)
	must(t, err)
	must(t, a.SetLocations(t.Context(), Location{ID: "L0", Point: streetPoint(0)}))
	must(t, a.Receive(t.Context(), Receipt{ID: "r", Location: "L0", Lines: []Line{{"tea", 1 << 20}}}))
	give := takeHandles(t)
	ctx, enough := context.WithCancel(t.Context())
	defer enough()
	var done sync.WaitGroup
	for caller := range 8 {
		done.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				id := fmt.Sprintf("%d %01000d", caller, n)
				if _, err := a.Allocate(t.Context(), ordered(id, Line{"tea", 1})); err != nil && !errors.Is(err, ErrUnavailable) {
					t.Error(err)
					return
				}
			}
		})
	}
	for err == nil { // till then some may have begun that wait for a file
		runtime.Gosched()
		err = a.ledger.Admit(ctx)
	}
	if give(); !errors.Is(err, ErrUnavailable) {
		t.Errorf("without file handles: %v; want ErrUnavailable", err)
	}
	enough()
	done.Wait()
	for err = ErrUnavailable; errors.Is(err, ErrUnavailable); { // the room is made in the background
		_, err = a.Allocate(t.Context(), ordered("last", Line{"tea", 1}))
	}
	must(t, err, a.Close())
}

// takeHandles takes all file handles that the process can have, and returns what
// gives them back.
func takeHandles(t *testing.T) (give func()) {
	t.Helper()
	var limit syscall.Rlimit
	must(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit))
	few := limit
	few.Cur = 256
	must(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &few))
	var taken []*os.File
	for {
		f, err := os.Open(os.DevNull)
		if errors.Is(err, syscall.EMFILE) {
			break
		}
		must(t, err)
		taken = append(taken, f)
	}
	return func() {
		must(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit))
		for _, f := range taken {
			must(t, f.Close())
		}
	}
}
