package allocator

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clickcollect/clickcollect/allocator/sourcing"
)

// stuck is after how long a call that should return at once is taken for one that
// never does. Nothing waits for it but a failure.
const stuck = 2 * time.Minute

// returns fails the test with every goroutine's stack if f does not return.
func returns(t testing.TB, what string, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	timer := time.NewTimer(stuck)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
		stacks := make([]byte, 1<<20)
		t.Fatalf("%s does not return\n%s", what, stacks[:runtime.Stack(stacks, true)])
	}
}

// panicked runs a function and reports whether it panicked.
func panicked(f func()) (did bool) {
	defer func() { did = recover() != nil }()
	f()
	return false
}

// serves checks that an engine takes settings that pause it, and orders.
func serves(t testing.TB, a *Allocator, id string) {
	t.Helper()
	returns(t, "a setting and an order after it", func() {
		must(t, a.SetCapacity(t.Context(), Capacity{Location: "L0", Orders: 100}))
		_, err := a.Allocate(context.Background(), ordered(id, Line{"tea", 1}))
		must(t, err, a.SetCapacity(t.Context(), Capacity{Location: "L0"}))
	})
}

// A panic in Options.Clock is caught and counted: time stands still. One in
// Options.Holidays is no holiday. Neither wedges what pauses all changes.
func TestPanicsOfTheHost(t *testing.T) {
	var broken atomic.Bool
	begin := time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)
	a := street(t, 1, Options{ManualExpiry: true,
		Clock: func() time.Time {
			if broken.Load() {
				panic("clock")
			}
			return begin
		},
		Holidays: func(string, int, time.Month, int) bool {
			if broken.Load() {
				panic("holidays")
			}
			return false
		}})
	must(t, a.SetLocations(t.Context(), Location{ID: "L0", Point: streetPoint(0),
		Terms: &Terms{Hours: "Mo-Su,PH 08:00-20:00", Zone: "UTC", Prep: time.Hour}}))
	stocked(t, a, "L0", "tea", 9)
	broken.Store(true)
	if panicked(func() {
		_, err := a.Allocate(t.Context(), ordered("o", Line{"tea", 1}))
		must(t, err)
	}) {
		t.Error("the caller got the panic")
	}
	if n := a.Stats().HostPanics; n < 2 {
		t.Errorf("%d panics are counted", n)
	}
	serves(t, a, "p")
	broken.Store(false)
	serves(t, a, "q")
}

// A clock of the host's that panics when the engine is opened is the wall clock.
func TestClockPanicsAtOpen(t *testing.T) {
	a := opened(t, Options{ManualExpiry: true, Clock: func() time.Time { panic("clock") }})
	if got := a.Stats().HostPanics; got == 0 {
		t.Error("nobody was told")
	}
}

// A panic of ours in a call leaves the engine usable: the call is counted out.
func TestPanicOfOursInACall(t *testing.T) {
	a := street(t, 1, Options{})
	stocked(t, a, "L0", "tea", 9)
	before := a.locations.Swap(nil)
	if !panicked(func() { _, _ = a.Allocate(t.Context(), ordered("o", Line{"tea", 1})) }) {
		t.Fatal("nothing happened")
	}
	a.locations.Swap(before)
	serves(t, a, "p")
	returns(t, "Close", func() { must(t, a.Close()) })
}

