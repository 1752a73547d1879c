//go:build unix && !solaris && !aix

package journal

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// syncsDirectories: the names in a directory are made durable by syncing it.
const syncsDirectories = true

const diskFull = syscall.ENOSPC

// scarcities are what a system says that has no handle to give.
var scarcities = [...]error{syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM}

// Lock takes flock on a file of its own. The lock belongs to the open file, so
// that it also keeps a second log of the same process out, and the kernel drops
// it with the process.
func (d *directory) Lock() (unlock func() error, err error) {
	f, err := d.root.OpenFile(lockName, os.O_RDWR|os.O_CREATE, 0o640)
	if err != nil {
		return nil, err
	}
	for {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	switch {
	case err == nil:
		return f.Close, nil
	case errors.Is(err, syscall.EWOULDBLOCK):
		err = fmt.Errorf("%w: %s", ErrLocked, d.path)
	default:
		err = os.NewSyscallError("flock", err)
	}
	return nil, errors.Join(err, f.Close())
}
