// Package faultdisk is a disk in memory that fails on demand: a simulation's
// journal.Disk. It keeps what was synced apart from what was only written, so
// that a power cut can take back any part of the latter, and draws everything
// that chance decides from one seed.
//
// # What survives a power cut
//
// Files are pages of 4,096 bytes. Of each page the disk keeps what the device
// has and what the page cache has. Crash draws, page by page, which of the
// unsynced pages reached the device, whole, in part by sectors of 512 bytes, or
// with a sector of garbage where the power failed; whether an unsynced size
// did; and which of the unsynced directory changes did: the first few of them,
// in order, as on a journaling file system, or, if Strict, any of them, each as
// a whole, as POSIX allows. A sync of a file never saves its name.
//
// A sync that fails marks the pages clean without having written all of them,
// as Linux does: the cache still shows them, a second sync does nothing for
// them, and a crash takes them back. Only File.Forget makes the cache show what
// the device has.
//
// # What is refused
//
// A system that is out of file handles, or that has something foreign in the
// way of a name, says so before it does anything: Plan.Refuse makes the calls on
// names fail so for a while, and Obstruct puts a directory in the way.
//
// Not modeled: an older unsynced version of a page surviving its newer one.
package faultdisk

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"syscall"

	"github.com/clickcollect/clickcollect/reservation/internal/journal"
	"github.com/clickcollect/clickcollect/reservation/lock"
)

const (
	pageBytes   = 4096
	sectorBytes = 512
)

// ErrCrashed is the answer of a disk whose power was cut.
var ErrCrashed = errors.New("faultdisk: the power is off")

// A Kind is a kind of I/O.
type Kind uint8

// The kinds of I/O. Opening, closing, locking, listing and asking for a size
// are none.
const (
	Read   Kind = iota // ReadAt
	Write              // WriteAt, Truncate
	Sync               // of a file or of the directory
	Entry              // Create, Rename, Remove
	kinds  = iota
	AnyIO  = kinds // in a Plan: whatever it is
	counts = kinds + 1
)

// A Plan says which I/Os fail. I/Os are counted from 1, of all kinds together
// and of each kind, from the time the plan is set.
type Plan struct {
	Fail  [counts]uint64 // the n-th I/O of a kind, or of AnyIO, fails with EIO; 0 for none
	Short uint64         // the n-th Write stores a part and fails with EIO; 0 for none
	Crash uint64         // at the n-th I/O of any kind the power goes; 0 for never

	Refuse Refusal
}

// A Refusal is a time in which the system has no file handle to give, or some
// other reason to do nothing: of the calls on names (Lock, List, Open, Create,
// Rename and Remove), counted from 1 from the time the plan is set, those from
// From on and before Until fail with Why, and nothing has happened. They are no
// I/O.
type Refusal struct {
	From, Until uint64 // 0, 0: none
	Why         error  // such as syscall.EMFILE
}

// A Disk is one flat directory in memory. It may be used by any number of
// goroutines at once, but for its draws, which follow the order of the calls.
type Disk struct {
	// Strict lets a power cut take back any unsynced directory changes, not
	// only the last ones. It is set before the first use.
	Strict bool

	// OnIO, if set, is called before every I/O, with no lock held: a
	// simulation's clock may move, a test may wait. It is set before the first
	// use.
	OnIO func(kind Kind, name string)

	mu      lock.Mutex
	draw    *rand.Rand
	names   map[string]*inode // as the process sees it
	saved   map[string]*inode // as the device has it
	pending []change          // what tells names from saved, in order
	plan    Plan
	done    [counts]uint64 // I/Os since the plan was set
	total   [counts]uint64 // I/Os ever
	calls   uint64         // on names, since the plan was set
	blocked map[string]bool
	space   int64 // bytes that all files may have together
	inodes  uint64
	locked  bool
	dead    bool
}

// A change is what a crash may take back: a name now means another file, or,
// in a rename, two names do.
type change struct {
	name  string
	to    *inode // nil: removed
	from  string // the old name of a rename, else ""
	moved bool
}

