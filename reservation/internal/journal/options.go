package journal

import (
	"errors"
	"fmt"
	"log/slog"
	"time"
)

type (
	// FileOptions say how a log is kept in files. The zero value works.
	FileOptions struct {
		// Schema is the version of what the records say. It is written down; a
		// log with a higher one is refused with ErrNewer, one with a lower one
		// is opened and marked with this one.
		Schema uint32
		// SegmentBytes is the length of a segment, at most: a multiple of 4,096,
		// at least 64 KiB and at most 1 GiB; 0 is 32 MiB. A frame that does not
		// fit gets a segment of its own. Two more than are in use are kept
		// ready. It may differ from open to open.
		SegmentBytes int64
		// FirstBytes is the length of the first segments, a multiple of 4,096 of
		// at least 64 KiB; 0 is 512 KiB, or SegmentBytes if that is less. Later
		// ones are twice as long as all there are together, so that a log that
		// holds little takes little.
		FirstBytes int64
		// Owed is how many more frames of a block each are to come that a full
		// disk must not refuse. What is kept ready has room for them and one
		// segment besides, which is for what is written, or comes to be owed,
		// before HeadRoom is asked again; or else HeadRoom tells. What would fill
		// more than 32 MiB, or than one of SegmentBytes if that is more, counts as
		// that. It is called by several
		// goroutines, and must not wait. nil: none.
		Owed func() int64
		// NoSync makes Append return as soon as the operating system has the
		// frame, and leaves it to Sync to make it durable. The end of a process
		// loses nothing then; a power cut loses what no Sync covered.
		NoSync bool
		// Manual starts no goroutine: Append prepares segments itself when it
		// needs one, and Tend does the rest. For simulations, in which every
		// step has to be somebody's.
		Manual bool
		// Watermark is how long after an append it is written down elsewhere
		// how far the log is durable, at the latest; at least 1 ms, 0 is 10 ms.
		// Damage that removes the end of the log without a trace is noticed if
		// it comes later than that.
		Watermark time.Duration
		// Logger hears of what an operator may want to know: a torn end that
		// was cut, no space for the next segment, a stopped log. nil is silent.
		Logger *slog.Logger
	}

	// FileNumbers say what a log has in files and has done since it was opened.
	FileNumbers struct {
		Segments  int    // that hold records
		Prepared  int    // that are ready to take records
		Bytes     int64  // length of all of them
		First     uint64 // first sequence number there is
		Last      uint64 // last one
		Durable   uint64 // last one that is known to be durable
		Watermark uint64 // last one that is written down as durable
		Frames    uint64 // appended since open
		Written   int64  // bytes of frames appended since open, headers and padding included
		Syncs     uint64 // of frames, since open
	}
)

const (
	defaultSegmentBytes = 32 << 20
	defaultFirstBytes   = 512 << 10
	minSegmentBytes     = 64 << 10
	maxSegmentBytes     = 1 << 30
	defaultWatermark    = 10 * time.Millisecond
)

// owed is how many bytes the frames take that a full disk must not refuse, one block
// each.
func (o *FileOptions) owed() int64 {
	if o.Owed == nil {
		return 0
	}
	return o.Owed() * blockSize
}

// complete fills in the defaults and reports every fault at once.
func (o FileOptions) complete() (FileOptions, error) {
	if o.SegmentBytes == 0 {
		o.SegmentBytes = defaultSegmentBytes
	}
	if o.FirstBytes == 0 {
		o.FirstBytes = min(defaultFirstBytes, o.SegmentBytes)
	}
	if o.Watermark == 0 {
		o.Watermark = defaultWatermark
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	var faults []error
	if n := o.SegmentBytes; n%blockSize != 0 || n < minSegmentBytes || n > maxSegmentBytes {
		faults = append(faults, fmt.Errorf("field SegmentBytes is %d; want a multiple of %d from %d to %d", n, blockSize, minSegmentBytes, maxSegmentBytes))
	}
	if n := o.FirstBytes; faults == nil && (n%blockSize != 0 || n < minSegmentBytes || n > o.SegmentBytes) {
		faults = append(faults, fmt.Errorf("field FirstBytes is %d; want a multiple of %d from %d to %d", n, blockSize, minSegmentBytes, o.SegmentBytes))
	}
	if o.Watermark < time.Millisecond {
		faults = append(faults, fmt.Errorf("field Watermark is %v; want at least 1ms", o.Watermark))
	}
	if faults != nil {
		return o, fmt.Errorf("journal: options: %w", errors.Join(faults...))
	}
	return o, nil
}
