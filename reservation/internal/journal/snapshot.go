package journal

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"strings"
)

// A snapshot file of version 1, in order; numbers are little-endian:
//
//	head    4,096   a block with the magic "clickcollect snapshot", the engine's
//	                identity, and field 0: From
//	blocks  65,536  each but the last: checksum 4 | bytes of content 4 | content
//	                65,528. The last is as long as its content needs, rounded up
//	                with zeros to a multiple of 4,096
//	tail    4,096   a block like the head with the magic "clickcollect snap end"
//	                and the fields 0: From, 1: To, 2: bytes of content, 3: number
//	                of blocks, 4: checksum of the last block (of the head, if
//	                there is none)
//
// A block's checksum is the CRC-32C of all of it but itself, begun at the
// checksum of the block before it, the first one at that of the head: a block
// of another snapshot, or of another place in this one, does not hold.
const (
	snapshotBytes  = 64 << 10
	snapshotHeader = 8
	snapshotRoom   = snapshotBytes - snapshotHeader // for content in a block

	magicSnapshot    = "clickcollect snapshot"
	magicSnapshotEnd = "clickcollect snap end"
	snapshotSuffix   = ".snapshot"
	snapshotDraft    = "snapshot.new"
)

// A SnapshotInfo is a whole snapshot file. Its content was written while the
// engine ran: it is exact once the records From+1 to To have been replayed onto
// it.
type SnapshotInfo struct {
	Name     string // of the file
	From, To uint64 // sequence numbers
	Bytes    int64  // of the file
}

func snapshotName(from, to uint64) string {
	return fmt.Sprintf("%020d-%020d%s", from, to, snapshotSuffix)
}

// parseSnapshotName is the inverse of snapshotName.
func parseSnapshotName(name string) (s SnapshotInfo, ok bool) {
	from, to, _ := strings.Cut(strings.TrimSuffix(name, snapshotSuffix), "-")
	s.Name = name
	s.From, _ = strconv.ParseUint(from, 10, 64)
	s.To, _ = strconv.ParseUint(to, 10, 64)
	return s, snapshotName(s.From, s.To) == name
}

// WriteSnapshot writes a snapshot that is begun at the sequence number from.
// write produces the content, and returns the sequence number from which on the
// content is exact. The file is made durable, read again and verified before it
// gets its name. On an error there is no new snapshot, and the old ones are
// untouched: ErrNoSpace when the disk is full, ErrCorrupt when what was read
// again is not what was written, or what write failed with. One snapshot is
// written at a time.
func WriteSnapshot(d Disk, identity [16]byte, from uint64, write func(w io.Writer) (to uint64, err error)) (SnapshotInfo, error) {
	draft, s, err := draftSnapshot(d, identity, from, write)
	if err == nil {
		err = d.Rename(draft, s.Name)
	}
	if err == nil {
		err = syncNames(d)
	}
	if err == nil {
		return s, nil
	}
	err = fmt.Errorf("journal: write a snapshot: %w", typed(err))
	return SnapshotInfo{}, errors.Join(err, ignoreMissing(d.Remove(draft)))
}

// WriteSnapshot is WriteSnapshot beside the log. If the names cannot be synced the
// log stops: ErrJournal.
func (l *FileLog) WriteSnapshot(from uint64, write func(w io.Writer) (to uint64, err error)) (SnapshotInfo, error) {
	s, err := WriteSnapshot(l.disk, l.super.identity, from, write)
	return s, l.heedNames(err)
}

// RemoveSnapshot is RemoveSnapshot beside the log. If the names cannot be synced
// the log stops: ErrJournal.
func (l *FileLog) RemoveSnapshot(s SnapshotInfo) error {
	return l.heedNames(RemoveSnapshot(l.disk, s))
}

// heedNames stops the log for a sync of names that failed.
func (l *FileLog) heedNames(err error) error {
	if errors.Is(err, errNames) {
		return l.fail("sync the names", err)
	}
	return err
}

