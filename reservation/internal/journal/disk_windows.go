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

// scarcities are what a system says that has no handle to give. A file that
// another program, such as a virus scanner, has open for a moment is as good as
// none.
var scarcities = [...]error{
	syscall.Errno(4), // ERROR_TOO_MANY_OPEN_FILES
	syscall.Errno(8), // ERROR_NOT_ENOUGH_MEMORY
	errSharing,
}

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
