package journal

import (
	"fmt"
	"strings"
)

// TakeBeside takes a directory for the snapshots of a log that lies elsewhere. unlock
// gives it back. ErrLocked: somebody else has it. ErrForeign: it holds a journal, or
// files that are no snapshots.
func TakeBeside(d Disk) (unlock func() error, err error) {
	unlock, err = d.Lock()
	if err != nil {
		return nil, fmt.Errorf("journal: open: %w", typed(err))
	}
	names, err := d.List()
	if err == nil {
		err = checkBeside(names)
	}
	if err != nil {
		if failed := unlock(); failed != nil {
			err = fmt.Errorf("%w; and %w", err, failed)
		}
		return nil, fmt.Errorf("journal: open: %w", typed(err))
	}
	return unlock, nil
}

// checkBeside reports what a directory of snapshots alone may not hold.
func checkBeside(names []string) error {
	for _, name := range names {
		switch _, isSnapshot := parseSnapshotName(name); {
		case isSnapshot, name == lockName, strings.HasPrefix(name, snapshotDraft), strings.HasPrefix(name, "."):
		case name == superblockName, strings.HasSuffix(name, segmentSuffix):
			return fmt.Errorf("%w: it holds a journal of its own, and another log was given", ErrForeign)
		default:
			return fmt.Errorf("%w: beside the snapshots there is a file %q", ErrForeign, name)
		}
	}
	return nil
}
