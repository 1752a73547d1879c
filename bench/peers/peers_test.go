package peers

import (
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clickcollect/clickcollect/allocator"
	"github.com/clickcollect/clickcollect/bench"
)

// small is a case that is loaded in no time.
func small() bench.Config {
	return bench.Config{Name: "small", Locations: 40, SKUs: 60, Density: 0.8, Zipf: 0.99, MaxLines: 4, MaxQuantity: 3, Seed: 1}
}

func draw(t *testing.T, c bench.Config) *Work {
	t.Helper()
	w, err := Draw(c)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// Every contestant takes the same orders and keeps its promises.
func TestRun(t *testing.T) {
	c := Config{Case: small(), Callers: []int{1, 30}, Batches: []int{1, 8}, Rounds: 2, Length: 5 * time.Millisecond, Dir: t.TempDir()}
	for _, contestant := range Contestants() {
		c.Engines = append(c.Engines, contestant.Name)
	}
	rows, err := Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if want := 2*len(c.Engines) + 4; len(rows) != want {
		t.Fatalf("%d rows, want %d", len(rows), want)
	}
	for _, r := range rows {
		if r.Orders < 2*r.Callers || r.Filled == 0 || r.OrdersPerSecond <= 0 || r.P50 > r.Max || len(r.Rounds) != 2 {
			t.Errorf("%+v", r)
		}
	}
	var table strings.Builder
	WriteTable(&table, rows)
	for _, name := range append(c.Engines, "disk, zero-filled", "disk, file grows") {
		if !strings.Contains(table.String(), " "+name+" ") {
			t.Errorf("the table lacks %s:\n%s", name, table.String())
		}
	}
}

func TestConfigFaults(t *testing.T) {
	_, err := Run(t.Context(), Config{
		Case: small(), Engines: []string{"ours", "ours", "nobody"}, Callers: []int{0}, Batches: []int{-1}, Rounds: -1, Length: -1, Dir: t.TempDir(),
	})
	for _, fault := range []string{`"nobody"`, "twice", "has 0", "has -1", "Rounds", "Length"} {
		if err == nil || !strings.Contains(err.Error(), fault) {
			t.Errorf("no word of %s in: %v", fault, err)
		}
	}
	_, err = Run(t.Context(), Config{Case: bench.Config{}, Dir: t.TempDir()})
	if err == nil || !strings.Contains(err.Error(), "Locations") {
		t.Errorf("a case without locations: %v", err)
	}
}

// liar is an engine that promises what it likes.
type liar struct {
	bench.Engine
	allocate func(inner bench.Engine, o *allocator.Order) (string, bool, error)
	cancel   error
}

func (l *liar) Allocate(o *allocator.Order) (string, bool, error) { return l.allocate(l.Engine, o) }

func (l *liar) Cancel(id string) error { return errors.Join(l.cancel, l.Engine.Cancel(id)) }

// The checks must see an engine that breaks its promise.
func TestSeatSeesLies(t *testing.T) {
	scarce := small()
	scarce.UnitsPerCell = 2
	w := draw(t, scarce)
	first := w.world.Locations[0].ID
	refused := errors.New("no")
	for name, c := range map[string]struct {
		lie  liar
		want error
		word string
	}{
		"takes nothing": {liar{allocate: func(_ bench.Engine, o *allocator.Order) (string, bool, error) {
			return first, true, nil
		}}, bench.ErrOversold, "promised above"},
		"another place": {liar{allocate: func(inner bench.Engine, o *allocator.Order) (string, bool, error) {
			location, ok, err := inner.Allocate(o)
			if location == first {
				location = w.world.Locations[1].ID
			}
			return location, ok, err
		}}, bench.ErrOversold, "astray"},
		"nowhere": {liar{allocate: func(bench.Engine, *allocator.Order) (string, bool, error) {
			return "nowhere", true, nil
		}}, nil, "no location"},
		"fails": {liar{allocate: func(bench.Engine, *allocator.Order) (string, bool, error) {
			return "", false, refused
		}}, refused, "allocate"},
		"does not cancel": {liar{allocate: func(inner bench.Engine, o *allocator.Order) (string, bool, error) {
			return inner.Allocate(o)
		}, cancel: refused}, refused, "cancel"},
	} {
		inner, err := strong()
		if err != nil {
			t.Fatal(err)
		}
		c.lie.Engine = inner
		s, err := Sit(w, &c.lie)
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.Run(Pass{Callers: 20, Length: time.Millisecond})
		if err == nil || c.want != nil && !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.word) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// An answer waits for the commit that has its record, and callers that come
// during a commit are in the next one together.
func TestGroup(t *testing.T) {
	for _, apart := range []bool{false, true} {
		begun, release := make(chan string), make(chan error)
		g := newGroup(apart, func(b *batch) error {
			begun <- string(b.records)
			return <-release
		})
		answers := make(chan error, 10)
		bring := func(record string) { answers <- g.do([]byte(record), change{}) }
		go bring("a")
		if got := <-begun; got != "a" {
			t.Fatalf("first commit has %q", got)
		}
		for range 3 {
			go bring("b")
		}
		for g.gathered() < 3 {
			runtime.Gosched()
		}
		if len(answers) != 0 {
			t.Fatal("an answer came before its commit was done")
		}
		release <- nil
		if err := <-answers; err != nil {
			t.Fatal(err)
		}
		if got := <-begun; got != "bbb" {
			t.Fatalf("second commit has %q", got)
		}
		go bring("c")
		for g.gathered() < 1 {
			runtime.Gosched()
		}
		broken := errors.New("the disk is broken")
		release <- broken
		for range 4 { // "c" is never tried
			if err := <-answers; !errors.Is(err, broken) {
				t.Fatalf("got %v", err)
			}
		}
		if err := g.do([]byte("d"), change{}); !errors.Is(err, broken) {
			t.Fatalf("after the failure: %v", err)
		}
		g.close()
	}
}

// gathered is how many bytes wait in the open batch.
func (g *group) gathered() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.open.records)
}

// Close commits what waits, and nobody is left without an answer.
func TestGroupClose(t *testing.T) {
	written := 0
	g := newGroup(true, func(b *batch) error { written += len(b.changes); return nil })
	var done sync.WaitGroup
	for range 100 {
		done.Go(func() { _ = g.do(nil, change{id: "x"}) })
	}
	done.Wait()
	g.close()
	if written != 100 {
		t.Errorf("%d changes written", written)
	}
	if err := g.do(nil, change{}); !errors.Is(err, errClosed) {
		t.Errorf("after close: %v", err)
	}
}

// The orders are those that package bench sends.
func TestDraw(t *testing.T) {
	w := draw(t, small())
	if len(w.orders) != 1<<14 || len(w.world.Locations) != 40 {
		t.Fatalf("%d orders for %d locations", len(w.orders), len(w.world.Locations))
	}
	again := draw(t, small())
	for i, o := range w.orders {
		if o.Near != again.orders[i].Near || !slices.Equal(o.Lines, again.orders[i].Lines) {
			t.Fatalf("order %d differs from draw to draw", i)
		}
		for k, l := range o.Lines {
			if w.world.SKUs[w.skus[i][k]] != l.SKU {
				t.Fatalf("order %d: SKU %d is not %s", i, w.skus[i][k], l.SKU)
			}
		}
	}
}
