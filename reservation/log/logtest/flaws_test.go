package logtest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/clickcollect/clickcollect/reservation/log"
)

// A flaw is a promise that a list does not keep.
type flaw string

// The flaws, each with the check that is there for it.
var flaws = map[flaw]string{
	"starts at two":         "new",
	"loses payload":         "append-read",
	"adds a frame":          "append-read",
	"keeps the slice":       "payload-not-kept",
	"takes any sequence":    "expected-sequence",
	"refuses after refusal": "expected-sequence",
	"says no sequence":      "expected-sequence",
	"takes too little":      "sizes",
	"takes anything":        "sizes",
	"stops when too large":  "sizes",
	"takes no records":      "sizes",
	"takes no bytes":        "sizes",
	"begins behind":         "read-from-within",
	"reads on":              "read-stops",
	"shows half":            "read-while-appending",
	"last is late":          "tail",
	"tail forgets ctx":      "tail-ends",
	"trims too much":        "trim",
	"trims within":          "trim",
	"reads what is gone":    "trim",
	"says not what is gone": "trim",
	"writes when closed":    "close",
	"forgets the end":       "reopen",
	"writes when fenced":    "fence",
	"fences once":           "fence",
	"fence is a sequence":   "fence",
	"fence is unknown":      "fence",
	"fences itself":         "fence",
	"forgets its epoch":     "fence",
	"trims at any time":     "random-program",
}

// A list is a log in memory that outlives its handles, with at most one flaw.
type list struct {
	flaw   flaw
	epoch  uint64
	told   bool // that it is fenced
	kept   *listContent
	closed chan struct{}
	once   sync.Once
}

type listContent struct {
	mu     sync.Mutex
	frames []frame
	first  uint64
	last   uint64
	more   chan struct{}
	epoch  uint64
	upset  bool
}

func newList(f flaw) *list {
	kept := &listContent{first: 1, more: make(chan struct{})}
	if f == "starts at two" {
		kept.first = 2
	}
	return &list{flaw: f, kept: kept, closed: make(chan struct{})}
}

func (l *list) isClosed() bool {
	select {
	case <-l.closed:
		return true
	default:
		return false
	}
}

func (l *list) checkFrame(count int, payload []byte) error {
	switch {
	case l.flaw == "takes anything", l.flaw == "takes no records" && count == 0, l.flaw == "takes no bytes" && len(payload) == 0:
		return nil
	case l.flaw == "stops when too large" && len(payload) > log.PayloadBytes:
		return log.ErrJournal
	case l.flaw == "takes too little":
		return log.CheckFrame(count, payload, log.PayloadBytes-1)
	}
	return log.CheckFrame(count, payload, log.PayloadBytes)
}

// fenced refuses what another owner keeps out. The mutex is held.
func (l *list) fenced(expected uint64) error {
	k := l.kept
	if k.epoch == l.epoch || l.flaw == "writes when fenced" || l.flaw == "fences once" && l.told {
		return nil
	}
	l.told = true
	err := &log.FencedError{Epoch: l.epoch, By: k.epoch}
	switch l.flaw {
	case "fence is a sequence":
		return &log.SequenceError{Expected: expected, Last: k.last}
	case "fence is unknown":
		return fmt.Errorf("%w: %w", log.ErrJournal, err)
	case "fences itself":
		err.By = l.epoch
	}
	return err
}

func (l *list) Append(expected uint64, count int, payload []byte) error {
	if err := l.checkFrame(count, payload); err != nil {
		return err
	}
	k := l.kept
	k.mu.Lock()
	defer k.mu.Unlock()
	if l.isClosed() && l.flaw != "writes when closed" {
		return log.ErrClosed
	}
	if err := l.fenced(expected); err != nil {
		return err
	}
	if expected != k.last+1 && l.flaw != "takes any sequence" || k.upset {
		k.upset = l.flaw == "refuses after refusal"
		if l.flaw == "says no sequence" {
			return log.ErrSequence
		}
		return &log.SequenceError{Expected: expected, Last: k.last}
	}
	if l.flaw == "loses payload" && len(payload) > 100_000 {
		payload = payload[:100_000]
	}
	if l.flaw != "keeps the slice" {
		payload = slices.Clone(payload)
	}
	f := frame{first: k.last + 1, count: count, epoch: l.epoch, payload: payload}
	if l.flaw == "forgets its epoch" && l.epoch > 2 {
		f.epoch = 0
	}
	k.frames = append(k.frames, f)
	if l.flaw == "adds a frame" && len(k.frames) == 200 {
		k.frames = append(k.frames, frame{first: f.next(), count: 1, payload: []byte("more")})
	}
	if l.flaw != "last is late" || len(k.frames) < 2 {
		k.last = f.next() - 1
	}
	close(k.more)
	k.more = make(chan struct{})
	return nil
}

