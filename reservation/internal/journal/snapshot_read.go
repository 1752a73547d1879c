package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/clickcollect/clickcollect/reservation/log"
)

// OpenSnapshot opens a snapshot for reading. Every byte it returns has been
// checked; at a fault it returns none of the block that is damaged and fails
// with ErrCorrupt. io.EOF says that the content was whole. ErrForeign: the file
// is of another engine or another product. ErrNewer: a later version wrote it.
// The reader has one user at a time.
func OpenSnapshot(d Disk, identity [16]byte, s SnapshotInfo) (io.ReadCloser, error) {
	f, err := d.Open(s.Name)
	if err != nil {
		return nil, fmt.Errorf("journal: open a snapshot: %w", err)
	}
	r, err := newSnapshotReader(f, identity, s)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return r, nil
}

// A snapshotReader reads and checks block by block.
type snapshotReader struct {
	file   File
	name   string
	to     uint64 // the record up to which it is exact, for errors
	offset int64  // in the file, of the next block
	end    int64  // of the blocks
	chain  uint32
	tail   uint32 // what chain has to be in the end
	left   uint64 // bytes of content not yet read from the file
	buffer []byte
	ready  []byte // checked content
	err    error
}

// newSnapshotReader checks the head and the tail, and that the file is as long
// as they say.
func newSnapshotReader(f File, identity [16]byte, s SnapshotInfo) (*snapshotReader, error) {
	r := &snapshotReader{file: f, name: s.Name, to: s.To, offset: blockSize}
	size, err := f.Size()
	if err != nil {
		return nil, fmt.Errorf("journal: open a snapshot: %w", err)
	}
	head, err := r.block(0, magicSnapshot, identity)
	if err != nil {
		return nil, err
	}
	if size < 2*blockSize || size%blockSize != 0 {
		return nil, r.damaged(-1, fmt.Sprintf("it has %d bytes", size))
	}
	tail, err := r.block(size-blockSize, magicSnapshotEnd, identity)
	if err != nil {
		return nil, err
	}
	content, blocks := tail.uint64(2), tail.uint64(3)
	r.end, r.left = size-blockSize, content
	r.chain, r.tail = binary.LittleEndian.Uint32(head.data[:]), uint32(tail.uint64(4))
	switch {
	case head.uint64(0) != s.From || tail.uint64(0) != s.From || tail.uint64(1) != s.To:
		return nil, r.damaged(-1, "its name is another snapshot's")
	case content > uint64(size) || blocks != (content+snapshotRoom-1)/snapshotRoom || r.end != snapshotEnd(content):
		return nil, r.damaged(-1, fmt.Sprintf("it has %d bytes for a content of %d", size, content))
	}
	r.buffer = make([]byte, min(snapshotBytes, r.end-r.offset))
	return r, nil
}

// snapshotEnd is where the blocks of a content end in the file.
func snapshotEnd(content uint64) int64 {
	whole, rest := int64(content/snapshotRoom), int64(content%snapshotRoom)
	if rest > 0 {
		rest = (rest + snapshotHeader + blockSize - 1) &^ (blockSize - 1)
	}
	return blockSize + whole*snapshotBytes + rest
}

// block reads the head or the tail.
func (r *snapshotReader) block(offset int64, magic string, identity [16]byte) (*block, error) {
	b, err := readBlock(r.file, offset)
	if err == nil {
		err = b.check(magic)
	}
	switch {
	case errors.Is(err, errBlock), errors.Is(err, ErrForeign): // its name is ours
		return nil, r.damaged(offset, "its head or tail is not whole")
	case err != nil:
		return nil, fmt.Errorf("journal: open the snapshot %s: %w", r.name, err)
	case b.identity() != identity:
		return nil, fmt.Errorf("%w: the snapshot %s is another engine's", ErrForeign, r.name)
	}
	return b, nil
}

func (r *snapshotReader) damaged(offset int64, why string) error {
	return &log.CorruptError{File: r.name, Offset: offset, From: 1, To: r.to, Why: why}
}

// Read implements io.Reader.
func (r *snapshotReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for len(r.ready) == 0 && r.err == nil {
		r.ready, r.err = r.next()
	}
	if len(r.ready) == 0 {
		return 0, r.err
	}
	n := copy(p, r.ready)
	r.ready = r.ready[n:]
	return n, nil
}

// next reads and checks a block and returns its content.
func (r *snapshotReader) next() ([]byte, error) {
	if r.left == 0 {
		if r.chain != r.tail || r.offset != r.end {
			return nil, r.damaged(r.offset, "its blocks are not those of its tail")
		}
		return nil, io.EOF
	}
	size := int(min(r.left, snapshotRoom))
	b := r.buffer[:min(snapshotBytes, r.end-r.offset)]
	n, err := readFull(r.file, b, r.offset)
	if err != nil {
		return nil, fmt.Errorf("journal: read the snapshot %s: %w", r.name, err)
	}
	sum := crc32.Update(r.chain, checksums, b[4:])
	if n < len(b) || sum != binary.LittleEndian.Uint32(b) || binary.LittleEndian.Uint32(b[4:]) != uint32(size) {
		return nil, r.damaged(r.offset, "a block's checksum does not hold")
	}
	r.chain = sum
	r.offset += int64(len(b))
	r.left -= uint64(size)
	return b[snapshotHeader : snapshotHeader+size], nil
}

// verify reads all there is.
func (r *snapshotReader) verify() error {
	for {
		if _, err := r.next(); err != nil {
			if err == io.EOF {
				return nil
			}
			return err
		}
	}
}

// Close implements io.Closer.
func (r *snapshotReader) Close() error { return r.file.Close() }