var _ journal.Disk = (*Disk)(nil)

// New is an empty disk with endless space that draws from a seed.
func New(seed uint64) *Disk {
	return &Disk{
		draw:  rand.New(rand.NewPCG(seed, 0xfa17d15c)),
		names: make(map[string]*inode), saved: make(map[string]*inode), space: 1 << 62,
	}
}

// SetPlan sets which I/Os fail from now on.
func (d *Disk) SetPlan(p Plan) {
	d.mu.Lock(lock.Disk)
	defer d.mu.Unlock()
	d.plan, d.done, d.calls = p, [counts]uint64{}, 0
}

// Obstruct puts a directory in the way of a name: nothing can be made, opened or
// renamed there, and List does not show it. The power does not take it away.
func (d *Disk) Obstruct(name string) {
	d.mu.Lock(lock.Disk)
	defer d.mu.Unlock()
	if d.blocked == nil {
		d.blocked = make(map[string]bool)
	}
	d.blocked[name] = true
}

// Calls is how many calls on names there have been since the plan was set.
func (d *Disk) Calls() uint64 {
	d.mu.Lock(lock.Disk)
	defer d.mu.Unlock()
	return d.calls
}

// call counts a call on names, and returns why it is refused, nil if it is not.
// The mutex is held.
func (d *Disk) call(op string, names ...string) error {
	d.calls++
	if r := d.plan.Refuse; d.calls >= r.From && d.calls < r.Until {
		return &fs.PathError{Op: op, Path: strings.Join(names, " "), Err: r.Why}
	}
	for _, name := range names {
		if d.blocked[name] {
			return &fs.PathError{Op: op, Path: name, Err: syscall.EISDIR}
		}
	}
	return nil
}

// SetSpace sets how many bytes all files may have together; what is there
// already stays.
func (d *Disk) SetSpace(bytes int64) {
	d.mu.Lock(lock.Disk)
	defer d.mu.Unlock()
	d.space = bytes
}

// Used is how many bytes all files have together.
func (d *Disk) Used() int64 {
	d.mu.Lock(lock.Disk)
	defer d.mu.Unlock()
	return d.used()
}

func (d *Disk) used() (bytes int64) {
	for _, n := range d.names {
		bytes += n.size
	}
	return bytes
}

// Count is how many I/Os of a kind, or of AnyIO, there have been.
func (d *Disk) Count(kind Kind) uint64 {
	d.mu.Lock(lock.Disk)
	defer d.mu.Unlock()
	return d.total[kind]
}

// An outcome is what the plan has for an I/O.
type outcome uint8

const (
	fine    outcome = iota
	fails           // with EIO
	short           // a part of a write, then EIO
	crashes         // and whether it still took effect is drawn
	refused         // and nothing has happened
)

// begin counts an I/O, and returns with the mutex held and what is to become of
// it. The caller unlocks. One on names may be refused before it counts.
func (d *Disk) begin(kind Kind, op string, names ...string) (outcome, error) {
	name := names[0]
	if d.OnIO != nil {
		d.OnIO(kind, name)
	}
	d.mu.Lock(lock.Disk)
	if d.dead {
		return crashes, ErrCrashed
	}
	if kind == Entry {
		if err := d.call(op, names...); err != nil {
			return refused, err
		}
	}
	for _, k := range [...]Kind{kind, AnyIO} {
		d.done[k]++
		d.total[k]++
	}
	eio := func() error { return &fs.PathError{Op: kind.String(), Path: name, Err: syscall.EIO} }
	switch {
	case d.done[AnyIO] == d.plan.Crash:
		d.dead = true
		return crashes, ErrCrashed
	case d.done[kind] == d.plan.Fail[kind], d.done[AnyIO] == d.plan.Fail[AnyIO]:
		return fails, eio()
	case kind == Write && d.done[kind] == d.plan.Short:
		return short, eio()
	}
	return fine, nil
}

