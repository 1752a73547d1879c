package reservationtest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
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
	"begins behind":         "read-from-within",
	"reads on":              "read-stops",
	"shows half":            "read-while-appending",
	"last is late":          "tail",
	"tail forgets ctx":      "tail-ends",
	"trims too much":        "trim",
	"trims within":          "trim",
	"reads what is gone":    "trim",
	"writes when closed":    "close",
	"forgets the end":       "reopen",
	"trims at any time":     "random-program",
}

// A list is a log in memory that outlives its handles, with at most one flaw.
type list struct {
	flaw   flaw
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

func (l *list) Append(expected uint64, count int, payload []byte) error {
	k := l.kept
	k.mu.Lock()
	defer k.mu.Unlock()
	if l.isClosed() && l.flaw != "writes when closed" {
		return ErrClosed
	}
	if expected != k.last+1 && l.flaw != "takes any sequence" || k.upset {
		k.upset = l.flaw == "refuses after refusal"
		return ErrSequence
	}
	if l.flaw == "loses payload" && len(payload) > 100_000 {
		payload = payload[:100_000]
	}
	if l.flaw != "keeps the slice" {
		payload = slices.Clone(payload)
	}
	f := frame{first: k.last + 1, count: count, payload: payload}
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

func (l *list) Read(from uint64, each func(first uint64, count int, payload []byte) bool) error {
	k := l.kept
	k.mu.Lock()
	if l.isClosed() {
		k.mu.Unlock()
		return ErrClosed
	}
	if from < k.first && l.flaw != "reads what is gone" {
		k.mu.Unlock()
		return ErrTrimmed
	}
	frames := slices.Clone(k.frames)
	k.mu.Unlock()
	if l.flaw == "shows half" && len(frames) > 10 {
		frames = frames[:len(frames)-1]
	}
	for _, f := range frames {
		if from >= f.next() || l.flaw == "begins behind" && from > f.first {
			continue
		}
		if !each(f.first, f.count, f.payload) && l.flaw != "reads on" {
			break
		}
	}
	return nil
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
			return ErrClosed
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

func (l *list) Reopen(*testing.T) Log {
	k := l.kept
	if n := len(k.frames); l.flaw == "forgets the end" && n > 30 {
		k.frames, k.last = k.frames[:n-1], k.frames[n-1].first-1
	}
	return &list{flaw: l.flaw, kept: k, closed: make(chan struct{})}
}

func TestListPasses(t *testing.T) {
	RunLog(t, func(*testing.T) Log { return newList("") })
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
			if err := l.Close(); err != nil && !errors.Is(err, ErrClosed) {
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
