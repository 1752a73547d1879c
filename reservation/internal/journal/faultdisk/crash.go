package faultdisk

import (
	"maps"
	"math/rand/v2"
	"slices"

	"github.com/clickcollect/clickcollect/reservation/lock"
)

// Crash cuts the power and returns the disk as the next process finds it: a
// fresh one, unlocked, with no plan. The old one fails from now on. Another
// Crash of the same disk draws another image.
func (d *Disk) Crash() *Disk {
	d.mu.Lock(lock.Disk)
	defer d.mu.Unlock()
	d.dead = true
	names := d.survivingNames()
	odds := [...]uint64{0, 1, 4, 7, 8}[d.draw.IntN(5)] // of 8: how likely an unsynced page is to survive
	image := d.next()
	copied := make(map[*inode]*inode, len(names))
	for _, name := range slices.Sorted(maps.Keys(names)) {
		n := names[name]
		if copied[n] == nil {
			copied[n] = d.survivor(n, odds)
		}
		image.names[name] = copied[n]
	}
	image.saved = maps.Clone(image.names)
	return image
}

// Kill ends the process and returns the disk as the next one finds it:
// everything that was written is there, and still not synced. The old disk
// fails from now on.
func (d *Disk) Kill() *Disk {
	d.mu.Lock(lock.Disk)
	defer d.mu.Unlock()
	d.dead = true
	image := d.next()
	copied := make(map[*inode]*inode, len(d.names))
	twin := func(n *inode) *inode {
		if n == nil {
			return nil
		}
		if copied[n] == nil {
			c := *n
			c.pages = slices.Clone(n.pages)
			for i := range c.pages {
				c.pages[i].own, n.pages[i].own = false, false
			}
			copied[n] = &c
		}
		return copied[n]
	}
	for name, n := range d.names {
		image.names[name] = twin(n)
	}
	for name, n := range d.saved {
		image.saved[name] = twin(n)
	}
	for _, c := range d.pending {
		c.to = twin(c.to)
		image.pending = append(image.pending, c)
	}
	return image
}

// next is an empty disk with d's settings and draws of its own.
func (d *Disk) next() *Disk {
	return &Disk{
		Strict: d.Strict, OnIO: d.OnIO,
		draw:  rand.New(rand.NewPCG(d.draw.Uint64(), d.draw.Uint64())),
		names: make(map[string]*inode), saved: make(map[string]*inode),
		total: d.total, space: d.space, inodes: d.inodes, blocked: maps.Clone(d.blocked),
	}
}

// survivingNames draws what is left of the directory.
func (d *Disk) survivingNames() map[string]*inode {
	names := maps.Clone(d.saved)
	kept := d.draw.IntN(len(d.pending) + 1)
	var lost map[string]bool // names with a change that is lost: later ones build on it
	for i, c := range d.pending {
		if d.Strict {
			if !d.heads() || lost[c.name] || c.moved && lost[c.from] {
				if lost == nil {
					lost = make(map[string]bool)
				}
				lost[c.name] = true
				if c.moved {
					lost[c.from] = true
				}
				continue
			}
		} else if i >= kept {
			break
		}
		if c.moved {
			delete(names, c.from)
		}
		if c.to == nil {
			delete(names, c.name)
		} else {
			names[c.name] = c.to
		}
	}
	return names
}

// survivor draws what is left of a file.
func (d *Disk) survivor(n *inode, odds uint64) *inode {
	s := &inode{id: n.id, size: n.savedSize, pages: make([]page, len(n.pages))}
	if n.size != n.savedSize && d.heads() {
		s.size = n.size
	}
	for i := range n.pages {
		left := n.pages[i].device
		if n.pages[i].dirty {
			if chance := d.draw.Uint64(); chance&7 < odds {
				left = n.pages[i].cached
				n.pages[i].own = false
			} else if chance>>3&7 == 0 {
				left = d.tear(n.pages[i].device, n.pages[i].cached)
			}
		}
		s.pages[i] = page{cached: left, device: left}
	}
	s.savedSize = s.size
	if s.size < int64(len(s.pages))*pageBytes {
		s.forget()
	}
	return s
}

// forget drops what lies behind the end of the file.
func (n *inode) forget() {
	size := n.size
	n.size = int64(len(n.pages)) * pageBytes
	n.truncate(size)
	n.sync(nil)
}

// tear is a page of which some sectors are new and the others old. In one of
// four, one sector is neither: the power failed while it was written.
func (d *Disk) tear(before, after *block) *block {
	torn := new(block)
	if before != nil {
		*torn = *before
	}
	draw := d.draw.Uint64()
	for at := 0; at < pageBytes; at += sectorBytes {
		if draw&1 != 0 && after != nil {
			copy(torn[at:at+sectorBytes], after[at:])
		} else if draw&1 != 0 {
			clear(torn[at : at+sectorBytes])
		}
		draw >>= 1
	}
	if draw&3 == 0 {
		at := int(draw>>2%(pageBytes/sectorBytes)) * sectorBytes
		for i := at; i < at+sectorBytes; i++ {
			torn[i] = byte(d.draw.Uint32())
		}
	}
	return torn
}