// A rule that calls the engine, also what pauses all changes, and the reroute of
// the very order it is asked about, waits for nobody.
func TestRulesThatCallBack(t *testing.T) {
	var a *Allocator
	var deep atomic.Bool
	calls := 0
	ctx := context.Background()
	back := func(*sourcing.Candidate) bool {
		if !deep.CompareAndSwap(false, true) { // it is asked by its own calls, too
			return true
		}
		defer deep.Store(false)
		if calls++; calls%20 == 0 { // it lets up now and then
			return true
		}
		must(t, a.SetCapacity(ctx, Capacity{Location: "L9", Orders: int64(calls)}),
			a.SetProtection(ctx, Protection{Channel: fmt.Sprint(calls % 3), Units: 0}))
		_, err := a.Allocate(ctx, ordered(fmt.Sprintf("inner%d", calls), Line{"cup", 1}))
		must(t, err)
		_, err = a.Reroute(ctx, "o")
		if !expectedRefusal(err) && !errors.Is(err, ErrNotFound) {
			t.Error(err)
		}
		_, err = a.Audit(ctx)
		must(t, err)
		return true
	}
	a = shops(t, 10, Options{Rules: sourcing.Rules{Hard: []sourcing.Filter{{Name: "back", Pass: back}}}})
	for i := range 10 {
		stocked(t, a, fmt.Sprintf("L%d", i), "cup", 1000)
	}
	returns(t, "an order, or its reroute", func() {
		confirmed(t, a, ordered("o", Line{"tea", 1}))
		got, err := a.Reject(ctx, "o")
		must(t, err)
		if got.Location == "" {
			t.Error("it is nowhere")
		}
	})
	if calls < 20 {
		t.Errorf("asked %d times", calls)
	}
	audited(t, a)
}

// A rule that blocks holds up its own order, and neither settings nor others.
func TestRuleThatBlocks(t *testing.T) {
	release, asked := make(chan struct{}), make(chan struct{}, 100)
	a := shops(t, 3, Options{Rules: sourcing.Rules{Hard: []sourcing.Filter{{Name: "slow", Pass: func(c *sourcing.Candidate) bool {
		if c.Request.Channel == "slow" {
			asked <- struct{}{}
			<-release
		}
		return true
	}}}}})
	done := make(chan error)
	go func() {
		o := ordered("slow", Line{"tea", 1})
		o.Channel = "slow"
		_, err := a.Allocate(context.Background(), o)
		done <- err
	}()
	<-asked
	serves(t, a, "quick")
	returns(t, "protection", func() {
		must(t, a.SetProtection(t.Context(), Protection{Channel: "slow", SKU: "tea", Units: 1 << 20}))
	})
	close(release)
	if err := <-done; !errors.Is(err, ErrNoLocation) { // what was set meanwhile counts
		t.Errorf("got %v", err)
	}
}

// A clock that pauses all changes whenever it is read never waits for the call that
// reads it: none of them reads it while it counts as a change, or has a lock. The
// settings read it with theirs held.
func TestClockThatPausesChanges(t *testing.T) {
	var a *Allocator
	var calls, inside atomic.Bool
	o := Options{ManualExpiry: true, Clock: func() time.Time {
		if calls.Load() && inside.CompareAndSwap(false, true) {
			defer inside.Store(false)
			must(t, a.SetProtection(context.Background(), Protection{Channel: "web", Units: 1}),
				a.SetBundles(context.Background(), Bundle{SKU: "set", Parts: []Component{{"tea", 1}}}),
				a.SetShelfLife(context.Background(), ShelfLife{SKU: "tea", Keeps: time.Hour}),
				a.SetCapacity(context.Background(), Capacity{Location: "L2", Orders: 1000}),
				a.SetWindows(context.Background(), Window{Location: "L2", Start: time.Date(2026, 3, 3, 8, 0, 0, 0, time.UTC), Length: time.Hour, Places: 1}))
		}
		return time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	}}
	a = street(t, 3, o)
	stocked(t, a, "L0", "tea", 10)
	stocked(t, a, "L1", "tea", 10)
	stocked(t, a, "L2", "tea", 10)
	must(t, a.SetRules(sourcing.Rules{CoolDown: time.Hour}))
	confirmed(t, a, ordered("o", Line{"tea", 1}))
	must(t, second(a.Reject(t.Context(), "o"))) // from now on orders look what cools down
	calls.Store(true)
	for name, call := range map[string]func() error{
		"Allocate":       func() error { return second(a.Allocate(context.Background(), ordered("p", Line{"tea", 1}))) },
		"SetSafetyStock": func() error { return a.SetSafetyStock(context.Background(), SafetyStock{SKU: "tea", Units: 1}) },
		"SetLocations": func() error {
			return a.SetLocations(context.Background(), Location{ID: "L2", Point: streetPoint(2), Kind: PickupPoint})
		},
		"Reroute": func() error { return second(a.Reroute(context.Background(), "o")) },
		"Receive": func() error {
			return a.Receive(context.Background(), Receipt{ID: "r", Location: "L0", Lines: []Line{{"tea", 1}}})
		},
		"SetProtection": func() error { return a.SetProtection(context.Background(), Protection{Channel: "app", Units: 1}) },
		"SetBundles": func() error {
			return a.SetBundles(context.Background(), Bundle{SKU: "other", Parts: []Component{{"tea", 1}}})
		},
		"SetShelfLife": func() error { return a.SetShelfLife(context.Background(), ShelfLife{SKU: "cup", Keeps: time.Hour}) },
		"SetCapacity":  func() error { return a.SetCapacity(context.Background(), Capacity{Location: "L1", Orders: 1000}) },
		"Allocate in the shadow": func() error {
			must(t, a.SetShadow(&sourcing.Rules{}))
			return second(a.Allocate(context.Background(), ordered("q", Line{"tea", 1})))
		},
	} {
		returns(t, name, func() { must(t, call()) })
	}
	calls.Store(false)
}

