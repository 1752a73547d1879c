package journal

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/clickcollect/clickcollect/reservation/log"
)

// A block is one of the pieces that are not frames: the superblock, a slot of
// the watermark, the head of a segment. All begin alike, in every version.
type block struct {
	data [blockSize]byte
}

const (
	magicBytes     = 24
	magicJournal   = "clickcollect journal"
	magicSegment   = "clickcollect segment"
	magicWatermark = "clickcollect watermark"
	blockFields    = 48 // where a block's own fields begin
)

// seal fills in what all blocks begin with, the checksum last.
func (b *block) seal(magic string, identity [16]byte) {
	le := binary.LittleEndian
	le.PutUint32(b.data[4:], formatVersion)
	clear(b.data[8 : 8+magicBytes])
	copy(b.data[8:8+magicBytes], magic)
	copy(b.data[32:], identity[:])
	le.PutUint32(b.data[:], crc32.Checksum(b.data[4:], checksums))
}

func (b *block) identity() (id [16]byte) {
	copy(id[:], b.data[32:])
	return id
}

func (b *block) uint64(field int) uint64 {
	return binary.LittleEndian.Uint64(b.data[blockFields+8*field:])
}

func (b *block) putUint64(field int, v uint64) {
	binary.LittleEndian.PutUint64(b.data[blockFields+8*field:], v)
}

// errBlock: the block is not one, or not whole. The caller knows which records
// that concerns.
var errBlock = errors.New("journal: not a whole block")

// check tells a whole block from a damaged one (errBlock), a later version's
// (ErrNewer) and a stranger's (ErrForeign). A block whose checksum holds once
// the magic is put right is ours, and its magic is damaged.
func (b *block) check(magic string) error {
	var want [magicBytes]byte
	copy(want[:], magic)
	found := [magicBytes]byte(b.data[8 : 8+magicBytes])
	whole := *b
	copy(whole.data[8:], want[:])
	holds := crc32.Checksum(whole.data[4:], checksums) == binary.LittleEndian.Uint32(b.data[:])
	version := binary.LittleEndian.Uint32(b.data[4:])
	switch {
	case found != want && !holds:
		return fmt.Errorf("%w: it begins with %q", ErrForeign, found[:])
	case found != want || !holds:
		return errBlock
	case version > formatVersion:
		return fmt.Errorf("%w: format version %d, this program knows version %d", log.ErrNewer, version, formatVersion)
	case version != formatVersion:
		return errBlock
	}
	return nil
}

// readBlock reads one block. What the file has not got is zero.
func readBlock(f File, offset int64) (*block, error) {
	b := new(block)
	if _, err := readFull(f, b.data[:], offset); err != nil {
		return nil, err
	}
	return b, nil
}

// readFull reads as much of p as the file has and says how much that is.
func readFull(f File, p []byte, offset int64) (int, error) {
	read := 0
	for read < len(p) {
		n, err := f.ReadAt(p[read:], offset+int64(read))
		read += n
		if errors.Is(err, io.EOF) || err == nil && n == 0 {
			break
		}
		if err != nil {
			return read, err
		}
	}
	return read, nil
}

// forget drops what is cached of a file, if the file can.
func forget(f File) error {
	if f, ok := f.(interface{ Forget() error }); ok {
		return f.Forget()
	}
	return nil
}

// syncFile makes a file durable. A failed sync is not tried again: the system may
// have thrown away what it could not write, and told of it once.
func syncFile(f File) error { return f.Sync() }

// errNames: a sync of the names has failed, whoever asked for it. Which names are
// durable is unknown, those of segments among them: the system tells of a fault
// once, and the log's own sync may come after that.
var errNames = errors.New("the names of files may not be durable")

// syncNames makes the names of a disk durable, or fails with errNames.
func syncNames(d Disk) error {
	if err := d.Sync(); err != nil {
		return fmt.Errorf("%w: %w", errNames, err)
	}
	return nil
}

// draw fills p with random bytes; it does not fail.
func draw(p []byte) {
	rand.Read(p) // Never fails: since Go 1.24 it ends the process instead.
}
