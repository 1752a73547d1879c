package journal

import "errors"

// What a log in files says no with when it is opened, besides the errors of
// reservation/log. Test with errors.Is.
var (
	// ErrLocked: nothing was done, another log has the directory open, in this
	// process or in another one.
	ErrLocked = errors.New("journal: the directory is in use by another log")
	// ErrForeign: the files found were not written by this package. Nothing was
	// changed.
	ErrForeign = errors.New("journal: not a journal of this product")
)
