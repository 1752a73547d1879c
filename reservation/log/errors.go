package log

import (
	"errors"
	"fmt"
)

// What a log says no with. Test with errors.Is.
var (
	// ErrClosed: nothing was done, the log or queue was closed before.
	ErrClosed = errors.New("journal: closed")
	// ErrCorrupt: bytes that were once made durable are not there as they were
	// written. See CorruptError for where.
	ErrCorrupt = errors.New("journal: damaged")
	// ErrNewer: a later version of this module, or of the records' schema,
	// wrote what was found. Nothing was changed.
	ErrNewer = errors.New("journal: written by a newer version")
	// ErrSequence: the log does not end where the caller thought. Nothing was
	// written. See SequenceError.
	ErrSequence = errors.New("journal: unexpected sequence")
	// ErrFenced: another handle owns the log. Nothing was written, and nothing
	// will be by this one. See FencedError.
	ErrFenced = errors.New("journal: another writer owns the log")
	// ErrLost: the log ends before records that were once in it: it went back, as a
	// restored backup or an asynchronous fail-over makes it. See LostError.
	ErrLost = errors.New("journal: the log has lost its end")
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

// Refused reports whether an append that failed so wrote nothing and may be tried
// again as it is.
func Refused(err error) bool {
	return (errors.Is(err, ErrNoSpace) || errors.Is(err, ErrUnavailable)) && !errors.Is(err, ErrJournal)
}

type (
	// A CorruptError says what is damaged and which records that concerns. It
	// is ErrCorrupt.
	CorruptError struct {
		File   string // name of the part of the log
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

	// A FencedError says who owns the log now. What it answers was not written.
	// It is ErrFenced.
	FencedError struct {
		Epoch uint64 // of the handle that was refused
		By    uint64 // epoch of the handle that owns the log, above Epoch
		Owner string // its name; "" if the log knows none
	}

	// A LostError says which records are gone. It is ErrLost.
	LostError struct {
		From uint64 // the first of them
		To   uint64 // the last that is known of
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

// Error names both epochs and the owner.
func (e *FencedError) Error() string {
	owner := ""
	if e.Owner != "" {
		owner = fmt.Sprintf(" (%q)", e.Owner)
	}
	return fmt.Sprintf("journal: another writer owns the log: epoch %d%s has replaced epoch %d; nothing was written", e.By, owner, e.Epoch)
}

// Is reports whether target is ErrFenced.
func (e *FencedError) Is(target error) bool { return target == ErrFenced }

// Error names the records.
func (e *LostError) Error() string {
	return fmt.Sprintf("journal: the log has lost its end: records %d to %d were once in it", e.From, e.To)
}

// Is reports whether target is ErrLost.
func (e *LostError) Is(target error) bool { return target == ErrLost }

// Error names the first sequence number there is.
func (e *TrimmedError) Error() string {
	return fmt.Sprintf("journal: no longer there: the log begins at %d", e.First)
}

// Is reports whether target is ErrTrimmed.
func (e *TrimmedError) Is(target error) bool { return target == ErrTrimmed }
