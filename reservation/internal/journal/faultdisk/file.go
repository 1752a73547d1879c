package faultdisk

import (
	"errors"
	"io"
	"io/fs"
	"syscall"

	"github.com/clickcollect/clickcollect/reservation/lock"
)

// A block is the content of a page.
type block [pageBytes]byte

// A page is what the cache and the device have of 4,096 bytes. A nil block is
// zeros. Blocks are shared between pages and disks unless own is set.
type page struct {
	cached *block
	device *block
	dirty  bool // a sync has it to write
	own    bool // cached may be written in place
}

// An inode is a file, whatever it is called.
type inode struct {
	id        uint64
	pages     []page // sparse at the end: what is missing is zeros
	size      int64
	savedSize int64
}

// write stores b at an offset; the size is the caller's concern.
func (n *inode) write(b []byte, off int64) {
	for len(b) > 0 {
		p := n.page(off / pageBytes)
		if !p.own {
			fresh := new(block)
			if p.cached != nil {
				*fresh = *p.cached
			}
			p.cached, p.own = fresh, true
		}
		p.dirty = true
		copied := copy(p.cached[off%pageBytes:], b)
		b, off = b[copied:], off+int64(copied)
	}
}

func (n *inode) page(at int64) *page {
	for int64(len(n.pages)) <= at {
		n.pages = append(n.pages, page{})
	}
	return &n.pages[at]
}

// read fills b from an offset, all of it within the size.
func (n *inode) read(b []byte, off int64) {
	for len(b) > 0 {
		within := off % pageBytes
		part := b[:min(int64(len(b)), pageBytes-within)]
		if at := off / pageBytes; at < int64(len(n.pages)) && n.pages[at].cached != nil {
			copy(part, n.pages[at].cached[within:])
		} else {
			clear(part)
		}
		b, off = b[len(part):], off+int64(len(part))
	}
}

// truncate sets the size; what is cut off reads as zeros if it ever comes back.
func (n *inode) truncate(size int64) {
	if size < n.size {
		if within := size % pageBytes; within != 0 && size/pageBytes < int64(len(n.pages)) {
			n.write(make([]byte, pageBytes-within), size)
		}
		for at := (size + pageBytes - 1) / pageBytes; at < int64(len(n.pages)); at++ {
			p := &n.pages[at]
			p.cached, p.own = nil, false
			p.dirty = p.device != nil
		}
	}
	n.size = size
}

// sync brings the dirty pages to the device, or only those that written picks.
// All are clean afterwards.
func (n *inode) sync(written func() bool) {
	for i := range n.pages {
		if p := &n.pages[i]; p.dirty {
			if written == nil || written() {
				p.device, p.own = p.cached, false
			}
			p.dirty = false
		}
	}
	if written == nil || written() {
		n.savedSize = n.size
	}
}

// dropClean makes the cache show what the device has, where nothing is left to
// be written.
func (n *inode) dropClean() {
	for i := range n.pages {
		if p := &n.pages[i]; !p.dirty {
			p.cached, p.own = p.device, false
		}
	}
}

// A file is an open inode.
type file struct {
	disk   *Disk
	name   string
	inode  *inode
	closed bool
}

func (f *file) fault(op string, err error) error {
	return &fs.PathError{Op: op, Path: f.name, Err: err}
}

// begin is the disk's, but for a closed file, which is no I/O.
func (f *file) begin(kind Kind) (outcome, error) {
	what, err := f.disk.begin(kind, kind.String(), f.name)
	if f.closed && !errors.Is(err, ErrCrashed) {
		return fails, f.fault(kind.String(), fs.ErrClosed)
	}
	return what, err
}

// ReadAt implements io.ReaderAt.
func (f *file) ReadAt(b []byte, off int64) (int, error) {
	_, err := f.begin(Read)
	defer f.disk.mu.Unlock()
	switch {
	case err != nil:
		return 0, err
	case off < 0:
		return 0, f.fault("read", syscall.EINVAL)
	case off >= f.inode.size:
		return 0, io.EOF
	}
	n := int(min(int64(len(b)), f.inode.size-off))
	f.inode.read(b[:n], off)
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

// WriteAt implements io.WriterAt. A write that fails may have stored a part.
func (f *file) WriteAt(b []byte, off int64) (int, error) {
	what, err := f.begin(Write)
	defer f.disk.mu.Unlock()
	d := f.disk
	switch {
	case what == fails && err != nil, errors.Is(err, fs.ErrClosed):
		return 0, err
	case off < 0:
		return 0, f.fault("write", syscall.EINVAL)
	case what == short || what == crashes:
		b = b[:d.draw.IntN(len(b)+1)]
	}
	if grown := off + int64(len(b)) - f.inode.size; grown > 0 {
		if free := d.space - d.used(); grown > free {
			b = b[:max(0, int64(len(b))-(grown-max(0, free)))]
			if err == nil {
				err = f.fault("write", syscall.ENOSPC)
			}
		}
	}
	if len(b) > 0 {
		f.inode.size = max(f.inode.size, off+int64(len(b)))
		f.inode.write(b, off)
	}
	return len(b), err
}

// Size is the file's length in bytes.
func (f *file) Size() (int64, error) {
	f.disk.mu.Lock(lock.Disk)
	defer f.disk.mu.Unlock()
	if f.disk.dead {
		return 0, ErrCrashed
	}
	return f.inode.size, nil
}

// Truncate sets the file's length.
func (f *file) Truncate(size int64) error {
	what, err := f.begin(Write)
	defer f.disk.mu.Unlock()
	switch {
	case err != nil && (what != crashes || f.disk.heads()):
		return err
	case size < 0:
		return f.fault("truncate", syscall.EINVAL)
	case size > f.inode.size && f.disk.used()+size-f.inode.size > f.disk.space:
		return f.fault("truncate", syscall.ENOSPC)
	}
	f.inode.truncate(size)
	return err
}

// Sync brings what was written to the device. One that fails has brought a part
// of it and forgotten the rest.
func (f *file) Sync() error {
	what, err := f.begin(Sync)
	defer f.disk.mu.Unlock()
	switch {
	case errors.Is(err, fs.ErrClosed):
		return err
	case what == fine:
		f.inode.sync(nil)
	case what == fails:
		f.inode.sync(f.disk.heads)
	}
	return err
}

// Forget drops the clean pages from the cache, also those that a failed sync
// made clean without writing them.
func (f *file) Forget() error {
	f.disk.mu.Lock(lock.Disk)
	defer f.disk.mu.Unlock()
	if f.disk.dead {
		return ErrCrashed
	}
	f.inode.dropClean()
	return nil
}

// Close ends the use of this handle. It syncs nothing.
func (f *file) Close() error {
	f.disk.mu.Lock(lock.Disk)
	defer f.disk.mu.Unlock()
	if f.closed {
		return f.fault("close", fs.ErrClosed)
	}
	f.closed = true
	return nil
}
