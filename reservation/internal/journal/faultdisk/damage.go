package faultdisk

import (
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"github.com/clickcollect/clickcollect/reservation/lock"
)

// The methods of this file damage the device and the cache alike, at once and
// with no I/O counted. They fail when a file is not there or is too short.

// Names is the names of all files, sorted, also after the power was cut.
func (d *Disk) Names() []string {
	d.mu.Lock(lock.Disk)
	defer d.mu.Unlock()
	return slices.Sorted(maps.Keys(d.names))
}

// Bytes is a copy of a file's content.
func (d *Disk) Bytes(name string) ([]byte, error) {
	d.mu.Lock(lock.Disk)
	defer d.mu.Unlock()
	n, ok := d.names[name]
	if !ok {
		return nil, &fs.PathError{Op: "bytes", Path: name, Err: fs.ErrNotExist}
	}
	b := make([]byte, n.size)
	n.read(b, 0)
	return b, nil
}

// Put makes a file with this content, durable, in place of an old one.
func (d *Disk) Put(name string, content []byte) {
	d.mu.Lock(lock.Disk)
	defer d.mu.Unlock()
	d.inodes++
	n := &inode{id: d.inodes, size: int64(len(content))}
	n.write(content, 0)
	n.sync(nil)
	d.names[name], d.saved[name] = n, n
}

// Flip turns one bit of a file over. Bits count from the lowest of byte 0.
func (d *Disk) Flip(name string, bit int64) error {
	return d.damage(name, bit/8, 1, func(b []byte) { b[0] ^= 1 << (bit % 8) })
}

// Zero makes a stretch of a file zeros.
func (d *Disk) Zero(name string, offset, size int64) error {
	return d.damage(name, offset, size, func(b []byte) { clear(b) })
}

// Garbage makes a stretch of a file drawn bytes.
func (d *Disk) Garbage(name string, offset, size int64) error {
	return d.damage(name, offset, size, func(b []byte) {
		for i := range b {
			b[i] = byte(d.draw.Uint32())
		}
	})
}

// Cut makes a file shorter.
func (d *Disk) Cut(name string, size int64) error {
	b, err := d.Bytes(name)
	if err == nil && (size < 0 || size > int64(len(b))) {
		err = fmt.Errorf("faultdisk: cut %s, of %d bytes, to %d", name, len(b), size)
	}
	if err == nil {
		d.Put(name, b[:size])
	}
	return err
}

// Duplicate copies a file's content over another's.
func (d *Disk) Duplicate(from, to string) error {
	b, err := d.Bytes(from)
	if err == nil {
		d.Put(to, b)
	}
	return err
}

// Swap exchanges the contents of two files.
func (d *Disk) Swap(one, other string) error {
	a, err := d.Bytes(one)
	if err != nil {
		return err
	}
	b, err := d.Bytes(other)
	if err != nil {
		return err
	}
	d.Put(one, b)
	d.Put(other, a)
	return nil
}

// damage changes a stretch of a file.
func (d *Disk) damage(name string, offset, size int64, change func(b []byte)) error {
	b, err := d.Bytes(name)
	if err == nil && (offset < 0 || size < 0 || offset+size > int64(len(b))) {
		err = fmt.Errorf("faultdisk: damage %d bytes at %d of %s, which has %d", size, offset, name, len(b))
	}
	if err != nil {
		return err
	}
	change(b[offset : offset+size])
	d.Put(name, b)
	return nil
}
