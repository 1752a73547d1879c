package gate

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// logbook hands what the engine logs on to the host's handler, by a goroutine of
// its own: the handler may block, panic, or call the engine, and the engine logs
// under locks of the journal.
//
// Bound: logbookRoom records wait; what comes while there are so many is dropped,
// and the next that finds room says how many were.
type logbook struct {
	queue   chan logged
	over    chan struct{} // closed by close
	ended   chan struct{} // closed when everything was handed on
	once    sync.Once
	dropped atomic.Uint64
	panics  *panics
}

// logged is a record, and the handler it is for.
type logged struct {
	to     slog.Handler
	record slog.Record
}

const (
	logbookRoom = 1024
	// logbookPatience is how long Close waits for a handler to take what was
	// logged, which may have been blocked, or be the caller of Close.
	logbookPatience = time.Second
)

// newLogbook begins to hand records on. close must follow.
func newLogbook(p *panics) *logbook {
	b := &logbook{queue: make(chan logged, logbookRoom), over: make(chan struct{}), ended: make(chan struct{}), panics: p}
	go b.run()
	return b
}

// close lets the goroutine end when it has handed on what was logged so far, and
// waits a while for that.
func (b *logbook) close() {
	if b == nil {
		return
	}
	b.once.Do(func() { close(b.over) })
	timer := time.NewTimer(logbookPatience)
	defer timer.Stop()
	select {
	case <-b.ended:
	case <-timer.C:
	}
}

func (b *logbook) run() {
	returned := false
	defer func() {
		if !returned { // the handler has ended the goroutine
			go b.run()
			return
		}
		close(b.ended)
	}()
	for {
		select {
		case l := <-b.queue:
			b.hand(l)
			continue
		default:
		}
		select {
		case l := <-b.queue:
			b.hand(l)
		case <-b.over:
			if len(b.queue) == 0 {
				returned = true
				return
			}
		}
	}
}

func (b *logbook) hand(l logged) {
	defer func() {
		if value := recover(); value != nil {
			b.panics.host.Add(1) // who would be told has just panicked
		}
	}()
	ctx := context.Background()
	if n := b.dropped.Swap(0); n > 0 && l.to.Enabled(ctx, slog.LevelWarn) {
		r := slog.NewRecord(l.record.Time, slog.LevelWarn, "log records dropped: the handler is too slow", 0)
		r.AddAttrs(slog.Uint64("records", n))
		_ = l.to.Handle(ctx, r)
	}
	if l.to.Enabled(ctx, l.record.Level) {
		_ = l.to.Handle(ctx, l.record) // there is nobody to tell
	}
}

// entrance is the slog.Handler by which the engine logs into a logbook. Safe for
// concurrent use.
type entrance struct {
	book *logbook
	to   slog.Handler
}

// Enabled always says yes: the handler is asked where it may take its time.
func (e entrance) Enabled(context.Context, slog.Level) bool { return true }

// Handle takes a record over.
func (e entrance) Handle(_ context.Context, r slog.Record) error {
	select {
	case e.book.queue <- logged{e.to, r}:
	default:
		e.book.dropped.Add(1)
	}
	return nil
}

// WithAttrs is there for the interface, as WithGroup is: the engine names all its
// attributes where it logs.
func (e entrance) WithAttrs(attrs []slog.Attr) slog.Handler {
	return entrance{e.book, e.to.WithAttrs(attrs)}
}

// WithGroup is as WithAttrs.
func (e entrance) WithGroup(name string) slog.Handler { return entrance{e.book, e.to.WithGroup(name)} }