// A clock that blocks, and one that calls back, holds nobody else up.
func TestClockThatBlocks(t *testing.T) {
	var block atomic.Bool
	release, blocked := make(chan struct{}), make(chan struct{}, 1)
	begin := time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)
	var a *Allocator
	a = street(t, 1, Options{ManualExpiry: true, Clock: func() time.Time {
		if a != nil {
			a.Stats()
		}
		if block.CompareAndSwap(true, false) {
			blocked <- struct{}{}
			<-release
		}
		return begin
	}})
	stocked(t, a, "L0", "tea", 9)
	block.Store(true)
	done := make(chan error)
	go func() {
		_, err := a.Allocate(context.Background(), ordered("o", Line{"tea", 1}))
		done <- err
	}()
	<-blocked
	serves(t, a, "p")
	close(release)
	must(t, <-done)
}

// handler is a slog.Handler that does what it is told.
type handler struct{ handle func(slog.Record) }

func (h handler) Enabled(context.Context, slog.Level) bool { return true }
func (h handler) Handle(_ context.Context, r slog.Record) error {
	h.handle(r)
	return nil
}
func (h handler) WithAttrs([]slog.Attr) slog.Handler { return h }
func (h handler) WithGroup(string) slog.Handler      { return h }

// A logger that panics, one that blocks and one that closes the engine harm nobody.
func TestLoggers(t *testing.T) {
	for name, handle := range map[string]func(a *Allocator, block chan struct{}){
		"panics": func(*Allocator, chan struct{}) { panic("logger") },
		"blocks": func(_ *Allocator, block chan struct{}) { <-block },
		"closes": func(a *Allocator, _ chan struct{}) {
			if a != nil {
				_ = a.Close()
			}
		},
		"ends": func(*Allocator, chan struct{}) { runtime.Goexit() },
	} {
		t.Run(name, func(t *testing.T) {
			block := make(chan struct{})
			var engine atomic.Pointer[Allocator]
			a, err := Open(t.Context(), Options{Dir: t.TempDir(), Logger: slog.New(handler{func(slog.Record) { handle(engine.Load(), block) }})})
			must(t, err)
			engine.Store(a)
			for range 2 * 1024 {
				a.options.Logger.Info("something")
			}
			if name != "closes" {
				must(t, a.SetLocations(t.Context(), Location{ID: "L0", Point: streetPoint(0)}))
				stocked(t, a, "L0", "tea", 9)
				serves(t, a, "o")
			}
			returns(t, "Close", func() { must(t, a.Close()) })
			close(block)
		})
	}
}

