package journal

import (
	"context"
	"errors"
	"fmt"
	"iter"
)

type (
	// A Log keeps frames of records in order. Records are numbered from 1
	// without a gap; the log knows how many are in a frame and nothing else of
	// what they say. The fence against a second writer is the log itself: an
	// append names the sequence number it expects to write.
	//
	// One goroutine appends at a time; every other method may be called from
	// any goroutine at any time, also while an append runs.
	Log interface {
		// Append adds count records, the first of which gets the sequence
		// number expected. It returns nil once they are durable (or handed to
		// the operating system, if the log was opened so). The payload is not
		// kept. It fails with a *SequenceError if the log does not end at
		// expected-1; with ErrTooLarge for more than a frame takes; with
		// ErrNoSpace or ErrUnavailable if nothing was written for want of space
		// or of a file, and the same call may be tried again; with ErrJournal if
		// the outcome is unknown and the log has stopped; with ErrClosed.
		Append(expected uint64, count int, payload []byte) error

		// Read yields the frames in order, beginning with the one that holds
		// from, and ends at the last one there is when it gets there. An error
		// comes last: a *TrimmedError if from is below First, a *CorruptError
		// if what was kept is damaged. A frame's payload belongs to the log
		// and is valid until the next step.
		Read(from uint64) iter.Seq2[Frame, error]

		// First is the first sequence number that is still there; Last()+1 if
		// there is none.
		First() uint64

		// Last is the last sequence number that was appended; 0 for a new log.
		Last() uint64

		// Tail returns nil when Last() > after, and otherwise waits for it: for
		// as long as ctx allows, or until the log stops (ErrJournal, ErrClosed).
		Tail(ctx context.Context, after uint64) error

		// Trim allows the log to drop frames whose records are all below. What
		// it keeps of them is its own choice. A snapshot that makes them
		// superfluous has to be durable before.
		Trim(below uint64) error

		// Sync returns once everything appended is durable. It does nothing for
		// a log whose appends are durable when they return.
		Sync() error

		// Close makes everything appended durable and lets go of everything the
		// log owns. A second Close is ErrClosed.
		Close() error
	}

	// A Frame is what one Append wrote: records First to First+Count-1, all of
	// them or none.
	Frame struct {
		First   uint64
		Count   int
		Payload []byte
	}
)

// What the log says no with. Test with errors.Is.
var (
	// ErrClosed: nothing was done, the log or queue was closed before.
	ErrClosed = errors.New("journal: closed")
	// ErrLocked: nothing was done, another log has the directory open, in this
	// process or in another one.
	ErrLocked = errors.New("journal: the directory is in use by another log")
	// ErrCorrupt: bytes that were once made durable are not there as they were
	// written. See CorruptError for where, and Salvage for what can be done.
	ErrCorrupt = errors.New("journal: damaged")
	// ErrNewer: a later version of this package, or of the records' schema,
	// wrote what was found. Nothing was changed.
	ErrNewer = errors.New("journal: written by a newer version")
	// ErrForeign: the files found were not written by this package. Nothing was
	// changed.
	ErrForeign = errors.New("journal: not a journal of this product")
	// ErrSequence: the log does not end where the caller thought. Nothing was
	// written. See SequenceError.
	ErrSequence = errors.New("journal: unexpected sequence")
	// ErrTrimmed: the records asked for were dropped. See TrimmedError.
	ErrTrimmed = errors.New("journal: no longer there")
	// ErrNoSpace: nothing was written and the log goes on; the same append may
	// be tried again, and succeeds once there is space.
	ErrNoSpace = errors.New("journal: no space left")
	// ErrUnavailable: nothing was written and the log goes on, as with
	// ErrNoSpace. The system has no file handle to give, or something that is
	// not the log's is in the way of a file.
	ErrUnavailable = errors.New("journal: no file to be had")
	// ErrTooLarge: nothing was written and the log goes on. It is more than one
	// frame takes, and always will be.
	ErrTooLarge = errors.New("journal: too large")
	// ErrJournal: a write or a sync failed. What was being appended may or may
	// not be there after the next open; nothing more is written until then.
	// Every later append returns the same first cause.
	ErrJournal = errors.New("journal: stopped")
)

type (
	// A CorruptError says what is damaged and which records that concerns. It
	// is ErrCorrupt.
	CorruptError struct {
		File   string // name within the directory
		Offset int64  // of the first bad byte's block; -1 if the file as a whole
		From   uint64 // first sequence number that cannot be read
		To     uint64 // last one; 0 if not known
		Why    string
	}

	// A SequenceError says where the log ends. It is ErrSequence.
	SequenceError struct {
		Expected uint64 // the first sequence number the caller meant to write
		Last     uint64 // the last one there is
	}

	// A TrimmedError says what is still there. It is ErrTrimmed.
	TrimmedError struct {
		First uint64 // the first sequence number that is
	}
)

// Error names the file, the place and the records.
func (e *CorruptError) Error() string {
	records := fmt.Sprintf("records from %d on", e.From)
	if e.To != 0 {
		records = fmt.Sprintf("records %d to %d", e.From, e.To)
	}
	if e.Offset < 0 {
		return fmt.Sprintf("journal: damaged: %s: %s (%s)", e.File, e.Why, records)
	}
	return fmt.Sprintf("journal: damaged: %s at byte %d: %s (%s)", e.File, e.Offset, e.Why, records)
}

// Is reports whether target is ErrCorrupt.
func (e *CorruptError) Is(target error) bool { return target == ErrCorrupt }

// Error names both sequence numbers.
func (e *SequenceError) Error() string {
	return fmt.Sprintf("journal: unexpected sequence: to write %d, but the log ends at %d", e.Expected, e.Last)
}

// Is reports whether target is ErrSequence.
func (e *SequenceError) Is(target error) bool { return target == ErrSequence }

// Error names the first sequence number there is.
func (e *TrimmedError) Error() string {
	return fmt.Sprintf("journal: no longer there: the log begins at %d", e.First)
}

// Is reports whether target is ErrTrimmed.
func (e *TrimmedError) Is(target error) bool { return target == ErrTrimmed }
