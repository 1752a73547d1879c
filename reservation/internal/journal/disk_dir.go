package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// zeroBytes is how much is filled at once.
const zeroBytes = 1 << 20

// A directory is a Disk in the file system. It follows the directory, not the
// path: a directory that is moved stays in use where it is.
type directory struct {
	root *os.Root
	path string   // for the lock of systems that lock by name
	self *os.File // the directory, to sync it; nil where that cannot be done
}

// OpenDir returns the directory of that path, which it creates if it is not
// there, durably. Nothing in it is touched before the first method is called.
// The Disk is also an io.Closer; what has not been closed by then goes on
// working, and garbage collection closes a Disk that nobody did.
func OpenDir(path string) (Disk, error) {
	path, err := filepath.Abs(path)
	if err == nil {
		err = makeDir(path)
	}
	if err != nil {
		return nil, fmt.Errorf("journal: open directory: %w", typed(err))
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, fmt.Errorf("journal: open directory: %w", typed(err))
	}
	d := &directory{root: root, path: path}
	if syncsDirectories {
		if d.self, err = root.Open("."); err != nil {
			return nil, errors.Join(fmt.Errorf("journal: open directory: %w", typed(err)), root.Close())
		}
	}
	return d, nil
}

// makeDir makes a directory and what is missing above it, and syncs the name of
// each.
func makeDir(path string) error {
	found, err := os.Stat(path)
	if err == nil && !found.IsDir() {
		return &fs.PathError{Op: "open", Path: path, Err: syscall.ENOTDIR}
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	above := filepath.Dir(path)
	if err := makeDir(above); err != nil {
		return err
	}
	if err := os.Mkdir(path, 0o750); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if !syncsDirectories {
		return nil
	}
	f, err := os.Open(above)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// Close lets go of the directory.
func (d *directory) Close() error {
	if d.self == nil {
		return d.root.Close()
	}
	return errors.Join(d.self.Close(), d.root.Close())
}

// List leaves out what is not a plain file, and hidden files.
func (d *directory) List() ([]string, error) {
	entries, err := fs.ReadDir(d.root.FS(), ".")
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		if e.Type().IsRegular() && !strings.HasPrefix(e.Name(), ".") {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

func (d *directory) Open(name string) (File, error) {
	f, err := d.root.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	return newDirFile(f), nil
}

// Create makes no file of what is none: a directory, a pipe, or a link, which
// would lead to who knows where, is fs.ErrExist.
func (d *directory) Create(name string, size int64) (File, error) {
	if found, err := d.root.Lstat(name); err == nil && !found.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "create", Path: name, Err: fs.ErrExist}
	}
	f, err := d.root.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o640)
	if err != nil {
		return nil, err
	}
	err = reserve(f, size)
	if err == nil && size > 0 {
		zeros := make([]byte, min(size, zeroBytes))
		for at := int64(0); at < size && err == nil; at += zeroBytes {
			_, err = f.WriteAt(zeros[:min(size-at, zeroBytes)], at)
		}
	}
	if err != nil {
		return nil, errors.Join(err, f.Close(), d.root.Remove(name))
	}
	return newDirFile(f), nil
}

func (d *directory) Rename(from, to string) error { return d.root.Rename(from, to) }

func (d *directory) Remove(name string) error { return d.root.Remove(name) }

func (d *directory) Sync() error {
	if d.self == nil {
		return nil
	}
	return d.self.Sync()
}

// A dirFile is a file of a directory.
type dirFile struct {
	*os.File
	fd uintptr // of File, which keeps it open
}

func newDirFile(f *os.File) dirFile { return dirFile{File: f, fd: f.Fd()} }

// Size is the length in bytes.
func (f dirFile) Size() (int64, error) {
	found, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return found.Size(), nil
}
