package journal_test

import (
	"testing"

	"github.com/clickcollect/clickcollect/reservation/internal/journal"
	"github.com/clickcollect/clickcollect/reservation/internal/journal/faultdisk"
	"github.com/clickcollect/clickcollect/reservation/log"
	"github.com/clickcollect/clickcollect/reservation/log/logtest"
)

// A reopenedLog is a log in files, which can be opened again.
type reopenedLog struct {
	*journal.FileLog
	disk    journal.Disk
	options journal.FileOptions
}

func openReopened(t *testing.T, d journal.Disk, o journal.FileOptions) log.Log {
	t.Helper()
	l, err := journal.OpenFile(d, o)
	if err != nil {
		t.Fatal(err)
	}
	return &reopenedLog{l, d, o}
}

func (f *reopenedLog) Reopen(t *testing.T) log.Log {
	t.Helper()
	return openReopened(t, f.disk, f.options)
}

// TestLogSeam runs the suite on logs in files.
func TestLogSeam(t *testing.T) {
	for name, open := range map[string]func(t *testing.T) log.Log{
		"files": func(t *testing.T) log.Log {
			d, err := journal.OpenDir(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			return openReopened(t, d, journal.FileOptions{SegmentBytes: 1 << 20})
		},
		"manual": func(t *testing.T) log.Log {
			return openReopened(t, faultdisk.New(1), journal.FileOptions{SegmentBytes: 64 << 10, Manual: true})
		},
		"no-sync": func(t *testing.T) log.Log {
			return openReopened(t, faultdisk.New(2), journal.FileOptions{SegmentBytes: 64 << 10, NoSync: true})
		},
	} {
		t.Run(name, func(t *testing.T) { logtest.RunLog(t, open) })
	}
}
