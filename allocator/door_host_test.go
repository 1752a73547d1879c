package allocator_test

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// doorPanic is what the suite itself panics with.
type doorPanic string

// doorHost is the functions of the host's. Now and then one of them panics, blocks
// until the next tick, or calls the engine.
type doorHost struct {
	d      *door
	on     atomic.Bool
	mu     sync.Mutex
	draw   *rand.Rand
	n      atomic.Uint64
	inside atomic.Bool // one of them calls the engine; that one's own functions do not
}

// odd is called by each function of the host's.
func (h *doorHost) odd(name string) {
	if !h.on.Load() {
		return
	}
	h.mu.Lock()
	at := h.draw.IntN(4000)
	h.mu.Unlock()
	switch {
	case at < 10:
		panic(doorPanic(name))
	case at < 14:
		<-h.d.guard.next()
	case at < 40 && h.inside.CompareAndSwap(false, true):
		defer h.inside.Store(false)
		c := h.d.caller(doorHosts + h.n.Add(1))
		c.deep, c.inner = doorDeepest, true
		c.step()
	}
}

// now is Options.Clock.
func (d *door) now() time.Time {
	d.host.odd("clock")
	return doorBegin.Add(time.Duration(d.passed.Load()) * time.Millisecond)
}

// holiday is Options.Holidays.
func (d *door) holiday(string, int, time.Month, int) bool {
	d.host.odd("holidays")
	return false
}

// doorLogger is the handler of Options.Logger.
type doorLogger struct{ d *door }

func (l doorLogger) Enabled(context.Context, slog.Level) bool { return true }

func (l doorLogger) Handle(context.Context, slog.Record) error {
	l.d.host.odd("logger")
	return nil
}

func (l doorLogger) WithAttrs([]slog.Attr) slog.Handler { return l }

func (l doorLogger) WithGroup(string) slog.Handler { return l }
