// Package reservationtest holds the suites that any implementation of one of
// the ledger's seams has to pass.
package reservationtest

import (
	"context"
	"errors"
	"testing"
)

// A Log keeps frames of records in order. Records are numbered from 1 without a
// gap. One goroutine appends at a time; every other method may be called by any
// goroutine at any time.
type Log interface {
	// Append adds a frame of count records, count >= 1, the first of which gets
	// the number expected. It returns nil once the frame is durable. The
	// payload, of at least one byte, is not kept. It fails with ErrSequence, and changes nothing, if
	// the log does not end at expected-1; with ErrClosed after Close.
	Append(expected uint64, count int, payload []byte) error

	// Read calls each for the frames in order, beginning with the one that
	// holds from, until the last there is or until each returns false. The
	// payload is valid until each returns. It fails with ErrTrimmed if from is
	// below First, with ErrClosed after Close.
	Read(from uint64, each func(first uint64, count int, payload []byte) bool) error

	// First is the number of the first record there is; Last()+1 if there is
	// none.
	First() uint64

	// Last is the number of the last record; 0 for a new log.
	Last() uint64

	// Tail returns nil when Last() > after, and otherwise waits for that; its
	// wait ends with an error when ctx ends, and with ErrClosed when the log is
	// closed.
	Tail(ctx context.Context, after uint64) error

	// Trim allows the log to drop frames all of whose records are below. How
	// much of them it drops, and when, is its own choice.
	Trim(below uint64) error

	// Sync returns once everything appended is durable.
	Sync() error

	// Close makes everything appended durable and ends the use of the log.
	Close() error
}

// A Reopener is a Log that outlives its handle. The suite closes the handle
// before it calls Reopen, which returns a new handle of the same log.
type Reopener interface {
	Log
	Reopen(t *testing.T) Log
}

// What a Log says no with, tested with errors.Is. An adapter in the test turns
// the implementation's own errors into these.
var (
	ErrSequence = errors.New("reservationtest: unexpected sequence")
	ErrTrimmed  = errors.New("reservationtest: trimmed")
	ErrClosed   = errors.New("reservationtest: closed")
)

// RunLog runs the suite of the log seam. open returns a new, empty log, which
// keeps at least 16 MiB of payload; the suite closes it.
func RunLog(t *testing.T, open func(t *testing.T) Log) {
	t.Helper()
	for _, c := range logChecks {
		t.Run(c.name, func(t *testing.T) {
			l := open(t)
			err := c.run(t, l)
			if closed := l.Close(); closed != nil && !errors.Is(closed, ErrClosed) {
				t.Errorf("close: %v", closed)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
}

// A logCheck is one promise of the seam. What a log does wrong is returned, so
// that the suite itself can be tested with logs that break their promises.
type logCheck struct {
	name string
	run  func(t *testing.T, l Log) error
}

var logChecks = [...]logCheck{
	{"new", checkNew},
	{"append-read", checkAppendRead},
	{"payload-not-kept", checkPayloadNotKept},
	{"expected-sequence", checkExpected},
	{"read-from-within", checkReadWithin},
	{"read-stops", checkReadStops},
	{"read-while-appending", checkReadWhileAppending},
	{"tail", checkTail},
	{"tail-ends", checkTailEnds},
	{"trim", checkTrim},
	{"close", checkClose},
	{"reopen", checkReopen},
	{"random-program", checkProgram},
}
