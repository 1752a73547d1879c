package log

import (
	"context"
	"fmt"
	"iter"
	"math"
)

// A Log keeps frames of records in order. Records are numbered from 1 without a
// gap; the log knows how many are in a frame and nothing else of what they say. The
// fence against a second writer is the log itself: an append names the sequence
// number it expects to write, and a log that processes share refuses the append of
// a handle that another one has replaced. A lease may say when to take over; it is
// never what keeps the old writer out.
//
// One goroutine appends at a time, and has one append in flight; every other method
// may be called from any goroutine at any time, also while an append runs. A handle
// is used until Close and not after; the log may outlive it.
//
// The suite of logtest holds a log to each sentence here.
type Log interface {
	// Append adds one frame of count records, the first of which gets the
	// sequence number expected. The payload is at least 1 byte and at most
	// MaxPayload of the log (see Sized) long, count is 1 to 2^32 − 1. It returns
	// nil once the frame is durable, or handed to the operating system if the
	// log was opened so. The payload is not kept.
	//
	// It may take as long as the log needs to find out what became of the frame,
	// an election of its servers included: the outcome is found out inside the
	// call, by sending the same compare-and-append again, never by a read, which
	// may be stale or show what is not yet replicated.
	//
	// Nothing was written, and nothing changed, with a *SequenceError, if the
	// log does not end at expected − 1; with a *FencedError, if another handle
	// owns the log: no append of this one is written again; with ErrTooLarge for
	// more than a frame takes; with ErrNoSpace or ErrUnavailable, for want of
	// space or of what the system has to give: the same call may be tried again;
	// with ErrClosed.
	//
	// The outcome is unknown with ErrJournal alone, and with every error that is
	// none of these. The log has stopped then: every later append returns the
	// same first cause.
	Append(expected uint64, count int, payload []byte) error

	// Read yields the frames in order, beginning with the one that holds from,
	// and ends at the last one there is when it gets there. An error comes last:
	// a *TrimmedError if from is below First, a *CorruptError if what was kept
	// is damaged, ErrClosed. A frame's payload belongs to the log and is valid
	// until the next step. The epochs of frames never fall.
	Read(from uint64) iter.Seq2[Frame, error]

	// First is the first sequence number that is still there; Last()+1 if there
	// is none.
	First() uint64

	// Last is the last sequence number that was appended; 0 for a new log.
	Last() uint64

	// Tail returns nil when Last() > after, and otherwise waits for it: for as
	// long as ctx allows, or until the log stops (ErrJournal, ErrClosed).
	Tail(ctx context.Context, after uint64) error

	// Trim allows the log to drop frames whose records are all below. What it
	// keeps of them is its own choice. A snapshot that makes them superfluous
	// has to be durable before.
	Trim(below uint64) error

	// Sync returns once everything appended is durable. It does nothing for a
	// log whose appends are durable when they return.
	Sync() error

	// Close makes everything appended durable and lets go of everything the
	// handle owns. A second Close is nil or ErrClosed.
	Close() error
}

// A Frame is what one Append wrote: records First to First+Count−1, all of them or
// none.
type Frame struct {
	First   uint64
	Count   int
	Epoch   uint64 // of the handle that wrote it; 0 in a log that is never shared
	Payload []byte
}

// What a log may be able to do besides. Each is looked for by a type assertion when
// the log is given to a ledger.
type (
	// Sized is a Log that takes longer payloads than every log has to.
	Sized interface {
		// MaxPayload is how many bytes a payload may have, PayloadBytes or more.
		MaxPayload() int
	}

	// Roomy is a Log that knows when it is filling up, so that what room is left
	// can be kept for what ends reservations.
	Roomy interface {
		// HeadRoom is how many stretches of the log are ready to be written to
		// and, if no more can be made ready, why: ErrNoSpace or ErrUnavailable
		// with its cause. None and no error: one is being made ready.
		HeadRoom() (stretches int, err error)
	}

	// Identified is a Log that outlives its handles.
	Identified interface {
		// Identity is drawn when the log is made and never changes. What
		// belongs to the log but does not lie in it, a snapshot say, names it.
		Identity() [16]byte
	}
)

// PayloadBytes is how long a payload every Log takes: 16 MiB.
const PayloadBytes = 16 << 20

// MaxPayload is how many bytes a payload of a log may have.
func MaxPayload(l Log) int {
	if s, ok := l.(Sized); ok {
		return s.MaxPayload()
	}
	return PayloadBytes
}

// CheckFrame refuses what is no frame, for a log that takes payloads of at most that
// many bytes: ErrTooLarge for a payload that is longer.
func CheckFrame(count int, payload []byte, most int) error {
	switch {
	case len(payload) > most:
		return fmt.Errorf("%w: %d bytes in one frame, at most %d are possible", ErrTooLarge, len(payload), most)
	case count < 1 || uint64(count) > math.MaxUint32 || len(payload) == 0:
		return fmt.Errorf("journal: append: %d records in %d bytes; want 1 to %d records in 1 to %d bytes",
			count, len(payload), uint32(math.MaxUint32), most)
	}
	return nil
}