func (l *list) Read(from uint64) iter.Seq2[log.Frame, error] {
	return func(yield func(log.Frame, error) bool) {
		frames, err := l.snapshot(from)
		if err != nil {
			yield(log.Frame{}, err)
			return
		}
		for _, f := range frames {
			if from >= f.next() || l.flaw == "begins behind" && from > f.first {
				continue
			}
			if !yield(log.Frame{First: f.first, Count: f.count, Epoch: f.epoch, Payload: f.payload}, nil) && l.flaw != "reads on" {
				return
			}
		}
	}
}

// snapshot is the frames there are now.
func (l *list) snapshot(from uint64) ([]frame, error) {
	k := l.kept
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case l.isClosed():
		return nil, log.ErrClosed
	case from < k.first && l.flaw == "says not what is gone":
		return nil, log.ErrTrimmed
	case from < k.first && l.flaw != "reads what is gone":
		return nil, &log.TrimmedError{First: k.first}
	}
	frames := slices.Clone(k.frames)
	if l.flaw == "shows half" && len(frames) > 10 {
		frames = frames[:len(frames)-1]
	}
	return frames, nil
}

func (l *list) First() uint64 { l.kept.mu.Lock(); defer l.kept.mu.Unlock(); return l.kept.first }
func (l *list) Last() uint64  { l.kept.mu.Lock(); defer l.kept.mu.Unlock(); return l.kept.last }
func (l *list) Sync() error   { return nil }
func (l *list) Close() error  { l.once.Do(func() { close(l.closed) }); return nil }

func (l *list) Tail(ctx context.Context, after uint64) error {
	for {
		l.kept.mu.Lock()
		last, more := l.kept.last, l.kept.more
		l.kept.mu.Unlock()
		if last > after && !l.isClosed() {
			return nil
		}
		select {
		case <-ctx.Done():
			if l.flaw == "tail forgets ctx" {
				return nil
			}
			return ctx.Err()
		case <-l.closed:
			return log.ErrClosed
		case <-more:
		}
	}
}

func (l *list) Trim(below uint64) error {
	k := l.kept
	k.mu.Lock()
	defer k.mu.Unlock()
	if l.flaw == "trims too much" {
		below++
	}
	gone := 0
	for gone < len(k.frames) && k.frames[gone].next() <= below {
		gone++
	}
	if l.flaw == "trims at any time" && below%16 == 9 {
		gone = len(k.frames)
	}
	for _, f := range k.frames[:gone] {
		k.first = f.next()
	}
	k.frames = slices.Delete(k.frames, 0, gone)
	if l.flaw == "trims within" && below > k.first {
		k.first = min(below, k.last)
	}
	return nil
}

func (l *list) Reopen(*testing.T) log.Log {
	k := l.kept
	if n := len(k.frames); l.flaw == "forgets the end" && n > 30 {
		k.frames, k.last = k.frames[:n-1], k.frames[n-1].first-1
	}
	return l.another()
}

func (l *list) Fence(*testing.T) log.Log { return l.another() }

// another is a handle that owns the list.
func (l *list) another() *list {
	k := l.kept
	k.mu.Lock()
	defer k.mu.Unlock()
	k.epoch++
	return &list{flaw: l.flaw, epoch: k.epoch, kept: k, closed: make(chan struct{})}
}

// TestStorePasses holds the log for tests to the suite.
func TestStorePasses(t *testing.T) {
	RunLog(t, func(*testing.T) log.Log { return new(Store).Open("a") })
}

func TestListPasses(t *testing.T) {
	RunLog(t, func(*testing.T) log.Log { return newList("") })
}

// TestFlawsAreFound is the suite's own trial: every flaw is found by the check
// that is there for it, and every check finds one.
func TestFlawsAreFound(t *testing.T) {
	found := make(map[string]bool)
	for f, name := range flaws {
		t.Run(strings.ReplaceAll(string(f), " ", "-"), func(t *testing.T) {
			i := slices.IndexFunc(logChecks[:], func(c logCheck) bool { return c.name == name })
			if i < 0 {
				t.Fatalf("there is no check %q", name)
			}
			l := newList(f)
			if err := logChecks[i].run(t, l); err == nil {
				t.Errorf("the check %q passes a log that %s", name, f)
			} else {
				t.Log(err)
			}
			if err := l.Close(); err != nil && !errors.Is(err, log.ErrClosed) {
				t.Error(err)
			}
			found[name] = true
		})
	}
	for _, c := range logChecks {
		if !found[c.name] {
			t.Errorf("the check %q has no flaw to find", c.name)
		}
	}
}
