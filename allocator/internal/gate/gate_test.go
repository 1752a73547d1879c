package gate

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clickcollect/clickcollect/reservation"
)

// opened is a gate with a ledger in memory. With history calls wait for a journal.
func opened(t *testing.T, o Options, history int) *Gate {
	t.Helper()
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	g := new(Gate)
	logger := g.Open(o)
	g.Start(reservation.New(reservation.Options{FeedBytes: history, Logger: logger}))
	return g
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// beginnings are all ways in, each for a call that does nothing.
func beginnings(g *Gate) map[string]func(context.Context) (Call, error) {
	return map[string]func(context.Context) (Call, error){
		"Enter":        func(context.Context) (Call, error) { return g.Enter() },
		"Begin":        g.Begin,
		"BeginAt":      func(ctx context.Context) (Call, error) { return g.BeginAt(ctx, 7) },
		"Admit":        g.Admit,
		"AdmitSetting": g.AdmitSetting,
	}
}

// Close waits for every kind of call, however it ends, and none begins after it.
func TestCloseWaitsForCalls(t *testing.T) {
	endings := map[string]func(*Call) error{
		"End":          func(c *Call) error { c.End(); return nil },
		"Leave":        func(c *Call) error { c.Leave(); return nil },
		"Wait":         func(c *Call) error { return c.Wait(context.Background(), reservation.Ticket{}) },
		"Settle":       func(c *Call) error { return c.Settle(context.Background()) },
		"LeaveRead":    func(c *Call) error { return c.LeaveRead(reservation.Ticket{}) },
		"LeaveSettled": func(c *Call) error { return c.LeaveSettled() },
	}
	for _, o := range []struct {
		live    bool
		history int
	}{{}, {history: 1 << 16}, {live: true, history: 1 << 16}} {
		for in := range beginnings(new(Gate)) {
			for out, end := range endings {
				synctest.Test(t, func(t *testing.T) {
					g := opened(t, Options{LiveReads: o.live}, o.history)
					c, err := beginnings(g)[in](t.Context())
					must(t, err)
					done := false
					go func() {
						if err := g.Close(); err != nil {
							t.Error(err)
						}
						done = true
					}()
					synctest.Wait()
					if done {
						t.Errorf("%s, %s: Close did not wait", in, out)
					}
					must(t, end(&c))
					synctest.Wait()
					if !done {
						t.Fatalf("%s, %s: Close still waits", in, out)
					}
					for name, begin := range beginnings(g) {
						if _, err := begin(t.Context()); !errors.Is(err, ErrClosed) {
							t.Errorf("%s after Close: %v", name, err)
						}
					}
				})
			}
		}
	}
}

// A call that ends by a panic is counted out, and its memory is not used again.
func TestPanicCountsOut(t *testing.T) {
	g := opened(t, Options{}, 0)
	for name, begin := range beginnings(g) {
		func() {
			defer func() { _ = recover() }()
			c, err := begin(t.Context())
			must(t, err)
			defer c.End()
			c.Memory = "in any state"
			panic(name)
		}()
	}
	for range 100 {
		c, err := g.Enter()
		must(t, err)
		if c.Memory != nil {
			t.Fatal("memory of a call that panicked was used again")
		}
		c.Leave()
	}
	g.Pause()()
	must(t, g.Close())
}

// What one call leaves in its memory one of the next finds.
func TestMemoryIsKept(t *testing.T) {
	g := opened(t, Options{}, 0)
	found := false
	for range 1000 {
		c, err := g.Begin(t.Context())
		must(t, err)
		found = found || c.Memory != nil
		c.Memory = "kept"
		c.Leave()
	}
	if !found {
		t.Error("no call found what one before it had left")
	}
	must(t, g.Close())
}

// A pause waits for changes, lets none begin and holds no read up; who waits for its
// end goes by his context, and by Close.
func TestPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := opened(t, Options{}, 0)
		change, err := g.Begin(t.Context())
		must(t, err)
		read, err := g.Enter()
		must(t, err)
		var on, changes, canceled, refused atomic.Int32
		over := make(chan struct{})
		go func() {
			resume := g.Pause()
			on.Add(1)
			<-over
			resume()
		}()
		synctest.Wait()
		if on.Load() != 0 || !g.Paused() {
			t.Error("the pause did not wait for a change under way")
		}
		change.Leave()
		synctest.Wait()
		if on.Load() != 1 || g.Epoch() != 1 {
			t.Error("the pause waits for a read, or is not counted")
		}
		read.Leave()
		ctx, cancel := context.WithCancel(t.Context())
		begin := func(ctx context.Context) {
			c, err := g.Begin(ctx)
			switch {
			case err == nil:
				changes.Add(1)
				c.Leave()
			case errors.Is(err, context.Canceled):
				canceled.Add(1)
			case errors.Is(err, ErrClosed):
				refused.Add(1)
			}
		}
		go begin(t.Context())
		go begin(ctx)
		synctest.Wait()
		cancel()
		synctest.Wait()
		if changes.Load() != 0 || canceled.Load() != 1 {
			t.Errorf("%d began in the pause, %d ended by their context", changes.Load(), canceled.Load())
		}
		close(over)
		synctest.Wait()
		if changes.Load() != 1 {
			t.Error("a change still waits after the pause")
		}
		resume := g.Pause()
		go begin(t.Context())
		synctest.Wait()
		must(t, g.Close())
		synctest.Wait()
		if refused.Load() != 1 {
			t.Error("Close did not wake who waits for the end of a pause")
		}
		resume()
	})
}

