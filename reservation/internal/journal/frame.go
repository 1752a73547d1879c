package journal

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"github.com/clickcollect/clickcollect/reservation/log"
)

// Format version 1. doc.go draws it; nothing here may change without a new
// version.
const (
	formatVersion = 1
	blockSize     = 4096 // everything begins at a multiple of it
	frameHeader   = 48
	frameMagic    = 0x464a4363 // "cCJF"

	kindData = 1
	kindSeal = 2

	maxPayloadBytes = 256 << 20
)

// checksums is the table of CRC-32C, which processors compute by themselves.
var checksums = crc32.MakeTable(crc32.Castagnoli)

// A header is what a frame says of itself.
type header struct {
	kind     uint8
	payload  uint32 // bytes
	count    uint32 // records
	previous uint32 // checksum of the frame before
	segment  uint64
	first    uint64
	durable  uint64 // last sequence number that was durable when the frame was written
	checksum uint32 // of the frame itself
}

// frameSize is the length of a frame on the disk, padding included.
func frameSize(payload int) int64 {
	return (int64(payload) + frameHeader + blockSize - 1) &^ (blockSize - 1)
}

// next is the sequence number after the frame's last record.
func (h *header) next() uint64 { return h.first + uint64(h.count) }

// encode writes the frame into b, which is frameSize(len(payload)) long, and
// notes its checksum. The payload must not overlap b, unless it lies in b where
// it belongs.
func (h *header) encode(b, payload []byte) {
	le := binary.LittleEndian
	h.payload = uint32(len(payload))
	le.PutUint32(b[4:], frameMagic)
	b[8], b[9], b[10], b[11] = formatVersion, h.kind, 0, 0
	le.PutUint32(b[12:], h.payload)
	le.PutUint32(b[16:], h.count)
	le.PutUint32(b[20:], h.previous)
	le.PutUint64(b[24:], h.segment)
	le.PutUint64(b[32:], h.first)
	le.PutUint64(b[40:], h.durable)
	n := copy(b[frameHeader:], payload)
	clear(b[frameHeader+n:])
	h.checksum = crc32.Checksum(b[4:], checksums)
	le.PutUint32(b, h.checksum)
}

// parse reads the fields, which say nothing before verify has passed.
func (h *header) parse(b []byte) {
	le := binary.LittleEndian
	h.checksum = le.Uint32(b)
	h.kind = b[9]
	h.payload = le.Uint32(b[12:])
	h.count = le.Uint32(b[16:])
	h.previous = le.Uint32(b[20:])
	h.segment = le.Uint64(b[24:])
	h.first = le.Uint64(b[32:])
	h.durable = le.Uint64(b[40:])
}

// claimsFrame reports whether a block begins like a frame of the segment.
func claimsFrame(b []byte, segment uint64) bool {
	le := binary.LittleEndian
	return len(b) >= frameHeader && le.Uint32(b[4:]) == frameMagic && le.Uint64(b[24:]) == segment
}

// parseHeader reads the first frameHeader bytes of a block and says how long
// the frame would be, or why there is none.
func parseHeader(b []byte) (h header, size int64, why string) {
	if len(b) < frameHeader {
		return h, 0, "the file ends within a frame"
	}
	if binary.LittleEndian.Uint32(b[4:]) != frameMagic {
		return h, 0, "no frame begins here"
	}
	h.parse(b)
	if h.payload > maxPayloadBytes {
		return h, 0, "a frame of impossible length"
	}
	return h, frameSize(int(h.payload)), ""
}

// verify checks a whole frame, which is as long as its header says, against
// its checksum and its own rules. The error is ErrNewer for a frame that is
// whole and of a later version.
func (h *header) verify(b []byte) (why string, err error) {
	if crc32.Checksum(b[4:], checksums) != h.checksum {
		return "the checksum of a frame does not hold", nil
	}
	if v := b[8]; v != formatVersion {
		return "a frame of another version", fmt.Errorf("%w: a frame has version %d, this program knows version %d", log.ErrNewer, v, formatVersion)
	}
	if h.kind != kindData && h.kind != kindSeal || b[10] != 0 || b[11] != 0 {
		return "a frame of no known kind", nil
	}
	if h.next() < h.first || h.durable >= h.first || (h.count == 0) != (h.kind == kindSeal) {
		return "a frame that contradicts itself", nil
	}
	return "", nil
}
