package journal_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/clickcollect/clickcollect/reservation/internal/journal"
	"github.com/clickcollect/clickcollect/reservation/internal/journal/faultdisk"
	"github.com/clickcollect/clickcollect/reservation/log"
	"github.com/clickcollect/clickcollect/reservation/reservationtest"
)

// A seamLog shows a journal.Log to the suite of outside implementers.
type seamLog struct {
	log.Log
}

// translate says what the suite calls an error.
func translate(err error) error {
	for ours, theirs := range map[error]error{
		log.ErrSequence: reservationtest.ErrSequence,
		log.ErrTrimmed:  reservationtest.ErrTrimmed,
		log.ErrClosed:   reservationtest.ErrClosed,
	} {
		if errors.Is(err, ours) {
			return fmt.Errorf("%w: %w", theirs, err)
		}
	}
	return err
}

func (l seamLog) Append(expected uint64, count int, payload []byte) error {
	return translate(l.Log.Append(expected, count, payload))
}

func (l seamLog) Read(from uint64, each func(first uint64, count int, payload []byte) bool) error {
	for f, err := range l.Log.Read(from) {
		if err != nil {
			return translate(err)
		}
		if !each(f.First, f.Count, f.Payload) {
			return nil
		}
	}
	return nil
}

func (l seamLog) Tail(ctx context.Context, after uint64) error {
	return translate(l.Log.Tail(ctx, after))
}

func (l seamLog) Close() error { return translate(l.Log.Close()) }

// A seamFile is a log in files, which can be opened again.
type seamFile struct {
	seamLog
	disk    journal.Disk
	options journal.FileOptions
}

func openSeam(t *testing.T, d journal.Disk, o journal.FileOptions) reservationtest.Log {
	t.Helper()
	l, err := journal.OpenFile(d, o)
	if err != nil {
		t.Fatal(err)
	}
	return &seamFile{seamLog{l}, d, o}
}

func (f *seamFile) Reopen(t *testing.T) reservationtest.Log {
	t.Helper()
	return openSeam(t, f.disk, f.options)
}

// TestLogSeam runs the suite on every log of this package.
func TestLogSeam(t *testing.T) {
	for name, open := range map[string]func(t *testing.T) reservationtest.Log{
		"memory": func(*testing.T) reservationtest.Log { return seamLog{log.OpenMemory(64 << 20)} },
		"files": func(t *testing.T) reservationtest.Log {
			d, err := journal.OpenDir(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			return openSeam(t, d, journal.FileOptions{SegmentBytes: 1 << 20})
		},
		"manual": func(t *testing.T) reservationtest.Log {
			return openSeam(t, faultdisk.New(1), journal.FileOptions{SegmentBytes: 64 << 10, Manual: true})
		},
		"no-sync": func(t *testing.T) reservationtest.Log {
			return openSeam(t, faultdisk.New(2), journal.FileOptions{SegmentBytes: 64 << 10, NoSync: true})
		},
	} {
		t.Run(name, func(t *testing.T) { reservationtest.RunLog(t, open) })
	}
}
