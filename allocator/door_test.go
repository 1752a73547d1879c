package allocator_test

import (
	"cmp"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"reflect"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clickcollect/clickcollect/allocator"
	"github.com/clickcollect/clickcollect/bench/scaletest"
)

var (
	doorSeed  = flag.Uint64("door-seed", 1, "of the first world of TestDoor and TestDoorTwin; the next ones count on")
	doorCalls = flag.Int("door-calls", 0, "how many calls TestDoor makes; 0: a default")
)

// doorEach is how many calls one world is worked on with.
const doorEach = 2500

// Callers work on every method of the door at the same time, in one world after the
// other, each drawn from a printed seed: with a directory or in memory, with and
// without everything that can be set, with functions of the host's that panic,
// block and call back, and with an engine that is closed under their hands. No call
// hangs, panics, or answers with an error its method does not document; each ID has
// one outcome; the books balance; nothing is left behind.
//
// IDs are made of each other's pieces; parts of orders are named, and orders as a whole.
func TestDoor(t *testing.T) {
	guard := newDoorGuard().start()
	defer guard.stop()
	called, did := map[string]int{}, map[string]int{}
	total, worlds := 0, 0
	most := cmp.Or(*doorCalls, scaletest.Of(300_000, 25_000))
	for seed := *doorSeed; total < most && !t.Failed(); seed++ {
		d := newDoor(t, seed, min(doorEach, most-total))
		d.guard = guard
		d.run()
		for name, n := range d.called {
			called[name] += n
			did[name] += d.did[name]
			total += n
		}
		if worlds++; worlds%100 == 0 {
			t.Logf("%d calls in %d worlds so far", total, worlds)
		}
	}
	t.Logf("%d calls in %d worlds from seed %d on", total, worlds, *doorSeed)
	doorCovers(t, called, did, total)
}

// doorCovers checks that every method of the door was called, and did something, as
// soon as there were calls enough for the rare ones.
func doorCovers(t *testing.T, called, did map[string]int, total int) {
	t.Helper()
	if total < 20_000 || t.Failed() {
		return
	}
	door := reflect.TypeFor[*allocator.Allocator]()
	for i := range door.NumMethod() {
		if name := door.Method(i).Name; did[name] == 0 && name != "Part" { // which does nothing itself
			t.Errorf("%s was called %d times and never did anything: add it to the suite", name, called[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(called)) {
		t.Logf("%7d %s, %d without an error", called[name], name, did[name])
	}
}

// doorStuck is after how long without the end of any call all of them are taken for
// ones that never end. Nothing waits for it but a failure.
const doorStuck = 4 * time.Minute

// doorGuard looks whether anything moves, and lets functions that block go on.
type doorGuard struct {
	stuck time.Duration
	hangs func() // is called when nothing has moved for so long

	moved atomic.Uint64 // calls that ended
	what  atomic.Value  // the world, as text
	mu    sync.Mutex
	tick  chan struct{} // closed at the next tick
	done  chan struct{}
	ended sync.WaitGroup
}

func newDoorGuard() *doorGuard {
	g := &doorGuard{stuck: doorStuck, tick: make(chan struct{}), done: make(chan struct{})}
	g.hangs = g.end
	return g
}

func (g *doorGuard) start() *doorGuard {
	g.ended.Go(func() {
		ticker := time.NewTicker(time.Millisecond)
		defer ticker.Stop()
		last, since := uint64(0), time.Now()
		for {
			select {
			case <-g.done:
				return
			case <-ticker.C:
			}
			g.release()
			if now := g.moved.Load(); now != last {
				last, since = now, time.Now()
			} else if time.Since(since) > g.stuck {
				g.hangs()
			}
		}
	})
	return g
}

func (g *doorGuard) stop() {
	close(g.done)
	g.ended.Wait()
	g.release()
}

// release lets everybody go on who waits for a tick.
func (g *doorGuard) release() {
	g.mu.Lock()
	defer g.mu.Unlock()
	close(g.tick)
	g.tick = make(chan struct{})
}

// next is closed at the next tick.
func (g *doorGuard) next() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.tick
}

// end ends the process: calls that do not return cannot be waited for.
func (g *doorGuard) end() {
	stacks := make([]byte, 16<<20)
	fmt.Fprintf(os.Stderr, "no call has ended for %v; %v\n%s\n", doorStuck, g.what.Load(), stacks[:runtime.Stack(stacks, true)])
	os.Exit(2)
}

// doorDraw is a source of draws of a world; n tells its sources apart.
func doorDraw(seed, n uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, n)) }
