package book

import (
	"flag"
	"fmt"
	"math"
	"runtime"
	"testing"

	"pgregory.net/rapid"

	"github.com/clickcollect/clickcollect/reservation/internal/book/wheel"
)

// quietTB takes a failure in the place of a test.
type quietTB struct {
	rapid.TB
	failed bool
	why    string
}

func (q *quietTB) Helper()             {}
func (q *quietTB) Name() string        { return "canary" }
func (q *quietTB) Logf(string, ...any) {}
func (q *quietTB) Log(...any)          {}
func (q *quietTB) Failed() bool        { return q.failed }
func (q *quietTB) Fail()               { q.failed = true }
func (q *quietTB) Error(a ...any)      { q.failed, q.why = true, fmt.Sprint(a...) }
func (q *quietTB) FailNow() {
	q.failed = true
	runtime.Goexit()
}

func (q *quietTB) Errorf(format string, a ...any) { q.failed, q.why = true, fmt.Sprintf(format, a...) }

func (q *quietTB) Fatalf(format string, a ...any) {
	q.Errorf(format, a...)
	q.FailNow()
}

func (q *quietTB) Fatal(a ...any) {
	q.Error(a...)
	q.FailNow()
}

// eachRecord visits the live records of a book.
func eachRecord(b *Book, visit func(s *shard, r record) (more bool)) {
	for i := range b.shards {
		s := &b.shards[i]
		for _, ref := range s.index.References(nil) {
			if !visit(s, s.record(ref)) {
				return
			}
		}
	}
}

// brokenBooks are ways to break a book after each step.
func brokenBooks() map[string]func(*Book) {
	return map[string]func(*Book){
		"a timer is dropped": func(b *Book) {
			eachRecord(b, func(_ *shard, r record) bool {
				if r.has(flagArmed) {
					r.setFlag(flagArmed, false)
				}
				return !r.has(flagArmed)
			})
		},
		"a timer stays when nobody waits for it": func(b *Book) {
			eachRecord(b, func(_ *shard, r record) bool {
				if r.kind() == KindOrder && r.has(flagQueued) {
					r.setFlag(flagArmed, true)
				}
				return true
			})
		},
		"dead slots of a shelf are not counted": func(b *Book) {
			for location := range uint32(6) {
				if f := b.shelves.of(location); f != nil {
					f.dead = 0
				}
			}
		},
		"an order is missing from a view": func(b *Book) {
			eachRecord(b, func(s *shard, r record) bool {
				if r.extra() == 0 {
					return true
				}
				x := s.extra(r.extra())
				if node := x.node(ByCustomer); node != 0 {
					b.views[ByCustomer].remove(b.viewHash(ByCustomer, x.key(ByCustomer, r.id())), node)
					x.setNode(ByCustomer, 0)
					return false
				}
				return true
			})
		},
		"a reminder counts as given": func(b *Book) {
			eachRecord(b, func(_ *shard, r record) bool {
				r.setFlag(flagReminded, true)
				return true
			})
		},
		"an order that lives is not counted": func(b *Book) { b.shards[0].live.Add(-1) },
		"a remembered entry is not counted":  func(b *Book) { b.shards[0].kept.Add(-1) },
		"the next time due is forgotten": func(b *Book) {
			for i := range b.shards {
				b.shards[i].next.Store(wheel.Never)
			}
		},
	}
}

// Each way to break a book must be seen by the model.
func TestModelCatchesBrokenBooks(t *testing.T) {
	for name, value := range map[string]string{"rapid.nofailfile": "true", "rapid.shrinktime": "0s"} {
		if f := flag.Lookup(name); f != nil {
			defer f.Value.Set(f.Value.String())
			if err := f.Value.Set(value); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, sabotage := range brokenBooks() {
		t.Run(name, func(t *testing.T) {
			q := &quietTB{}
			done := make(chan struct{})
			go func() {
				defer close(done)
				checkBook(q, modelProperty(math.MaxUint32, sabotage))
			}()
			<-done
			if !q.failed {
				t.Error("the model was content")
			}
			t.Log(q.why)
		})
	}
}
