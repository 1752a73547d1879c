package journal

import (
	"errors"
	"fmt"
	"path/filepath"
	"syscall"
)

// syncsDirectories: NTFS logs changes of names by itself and offers no sync.
const syncsDirectories = false

const (
	errSharing = syscall.Errno(32)  // ERROR_SHARING_VIOLATION
	diskFull   = syscall.Errno(112) // ERROR_DISK_FULL
)

// Lock opens a file that nobody may share.
func (d *directory) Lock() (unlock func() error, err error) {
	path := filepath.Join(d.path, lockName)
	name, err := syscall.UTF16PtrFromString(path)
	if err != nil {
		return nil, err
	}
	h, err := syscall.CreateFile(name, syscall.GENERIC_READ|syscall.GENERIC_WRITE, 0, nil, syscall.OPEN_ALWAYS, syscall.FILE_ATTRIBUTE_NORMAL, 0)
	if errors.Is(err, errSharing) {
		return nil, fmt.Errorf("%w: %s", ErrLocked, d.path)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return func() error { return syscall.CloseHandle(h) }, nil
}
