package logtest

import (
	"errors"
	"testing"

	"github.com/clickcollect/clickcollect/reservation/log"
)

// What a log may be able to do besides, so that the suite can try it.
type (
	// A Reopener is a Log that outlives its handle. The suite closes the handle
	// before it calls Reopen, which returns a new handle of the same log.
	Reopener interface {
		log.Log
		Reopen(t *testing.T) log.Log
	}

	// A Fencer is a Log that processes share. Fence lets another writer own it,
	// and returns that writer's handle; the one before is fenced from then on.
	Fencer interface {
		log.Log
		Fence(t *testing.T) log.Log
	}
)

// RunLog runs the suite of the log seam. open returns a new, empty log, which
// keeps at least 64 MiB of payload; the suite closes it. What the log cannot do of
// Reopener and Fencer is skipped.
func RunLog(t *testing.T, open func(t *testing.T) log.Log) {
	t.Helper()
	for _, c := range logChecks {
		t.Run(c.name, func(t *testing.T) {
			l := open(t)
			defer func() { // also of a check that is skipped
				if err := l.Close(); err != nil && !errors.Is(err, log.ErrClosed) {
					t.Errorf("close: %v", err)
				}
			}()
			if err := c.run(t, l); err != nil {
				t.Error(err)
			}
		})
	}
}

// A logCheck is one promise of the seam. What a log does wrong is returned, so
// that the suite itself can be tested with logs that break their promises.
type logCheck struct {
	name string
	run  func(t *testing.T, l log.Log) error
}

var logChecks = [...]logCheck{
	{"new", checkNew},
	{"append-read", checkAppendRead},
	{"payload-not-kept", checkPayloadNotKept},
	{"expected-sequence", checkExpected},
	{"sizes", checkSizes},
	{"read-from-within", checkReadWithin},
	{"read-stops", checkReadStops},
	{"read-while-appending", checkReadWhileAppending},
	{"tail", checkTail},
	{"tail-ends", checkTailEnds},
	{"trim", checkTrim},
	{"close", checkClose},
	{"reopen", checkReopen},
	{"fence", checkFence},
	{"random-program", checkProgram},
}
