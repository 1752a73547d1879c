//go:build lockorder

package allocator

import (
	"fmt"
	"testing"
	"time"

	"github.com/clickcollect/clickcollect/reservation/lock"
)

// The canary of the rule that nothing is held over a function of the host's. The
// guard against its panics does not swallow the check's.
func TestHostUnderALockIsCaught(t *testing.T) {
	a := street(t, 1, Options{
		ManualExpiry: true,
		Clock:        func() time.Time { return time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC) },
		Holidays:     func(string, int, time.Month, int) bool { return false },
	})
	must(t, a.SetLocations(t.Context(), Location{ID: "L0", Point: streetPoint(0), Terms: &Terms{Hours: "Mo-Fr 09:00-17:00; PH off"}}))
	slot, _ := a.ledger.Slot("L0")
	holiday := a.locations.Load().SiteOf(slot).Calendar.Holiday
	for name, call := range map[string]func(){
		"the clock":    func() { a.gate.Now() },
		"the holidays": func() { holiday(2026, time.March, 2) },
	} {
		var channels lock.Mutex
		channels.Lock(lock.Channels)
		what := caught(call)
		channels.Unlock()
		if what != "lock: host is taken while channels is held" {
			t.Errorf("%s: %q", name, what)
		}
	}
}

// caught runs a function and returns what it panicked with.
func caught(f func()) (what string) {
	defer func() {
		if value := recover(); value != nil {
			what = fmt.Sprint(value)
		}
	}()
	f()
	return ""
}