// draftSnapshot writes and verifies the file under its first name. What is not a
// snapshot's, and has that name, is stepped over.
func draftSnapshot(d Disk, identity [16]byte, from uint64, write func(w io.Writer) (to uint64, err error)) (draft string, s SnapshotInfo, err error) {
	f, draft, err := createDraft(d, 0, draftNames(snapshotDraft), func(string, error) {})
	if err != nil {
		return draft, s, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w := newSnapshotWriter(f, identity, from)
	to, err := write(w)
	switch {
	case err == nil && w.err == nil && to < from:
		err = fmt.Errorf("its content is of record %d, before record %d at which it was begun", to, from)
	case err == nil:
		err = w.finish(identity, from, to)
	}
	if err != nil {
		return draft, s, err
	}
	s = SnapshotInfo{Name: snapshotName(from, to), From: from, To: to, Bytes: w.offset}
	if err := syncFile(f); err != nil {
		return draft, s, err
	}
	if err := forget(f); err != nil {
		return draft, s, err
	}
	r, err := newSnapshotReader(f, identity, s)
	if err == nil {
		err = r.verify()
	}
	return draft, s, err
}

// A snapshotWriter cuts content into blocks. The first error stays.
type snapshotWriter struct {
	file    File
	offset  int64 // in the file, of the next block
	buffer  []byte
	chain   uint32 // checksum of the block before
	content uint64 // bytes
	blocks  uint64
	err     error
}

func newSnapshotWriter(f File, identity [16]byte, from uint64) *snapshotWriter {
	w := &snapshotWriter{file: f, buffer: make([]byte, snapshotHeader, snapshotBytes)}
	head := new(block)
	head.putUint64(0, from)
	head.seal(magicSnapshot, identity)
	w.chain = binary.LittleEndian.Uint32(head.data[:])
	w.put(head.data[:])
	return w
}

// Write implements io.Writer.
func (w *snapshotWriter) Write(p []byte) (n int, err error) {
	for len(p) > 0 && w.err == nil {
		taken := min(len(p), snapshotBytes-len(w.buffer))
		w.buffer = append(w.buffer, p[:taken]...)
		p, n = p[taken:], n+taken
		if len(w.buffer) == snapshotBytes {
			w.flush()
		}
	}
	return n, w.err
}

// flush writes the block that has been gathered.
func (w *snapshotWriter) flush() {
	size := len(w.buffer) - snapshotHeader
	padding := -len(w.buffer) & (blockSize - 1)
	b := w.buffer[:len(w.buffer)+padding]
	clear(b[len(w.buffer):])
	binary.LittleEndian.PutUint32(b[4:], uint32(size))
	w.chain = crc32.Update(w.chain, checksums, b[4:])
	binary.LittleEndian.PutUint32(b, w.chain)
	w.put(b)
	w.content += uint64(size)
	w.blocks++
	w.buffer = w.buffer[:snapshotHeader]
}

func (w *snapshotWriter) put(b []byte) {
	if w.err != nil {
		return
	}
	_, w.err = w.file.WriteAt(b, w.offset)
	w.offset += int64(len(b))
}

// finish writes the last block and the tail.
func (w *snapshotWriter) finish(identity [16]byte, from, to uint64) error {
	if len(w.buffer) > snapshotHeader && w.err == nil {
		w.flush()
	}
	tail := new(block)
	for field, v := range []uint64{from, to, w.content, w.blocks, uint64(w.chain)} {
		tail.putUint64(field, v)
	}
	tail.seal(magicSnapshotEnd, identity)
	w.put(tail.data[:])
	return w.err
}

// Snapshots lists the snapshots of a disk, the newest first. That one is listed
// does not say that it is whole.
func Snapshots(d Disk) ([]SnapshotInfo, error) {
	names, err := d.List()
	if err != nil {
		return nil, fmt.Errorf("journal: list snapshots: %w", typed(err))
	}
	var found []SnapshotInfo
	for _, name := range names {
		s, ok := parseSnapshotName(name)
		if !ok {
			continue
		}
		f, err := d.Open(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed meanwhile
		}
		if err == nil {
			s.Bytes, err = f.Size()
			err = errors.Join(err, f.Close())
		}
		if err != nil {
			return nil, fmt.Errorf("journal: list snapshots: %w", typed(err))
		}
		found = append(found, s)
	}
	slices.SortFunc(found, func(a, b SnapshotInfo) int {
		return cmp.Or(cmp.Compare(b.To, a.To), cmp.Compare(b.From, a.From))
	})
	return found, nil
}

// RemoveSnapshot removes a snapshot for good.
func RemoveSnapshot(d Disk, s SnapshotInfo) error {
	err := d.Remove(s.Name)
	if err == nil {
		err = syncNames(d)
	}
	if err != nil {
		return fmt.Errorf("journal: remove a snapshot: %w", typed(err))
	}
	return nil
}

// TrimPoint is the first record that is still needed, given the snapshots there
// are, newest first: the two newest of them can both be made exact with the
// records from there on. With fewer than two it is the first of all, since the
// log itself is then one of the two ways to recover.
func TrimPoint(snapshots []SnapshotInfo) uint64 {
	if len(snapshots) < 2 {
		return 1
	}
	return min(snapshots[0].From, snapshots[1].From) + 1
}
