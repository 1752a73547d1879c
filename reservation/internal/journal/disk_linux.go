package journal

import (
	"errors"
	"os"
	"syscall"
)

// Sync is fdatasync: content and length, but not the times, the change of which
// would cost one more write each.
func (f dirFile) Sync() error {
	for {
		if err := syscall.Fdatasync(int(f.fd)); err != syscall.EINTR {
			return os.NewSyscallError("fdatasync", err)
		}
	}
}

// Forget drops the file's clean pages from the cache. Linux marks pages that
// could not be written as clean, so that they may say what the disk does not.
func (f dirFile) Forget() error {
	const dontNeed = 4 // POSIX_FADV_DONTNEED
	for {
		errno := fadvise(f.fd, dontNeed)
		switch errno {
		case 0, syscall.EINVAL, syscall.ENOSYS, syscall.ESPIPE, syscall.EOPNOTSUPP:
			return nil // a file system without a cache to drop
		case syscall.EINTR:
		default:
			return os.NewSyscallError("fadvise", errno)
		}
	}
}

// reserve takes the space of a file before it is filled, so that a full disk is
// noticed at once, and the file comes to lie in one piece. A file system that
// cannot do it loses no more than that.
func reserve(f *os.File, size int64) error {
	if size == 0 {
		return nil
	}
	for {
		err := syscall.Fallocate(int(f.Fd()), 0, 0, size)
		switch {
		case errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.EOPNOTSUPP), errors.Is(err, syscall.ENOSYS):
			return nil
		default:
			return os.NewSyscallError("fallocate", err)
		}
	}
}