// walks are the walks of the door; each runs a body for every step.
var walks = map[string]func(a *Allocator, body func()){
	"Quotas": func(a *Allocator, body func()) {
		for range a.Quotas() {
			body()
		}
	},
	"Loans": func(a *Allocator, body func()) {
		for range a.Loans() {
			body()
		}
	},
	"Protections": func(a *Allocator, body func()) {
		for range a.Protections() {
			body()
		}
	},
	"Bundles": func(a *Allocator, body func()) {
		for range a.Bundles() {
			body()
		}
	},
	"ShelfLives": func(a *Allocator, body func()) {
		for range a.ShelfLives() {
			body()
		}
	},
	"Windows": func(a *Allocator, body func()) {
		for range a.Windows("", time.Time{}, time.Time{}) {
			body()
		}
	},
	"Capacities": func(a *Allocator, body func()) {
		for range a.Capacities() {
			body()
		}
	},
	"Locations": func(a *Allocator, body func()) {
		for range a.Locations() {
			body()
		}
	},
	"Events": func(a *Allocator, body func()) {
		for range a.Events(context.Background(), 0) {
			body()
		}
	},
	"Nearby": func(a *Allocator, body func()) {
		found, _ := a.Nearby(Order{Near: streetPoint(0), Lines: []Line{{"tea", 1}}})
		for range found {
			body()
		}
	},
	"Candidates": func(a *Allocator, body func()) {
		found, _ := a.Candidates(ordered("", Line{"tea", 1}))
		for range found {
			body()
		}
	},
	"RerouteFrom": func(a *Allocator, body func()) {
		_ = a.RerouteFrom(context.Background(), "L0", func(int, int, Allocation, error) bool { body(); return true })
	},
}

// walkable is an engine in which every walk has something to find.
func walkable(t *testing.T) *Allocator {
	t.Helper()

	a := shops(t, 3, Options{FeedBytes: 1 << 20})
	must(t, a.SetQuota(t.Context(), Quota{ID: "q1", Channel: "app", SKU: "tea", Location: "L0", Units: 1},
		Quota{ID: "q2", Channel: "app", SKU: "tea", Location: "L1", Units: 1}),
		a.Borrow(t.Context(), Loan{ID: "b", SKU: "tea", Location: "L0", To: "app", Units: 1}),
		a.SetProtection(t.Context(), Protection{Channel: "web", Units: 1}),
		a.SetBundles(t.Context(), Bundle{SKU: "set", Parts: []Component{{SKU: "tea", Quantity: 2}}}),
		a.SetShelfLife(t.Context(), ShelfLife{SKU: "cup", Keeps: time.Hour}),
		a.SetCapacity(t.Context(), Capacity{Location: "L0", Orders: 9}),
		a.SetWindows(t.Context(), Window{Location: "L0", Start: time.Now().Add(time.Hour).Truncate(time.Second), Length: time.Hour, Places: 3}))
	o := ordered("o", Line{"tea", 1})
	o.At = "L0"
	_, err := a.Allocate(t.Context(), o)
	must(t, err)
	return a
}

// Every walk can be broken off, panicked out of and closed in: nothing is counted
// while the caller's loop runs.
func TestCloseInsideAWalk(t *testing.T) {
	for name, walk := range walks {
		t.Run(name, func(t *testing.T) {
			a, bodies := walkable(t), 0
			returns(t, "Close inside of it", func() {
				walk(a, func() { bodies++; must(t, a.Close()) })
			})
			if bodies == 0 {
				t.Error("there was nothing to walk")
			}
			a = walkable(t)
			if !panicked(func() { walk(a, func() { panic("the caller's loop") }) }) {
				t.Error("the panic is lost")
			}
			returns(t, "a setting after a panic inside of it", func() {
				must(t, a.SetCapacity(t.Context(), Capacity{Location: "L1", Orders: 100}), a.Close())
			})
		})
	}
}