// A change that stands aside holds up no pause, and waits for the end of one before it
// counts again, at a later engine time.
func TestAside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := opened(t, Options{}, 0)
		c, err := g.Begin(t.Context())
		must(t, err)
		began, epoch := c.Now(), g.Epoch()
		c.Resume() // it counts already
		c.Aside()
		c.Aside()
		go func() {
			resume := g.Pause()
			time.Sleep(time.Second)
			resume()
		}()
		synctest.Wait()
		c.Resume()
		if g.Paused() || c.Now() != began+1000 || g.Epoch() != epoch+1 {
			t.Fatalf("resumed at %d, began at %d", c.Now(), began)
		}
		c.Leave()
		g.Pause()()
		must(t, g.Close())
	})
}

// A loop over a walk runs while the call is not counted: it may close the gate, which
// ends the walk, and it may panic.
func TestYield(t *testing.T) {
	g := opened(t, Options{}, 0)
	c, err := g.Enter()
	must(t, err)
	if !c.Yield(func() bool { g.Pause()(); return true }) || c.Yield(func() bool { return false }) {
		t.Error("a loop is told to go on by its own answer")
	}
	func() {
		defer func() { _ = recover() }()
		c, err := g.Enter()
		must(t, err)
		defer c.End()
		c.Yield(func() bool { panic("the loop") })
	}()
	if c.Yield(func() bool { must(t, g.Close()); return true }) {
		t.Error("the walk goes on after Close")
	}
	c.Leave()
}

// Counters are of all calls, and a call sees its own.
func TestCounters(t *testing.T) {
	g := opened(t, Options{}, 0)
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for range 100 {
				c, err := g.Enter()
				if err != nil {
					t.Error(err)
					return
				}
				before := c.Counted(Refused)
				c.Count(Refused)
				if c.Counted(Refused) <= before {
					t.Error("a call does not see what it has counted")
				}
				c.Leave()
			}
		})
	}
	wait.Wait()
	if got := g.Counted(Refused); got != 800 || g.Counted(Allocated) != 0 {
		t.Errorf("%d counted", got)
	}
	must(t, g.Close())
}

// WhileOpen ends with Close, and says so.
func TestWhileOpen(t *testing.T) {
	g := opened(t, Options{}, 0)
	ctx, cancel := context.WithCancel(t.Context())
	bound, stop := g.WhileOpen(ctx)
	cancel()
	<-bound.Done()
	if err := Ended(bound, bound.Err()); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	stop()
	bound, stop = g.WhileOpen(t.Context())
	defer stop()
	must(t, g.Close())
	<-bound.Done()
	if err := Ended(bound, bound.Err()); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	other := errors.New("other")
	if err := Ended(bound, other); err != other {
		t.Error(err)
	}
}

