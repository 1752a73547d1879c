package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"github.com/clickcollect/clickcollect/reservation/log"
)

// A failed call of the disk is one of two kinds, and everything that meets one
// asks which (the package comment has the table):
//
//   - A refusal: of a call on names, and the system says that it did not do it, or
//     of the making of a file that is no part of the log yet. Nothing was written,
//     so the log goes on, and the same may be tried again. See typed for which.
//   - All others are of unknown outcome, and the log stops (FileLog.fail).
//
// A write or a sync is never judged by its error when its file is part of the
// log: one that fails with "no space" may have written a part.

// typed says what an error of a call on names means: ErrNoSpace for a disk that is
// full, ErrUnavailable for a system that has no handle to give or something
// foreign in the way. Any other error is returned as it is.
func typed(err error) error {
	switch {
	case err == nil, errors.Is(err, log.ErrJournal), log.Refused(err):
		return err
	case isFull(err):
		return fmt.Errorf("%w: %w", log.ErrNoSpace, err)
	case isScarce(err), inTheWay(err):
		return fmt.Errorf("%w: %w", log.ErrUnavailable, err)
	}
	return err
}

// isFull reports whether the disk, or the user's part of it, has no space left.
func isFull(err error) bool {
	return errors.Is(err, log.ErrNoSpace) ||
		errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, diskFull)
}

// isScarce reports whether the system has no handle, or no memory for one, to
// give: to this process, or to any.
func isScarce(err error) bool {
	for _, scarce := range scarcities {
		if errors.Is(err, scarce) {
			return true
		}
	}
	return false
}

// inTheWay reports whether a name is taken by what is not ours, or is not ours to
// take.
func inTheWay(err error) bool {
	for _, why := range [...]error{fs.ErrPermission, fs.ErrExist, syscall.EISDIR, syscall.ENOTDIR, syscall.ELOOP, syscall.EROFS} {
		if errors.Is(err, why) {
			return true
		}
	}
	return false
}

// obstacles is how many names a draft steps over when something foreign has them,
// before it gives up: somebody who puts up more means it.
const obstacles = 16

// createDraft makes a file under the first of the names that nothing foreign has,
// and tells over of the others. Nobody reads a file by such a name.
func createDraft(d Disk, size int64, name func(try int) string, over func(name string, cause error)) (f File, used string, err error) {
	for try := range obstacles {
		used = name(try)
		if f, err = d.Create(used, size); !inTheWay(err) {
			return f, used, err
		}
		over(used, err)
	}
	return nil, used, err
}

// stepsOver tells the operator of what is in the way of a name.
func (l *FileLog) stepsOver(name string, cause error) {
	l.options.Logger.Warn("journal steps over what is not its own", "name", name, "cause", cause)
}
