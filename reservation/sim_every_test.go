package reservation

import (
	"runtime/debug"
	"testing"

	"github.com/clickcollect/clickcollect/bench/scaletest"
	"github.com/clickcollect/clickcollect/reservation/internal/journal/faultdisk"
)

// The scenario of TestEveryIOFails: so many steps, and a commit in about 50.
const (
	everySteps = 10_000
	everySeed  = 11
	everyRuns  = 40 // of all I/Os, evenly; a quarter with the quick counts; with -long every one
)

// TestEveryIOFails plays one long scenario again and again; each time another
// I/O of it fails: with EIO, or because the power goes. Then the ledger recovers.
func TestEveryIOFails(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	s := newSim(everySeed, false)
	ios := s.scenario(faultdisk.Plan{})
	if s.g.failed != nil || s.tally.steps != everySteps {
		t.Fatalf("without a fault: %d steps, %v", s.tally.steps, s.g.failed)
	}
	skip := max(1, ios/uint64(scaletest.Of(everyRuns, everyRuns/4)))
	if *long {
		skip = 1
	}
	stopped := 0
	for n := uint64(1); n <= ios; n += skip {
		for _, crash := range []bool{false, true} {
			p := faultdisk.Plan{Crash: n}
			if !crash {
				p = faultdisk.Plan{}
				p.Fail[faultdisk.AnyIO] = n
			}
			s := newSim(everySeed, false)
			s.scenario(p)
			if s.g.failed == nil {
				s.die()
			}
			if s.g.failed != nil {
				t.Fatalf("I/O %d of %d, power cut %t: %v", n, ios, crash, s.g.failed)
			}
			stopped += s.tally.stopped
		}
	}
	t.Logf("%d I/Os in %d steps; every %d. failed: %d times that stopped the journal", ios, everySteps, skip, stopped)
}

// scenario plays the steps, until the journal stops, and says how many I/Os there
// were.
func (s *sim) scenario(p faultdisk.Plan) uint64 {
	before := s.g.disk.Count(faultdisk.AnyIO)
	s.tally.lives++
	s.faults = p != faultdisk.Plan{}
	s.g.disk.SetPlan(p)
	for s.tally.steps < everySteps && s.g.failed == nil && !s.down {
		s.tally.steps++
		s.g.step()
	}
	return s.g.disk.Count(faultdisk.AnyIO) - before
}
