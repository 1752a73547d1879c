package allocator_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/clickcollect/clickcollect/allocator"
	"github.com/clickcollect/clickcollect/reservation/log"
	"github.com/clickcollect/clickcollect/reservation/log/logtest"
)

// openOn opens an engine on a store, with the stores of the examples and tea for ten
// orders.
func openOn(t *testing.T, store *logtest.Store, owner string) *allocator.Allocator {
	t.Helper()
	a, err := allocator.Open(t.Context(), allocator.Options{Log: store.Open(owner)})
	if err != nil {
		t.Fatal(err)
	}
	err = errors.Join(a.SetLocations(t.Context(), stores...), a.Receive(t.Context(),
		allocator.Receipt{ID: "GR-1", Location: "krakow-1", Lines: []allocator.Line{{SKU: "tea", Quantity: 20}}}))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func teaOrder(n int) allocator.Order {
	return allocator.Order{ID: fmt.Sprint("SO-", n), Near: wawel, Lines: twoTeas}
}

// TestOpenFencesTheEngineBefore opens a log that another engine is using. What that one
// acknowledged is there; what it is asked for from then on is ErrFenced, and is there
// neither in the log nor in the engine that took over.
func TestOpenFencesTheEngineBefore(t *testing.T) {
	ctx := t.Context()
	store := new(logtest.Store)
	old := openOn(t, store, "old")
	first, err := old.Allocate(ctx, teaOrder(1))
	if err != nil {
		t.Fatal(err)
	}
	a := openOn(t, store, "new")
	defer a.Close()
	for what, do := range map[string]func() error{
		"allocate": func() error { _, err := old.Allocate(ctx, teaOrder(2)); return err },
		"confirm":  func() error { return old.Confirm(ctx, "SO-1") },
		"receive": func() error {
			return old.Receive(ctx, allocator.Receipt{ID: "GR-2", Location: "krakow-1", Lines: twoTeas})
		},
		"a list": func() error { return old.AllocateAll(ctx, teaOrder(3))[0].Err },
	} {
		var fenced *log.FencedError
		if err := do(); !errors.Is(err, allocator.ErrFenced) || errors.Is(err, allocator.ErrJournal) || !errors.As(err, &fenced) || fenced.Owner != "new" {
			t.Errorf("%s: got %v, want ErrFenced by the new owner, and not ErrJournal", what, err)
		}
	}
	if err := old.Close(); !errors.Is(err, allocator.ErrFenced) {
		t.Errorf("close: got %v, want ErrFenced", err)
	}
	again, err := a.Allocate(ctx, teaOrder(1))
	if err != nil || again != first {
		t.Errorf("a repeat: got %+v, %v, want %+v", again, err, first)
	}
	for _, id := range []string{"SO-2", "SO-3"} {
		if _, err := a.Lookup(id); !errors.Is(err, allocator.ErrNotFound) {
			t.Errorf("%s, which was fenced: got %v, want ErrNotFound", id, err)
		}
	}
	if r, err := a.Lookup("SO-1"); err != nil || r.State != allocator.Held {
		t.Errorf("SO-1, of which a confirmation was fenced: got %v, %v", r.State, err)
	}
	for n := 2; n <= 10; n++ {
		if _, err := a.Allocate(ctx, teaOrder(n)); err != nil {
			t.Fatalf("order %d of 10: %v", n, err)
		}
	}
	report, err := a.Audit(ctx)
	if err != nil || len(report.Differences) > 0 || report.Records == 0 {
		t.Errorf("audit: %+v, %v", report, err)
	}
}

// TestEventsOfALog reads the same events before and after a restart on the same log.
func TestEventsOfALog(t *testing.T) {
	store := new(logtest.Store)
	a := openOn(t, store, "a")
	if _, err := a.Allocate(t.Context(), teaOrder(1)); err != nil {
		t.Fatal(err)
	}
	read := func(a *allocator.Allocator) (kinds []string) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		for e, err := range a.Events(ctx, 0) {
			if err != nil {
				t.Fatal(err)
			}
			kinds = append(kinds, fmt.Sprint(e.Sequence, e.Name))
			if e.ID == "SO-1" {
				break
			}
		}
		return kinds
	}
	before := read(a)
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	a, err := allocator.Open(t.Context(), allocator.Options{Log: store.Open("a")})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	if after := read(a); len(before) < 3 || !slices.Equal(before, after) {
		t.Errorf("events: %v, and after a restart %v", before, after)
	}
	if s := a.Stats(); s.Recovered.Records == 0 || s.Journal.Sequence != s.Journal.Durable {
		t.Errorf("stats: %+v", s)
	}
}