// A panic of ours in a goroutine of the engine's is counted, and the goroutine goes
// on; so it does when a function of the host's ends it.
func TestKeep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := opened(t, Options{}, 0)
		steps := 0
		g.Keep("test", make(chan struct{}, 1), func() time.Duration {
			switch steps++; steps {
			case 1:
				panic("ours")
			case 2:
				runtime.Goexit()
			}
			return time.Hour
		})
		time.Sleep(time.Minute)
		synctest.Wait()
		if _, own := g.Panics(); steps != 3 || own != 1 {
			t.Errorf("%d steps, %d panics counted", steps, own)
		}
		must(t, g.Close())
		if g.Life().Err() == nil {
			t.Error("its life has not ended")
		}
	})
}

// A function of the host's that panics is counted.
func TestHost(t *testing.T) {
	g := opened(t, Options{}, 0)
	if !g.Host("f", func() {}) || g.Host("f", func() { panic("host") }) {
		t.Error("what a panic answers")
	}
	if host, _ := g.Panics(); host != 1 {
		t.Errorf("%d panics counted", host)
	}
	must(t, g.Close())
}

// Engine time follows the steps forward of the host's clock, stands still while it
// panics, and is never behind what was recorded.
func TestCustomClock(t *testing.T) {
	at := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	broken := false
	g := opened(t, Options{MaxClockGap: time.Hour, Clock: func() time.Time {
		if broken {
			panic("clock")
		}
		return at
	}}, 0)
	begun := g.Now()
	step := func(by time.Duration) int64 {
		at = at.Add(by)
		return g.Now() - begun
	}
	if begun != Millis(at) || step(time.Second) != 1000 || step(-time.Hour) != 1000 || step(time.Second) != 2000 {
		t.Errorf("began at %v, now %v", FromMillis(begun), FromMillis(g.Now()))
	}
	broken = true
	if step(time.Second) != 2000 {
		t.Error("it did not stand still")
	}
	must(t, g.Close())

	var c clock
	for _, last := range []struct{ recorded, want time.Duration }{{-time.Minute, 0}, {-2 * time.Hour, -time.Hour}, {time.Hour, time.Hour}} {
		o := Options{MaxClockGap: time.Hour, Clock: func() time.Time { return at }, Logger: slog.New(slog.DiscardHandler)}
		c = clock{}
		c.start(Millis(at.Add(last.recorded)), &o, new(panics))
		if got := FromMillis(c.now()).Sub(at); got != last.want {
			t.Errorf("recorded %v after the wall clock: begins at %v", last.recorded, got)
		}
	}
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

// A logger that panics, one that blocks and one that ends its goroutine hold nobody up.
func TestLoggers(t *testing.T) {
	for name, handle := range map[string]func(block chan struct{}){
		"panics": func(chan struct{}) { panic("logger") },
		"blocks": func(block chan struct{}) { <-block },
		"ends":   func(chan struct{}) { runtime.Goexit() },
	} {
		t.Run(name, func(t *testing.T) {
			block := make(chan struct{})
			g := new(Gate)
			logger := g.Open(Options{Logger: slog.New(handler{func(slog.Record) { handle(block) }})})
			for range 2 * logbookRoom {
				logger.Info("something")
			}
			must(t, g.Close())
			close(block)
			<-g.logbook.ended
		})
	}
}

// What does not fit into the logbook is dropped, and said.
func TestLogbookSaysWhatItDropped(t *testing.T) {
	var mu sync.Mutex
	var said []string
	block := make(chan struct{})
	var p panics
	b := newLogbook(&p)
	log := slog.New(entrance{b, handler{func(r slog.Record) {
		<-block
		mu.Lock()
		defer mu.Unlock()
		said = append(said, r.Message)
	}}})
	for range logbookRoom + 10 {
		log.Info("once")
	}
	close(block)
	b.close()
	<-b.ended
	if dropped := logbookRoom + 10 + 1 - len(said); said[len(said)-1] != "once" || dropped < 8 || dropped > 10 {
		t.Errorf("%d records, %d dropped", len(said), dropped)
	}
}
