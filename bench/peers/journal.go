package peers

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"

	"github.com/clickcollect/clickcollect/allocator"
	"github.com/clickcollect/clickcollect/bench"
)

const (
	journalBytes = 64 << 20
	frameAlign   = 4096
	frameHead    = 20 // checksum, length, number of the frame
)

// journaled is the strong baseline of package bench with a journal before the
// answer: what a good Go engineer writes who wants no database.
//
// An order is held in memory first and written then; a cancellation is written
// first. So nothing that can be read back from the journal was ever sold
// twice.
//
// Plain, it is an afternoon's work: one frame after the other at the end of a
// file that grows. Tuned, it knows what we know about disks: frames begin at
// multiples of 4,096 bytes in a file of 64 MiB that was zero-filled and synced
// beforehand, so that a sync has no metadata to write; callers are woken
// beside the next commit; and the journal starts over at its end, as if a
// snapshot had freed it, so that this rival never pays for making files.
// Neither pays for snapshots.
type journaled struct {
	bench.Engine
	dir      string
	tuned    bool
	file     *os.File
	group    *group
	frame    []byte
	offset   int64
	sequence uint64
}

// The kinds of record. A hold is its kind, the ID, the location, the number
// of lines, and each line's SKU and quantity; a cancellation is its kind and
// the ID.
const (
	recordHold = iota + 1
	recordCancel
)

func (e *journaled) Load(w *bench.World) error {
	if err := e.Engine.Load(w); err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(e.dir, "journal"), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	e.file = f
	if e.tuned {
		if err := zeroFill(f, journalBytes); err != nil {
			return err
		}
	}
	e.group = newGroup(e.tuned, e.commit)
	return syncDir(e.dir)
}

// zeroFill makes f so many bytes long, all zero and on disk.
func zeroFill(f *os.File, size int64) error {
	zeros := make([]byte, 1<<20)
	for at := int64(0); at < size; at += int64(len(zeros)) {
		if _, err := f.WriteAt(zeros, at); err != nil {
			return err
		}
	}
	return f.Sync()
}

// syncDir makes the entries of a directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// commit writes one frame and syncs it.
func (e *journaled) commit(b *batch) error {
	size := frameHead + len(b.records)
	padded := size
	if e.tuned {
		padded = (size + frameAlign - 1) / frameAlign * frameAlign
		if padded > journalBytes {
			return fmt.Errorf("peers: a batch of %d bytes is larger than the journal", size)
		}
		if e.offset+int64(padded) > journalBytes {
			e.offset = 0
		}
	}
	if cap(e.frame) < padded {
		e.frame = make([]byte, 2*padded)
	}
	frame := e.frame[:padded]
	e.sequence++
	binary.LittleEndian.PutUint64(frame[4:], uint64(len(b.records)))
	binary.LittleEndian.PutUint64(frame[12:], e.sequence)
	clear(frame[frameHead+copy(frame[frameHead:], b.records):])
	binary.LittleEndian.PutUint32(frame, crc32.Checksum(frame[4:size], crc32.MakeTable(crc32.Castagnoli)))
	if _, err := e.file.WriteAt(frame, e.offset); err != nil {
		return err
	}
	e.offset += int64(padded)
	return syncData(e.file)
}

func (e *journaled) Allocate(o *allocator.Order) (string, bool, error) {
	location, ok, err := e.Engine.Allocate(o)
	if err != nil || !ok {
		return "", false, err
	}
	var onStack [256]byte
	record := append(onStack[:0], recordHold)
	record = appendName(appendName(record, o.ID), location)
	record = binary.AppendUvarint(record, uint64(len(o.Lines)))
	for _, l := range o.Lines {
		record = binary.AppendUvarint(appendName(record, l.SKU), uint64(l.Quantity))
	}
	if err := e.group.do(record, change{}); err != nil {
		return "", false, err
	}
	return location, true, nil
}

func appendName(b []byte, name string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(name))), name...)
}

func (e *journaled) Cancel(id string) error {
	var onStack [64]byte
	if err := e.group.do(appendName(append(onStack[:0], recordCancel), id), change{}); err != nil {
		return err
	}
	return e.Engine.Cancel(id)
}

func (e *journaled) Close() error {
	if e.group != nil {
		e.group.close()
	}
	var failed error
	if e.file != nil {
		failed = e.file.Close()
	}
	return errors.Join(failed, e.Engine.Close())
}
