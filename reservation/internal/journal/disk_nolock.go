//go:build !windows && (!unix || solaris || aix)

package journal

import (
	"errors"
	"syscall"
)

const syncsDirectories = true

const diskFull = syscall.ENOSPC

// scarcities are what a system says that has no handle to give.
var scarcities = [...]error{syscall.EMFILE, syscall.ENFILE}

// Lock fails: without a lock there is no log.
func (d *directory) Lock() (unlock func() error, err error) {
	return nil, errors.ErrUnsupported
}
