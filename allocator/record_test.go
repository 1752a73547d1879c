package allocator

import (
	"fmt"
	"runtime"
	"sync"
	"testing"

	"github.com/clickcollect/clickcollect/allocator/internal/goods"
	"github.com/clickcollect/clickcollect/reservation"
)

// Recorder stands in for a test, where a test is to show that another one would
// fail: it keeps what that one says, and does not fail itself.
type Recorder struct {
	testing.TB
	mu   sync.Mutex
	says []string
}

// Record runs a test up to its end, or its first fatal failure, and returns what it
// says; nil: it passes.
func Record(t testing.TB, test func(t testing.TB)) []string {
	r := &Recorder{TB: t}
	over := make(chan struct{})
	go func() { // which a fatal failure ends
		defer close(over)
		test(r)
	}()
	<-over
	return r.says
}

func (r *Recorder) say(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.says = append(r.says, text)
}

func (r *Recorder) Failed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.says) > 0
}

func (r *Recorder) Fail()                             { r.say("failed") }
func (r *Recorder) FailNow()                          { r.say("failed"); runtime.Goexit() }
func (r *Recorder) Error(args ...any)                 { r.say(fmt.Sprintln(args...)) }
func (r *Recorder) Errorf(format string, args ...any) { r.say(fmt.Sprintf(format, args...)) }
func (r *Recorder) Fatal(args ...any)                 { r.say(fmt.Sprintln(args...)); runtime.Goexit() }
func (r *Recorder) Fatalf(format string, args ...any) {
	r.say(fmt.Sprintf(format, args...))
	runtime.Goexit()
}

// ForgetBundles takes the bundles out of memory behind the journal's back, as a verb
// would that does part of its work before it refuses.
func ForgetBundles(a *Allocator) {
	empty := reservation.New(reservation.Options{SKUs: 1, Locations: 1})
	a.goods, _ = goods.Open(empty)
}