// An anonymous log has no identity.
type anonymous struct{ log.Log }

// TestLogsThatAreRefused opens with logs and directories that do not go together.
func TestLogsThatAreRefused(t *testing.T) {
	store := new(logtest.Store)
	own := filepath.Join(t.TempDir(), "own")
	a, err := allocator.Open(t.Context(), allocator.Options{Dir: own})
	if err = errors.Join(err, a.Close()); err != nil {
		t.Fatal(err)
	}
	foreign := t.TempDir()
	if err := os.WriteFile(filepath.Join(foreign, "notes.txt"), []byte("tea"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		o    allocator.Options
		want error
	}{
		"written":              {allocator.Options{Log: store.Open("a"), Durability: allocator.Written}, allocator.ErrInvalid},
		"no identity":          {allocator.Options{Log: anonymous{store.Open("a")}, Dir: t.TempDir()}, allocator.ErrInvalid},
		"a journal of its own": {allocator.Options{Log: store.Open("a"), Dir: own}, allocator.ErrForeign},
		"other files":          {allocator.Options{Log: store.Open("a"), Dir: foreign}, allocator.ErrForeign},
	} {
		if _, err := allocator.Open(t.Context(), c.o); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
	dir := t.TempDir()
	a, err = allocator.Open(t.Context(), allocator.Options{Log: store.Open("a"), Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	if _, err := allocator.Open(t.Context(), allocator.Options{Log: new(logtest.Store).Open("a"), Dir: dir}); !errors.Is(err, allocator.ErrLocked) {
		t.Errorf("a directory in use: got %v, want ErrLocked", err)
	}
	trimmed := new(logtest.Store)
	l := trimmed.Open("a")
	if err := errors.Join(l.Append(1, 1, []byte("x")), l.Append(2, 1, []byte("x")), l.Trim(2)); err != nil {
		t.Fatal(err)
	}
	if _, err := allocator.Open(t.Context(), allocator.Options{Log: l}); !errors.Is(err, allocator.ErrTrimmed) {
		t.Errorf("a log without its beginning: got %v, want ErrTrimmed", err)
	}
	if err := l.Append(3, 1, []byte("x")); !errors.Is(err, log.ErrClosed) {
		t.Errorf("the log of a failed Open: got %v, want ErrClosed", err)
	}
}

// The engine may keep its records in a log of yours. Here it is one in memory; opening
// it anew takes it over from the engine before.
func ExampleOpen_log() {
	ctx, store := context.Background(), new(logtest.Store)
	a, err := allocator.Open(ctx, allocator.Options{Log: store.Open("krakow-a")})
	if err != nil {
		panic(err)
	}
	err = errors.Join(a.SetLocations(ctx, stores...),
		a.Receive(ctx, allocator.Receipt{ID: "GR-1", Location: "krakow-1", Lines: twoTeas}))
	order := allocator.Order{ID: "SO-1001", Near: wawel, Lines: twoTeas}
	first, err := a.Allocate(ctx, order)
	fmt.Println(first.Location, err)

	b, err := allocator.Open(ctx, allocator.Options{Log: store.Open("krakow-b")})
	if err != nil {
		panic(err)
	}
	defer b.Close()
	err = errors.Join(a.Cancel(ctx, "SO-1001"), a.Close())
	fmt.Println("the engine before is fenced:", errors.Is(err, allocator.ErrFenced))
	again, err := b.Allocate(ctx, order)
	fmt.Println("the same answer:", again == first, err)
	// Output:
	// krakow-1 <nil>
	// the engine before is fenced: true
	// the same answer: true <nil>
}