// String names the kind.
func (k Kind) String() string {
	if k > AnyIO {
		return fmt.Sprintf("kind %d", uint8(k))
	}
	return [...]string{"read", "write", "sync", "entry", "I/O"}[k]
}

// Lock takes the directory's lock, or fails with journal.ErrLocked.
func (d *Disk) Lock() (unlock func() error, err error) {
	d.mu.Lock(lock.Disk)
	defer d.mu.Unlock()
	switch {
	case d.dead:
		return nil, ErrCrashed
	case d.locked:
		return nil, journal.ErrLocked
	}
	if err := d.call("lock", "lock"); err != nil {
		return nil, err
	}
	d.locked = true
	return func() error {
		d.mu.Lock(lock.Disk)
		defer d.mu.Unlock()
		d.locked = false
		return nil
	}, nil
}

// List is the names of all files, sorted.
func (d *Disk) List() ([]string, error) {
	d.mu.Lock(lock.Disk)
	defer d.mu.Unlock()
	if d.dead {
		return nil, ErrCrashed
	}
	if err := d.call("list"); err != nil {
		return nil, err
	}
	return slices.Sorted(maps.Keys(d.names)), nil
}

// Open opens a file that is there.
func (d *Disk) Open(name string) (journal.File, error) {
	d.mu.Lock(lock.Disk)
	defer d.mu.Unlock()
	if d.dead {
		return nil, ErrCrashed
	}
	if err := d.call("open", name); err != nil {
		return nil, err
	}
	n, ok := d.names[name]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return &file{disk: d, name: name, inode: n}, nil
}

// Create makes a file of zeros, or makes an old one that. ENOSPC leaves no new
// file behind.
func (d *Disk) Create(name string, size int64) (journal.File, error) {
	what, err := d.begin(Entry, "create", name)
	defer d.mu.Unlock()
	if err != nil && (what != crashes || d.heads()) {
		return nil, err
	}
	n := d.names[name]
	old := int64(0)
	if n != nil {
		old = n.size
	}
	if d.used()-old+size > d.space {
		return nil, &fs.PathError{Op: "create", Path: name, Err: syscall.ENOSPC}
	}
	if n == nil {
		d.inodes++
		n = &inode{id: d.inodes}
		d.names[name] = n
		d.pending = append(d.pending, change{name: name, to: n})
	}
	n.truncate(0)
	n.truncate(size)
	if err != nil {
		return nil, err
	}
	return &file{disk: d, name: name, inode: n}, nil
}

// Rename gives a file another name, in place of what had it.
func (d *Disk) Rename(from, to string) error {
	what, err := d.begin(Entry, "rename", from, to)
	defer d.mu.Unlock()
	if err != nil && (what != crashes || d.heads()) {
		return err
	}
	n, ok := d.names[from]
	if !ok {
		return &fs.PathError{Op: "rename", Path: from, Err: fs.ErrNotExist}
	}
	delete(d.names, from)
	d.names[to] = n
	d.pending = append(d.pending, change{name: to, to: n, from: from, moved: true})
	return err
}

// Remove removes a file.
func (d *Disk) Remove(name string) error {
	what, err := d.begin(Entry, "remove", name)
	defer d.mu.Unlock()
	if err != nil && (what != crashes || d.heads()) {
		return err
	}
	if _, ok := d.names[name]; !ok {
		return &fs.PathError{Op: "remove", Path: name, Err: fs.ErrNotExist}
	}
	delete(d.names, name)
	d.pending = append(d.pending, change{name: name})
	return err
}

// Sync makes the directory's names durable.
func (d *Disk) Sync() error {
	what, err := d.begin(Sync, "sync", ".")
	defer d.mu.Unlock()
	if err != nil && (what != crashes || d.heads()) {
		return err
	}
	d.saved = maps.Clone(d.names)
	d.pending = nil
	return err
}

// heads tosses a coin.
func (d *Disk) heads() bool { return d.draw.Uint64()&1 == 0 }
