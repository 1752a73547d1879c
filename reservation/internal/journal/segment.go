package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/clickcollect/clickcollect/reservation/log"
)

// A segment is one file of frames.
type segment struct {
	// What its head says; never changes.
	name  string
	id    uint64 // drawn anew for every life of the file
	first uint64 // sequence number of its first record
	size  int64  // length of the file
	chain uint32 // checksum of the frame before its first

	// Guarded by FileLog.mu.
	end   int64  // where the next frame goes
	next  uint64 // sequence number after its last record
	last  uint32 // checksum of its last frame; chain if there is none
	marks []place
	file  File // nil unless somebody uses it
	users int  // the appender is one
	gone  bool // trimmed: the last user closes the file
}

// A place is where a frame begins, noted so that a reader need not walk the
// whole segment: one for every placeBytes.
type place struct {
	first  uint64
	offset int64
	chain  uint32
}

const placeBytes = 64 << 10

func segmentName(first uint64) string { return fmt.Sprintf("%020d%s", first, segmentSuffix) }

// parseSegmentName returns the first sequence number, 0 if the name is not one.
func parseSegmentName(name string) uint64 {
	digits, ok := strings.CutSuffix(name, segmentSuffix)
	first, err := strconv.ParseUint(digits, 10, 64)
	if !ok || err != nil || segmentName(first) != name {
		return 0
	}
	return first
}

// head is the block a segment begins with.
func (s *segment) head(identity [16]byte) *block {
	b := new(block)
	b.putUint64(0, s.id)
	b.putUint64(1, s.first)
	b.putUint64(2, uint64(s.size))
	binary.LittleEndian.PutUint32(b.data[blockFields+24:], s.chain)
	b.seal(magicSegment, identity)
	return b
}

// newSegment is a segment that holds nothing yet.
func newSegment(first uint64, size int64, chain uint32) *segment {
	var id [8]byte
	draw(id[:])
	return &segment{
		name: segmentName(first), id: binary.LittleEndian.Uint64(id[:]), first: first, size: size, chain: chain,
		end: blockSize, next: first, last: chain,
	}
}

// damaged is a CorruptError of this segment.
func (s *segment) damaged(offset int64, from, to uint64, why string) *log.CorruptError {
	return &log.CorruptError{File: s.name, Offset: offset, From: from, To: to, Why: why}
}

// readHead reads and checks the first block of the segment of that name.
func readHead(f File, name string, identity [16]byte) (*segment, error) {
	s := &segment{name: name, first: parseSegmentName(name)}
	b, err := readBlock(f, 0)
	if err != nil {
		return nil, fmt.Errorf("journal: %s: %w", name, err)
	}
	size, err := f.Size()
	if err != nil {
		return nil, fmt.Errorf("journal: %s: %w", name, err)
	}
	err = b.check(magicSegment)
	switch {
	case errors.Is(err, log.ErrNewer):
		return nil, fmt.Errorf("%w (%s)", err, name)
	case err != nil:
		return nil, s.damaged(0, s.first, 0, "its head is not whole")
	case b.identity() != identity:
		return nil, s.damaged(0, s.first, 0, "it belongs to another journal")
	case b.uint64(1) != s.first:
		return nil, s.damaged(0, s.first, 0, fmt.Sprintf("it is the segment that begins with %d", b.uint64(1)))
	case b.uint64(2) != uint64(size):
		return nil, s.damaged(-1, s.first, 0, fmt.Sprintf("it was made %d bytes long and is %d", b.uint64(2), size))
	case size%blockSize != 0 || size < 3*blockSize:
		return nil, s.damaged(-1, s.first, 0, fmt.Sprintf("no segment is %d bytes long", size))
	}
	s.id, s.size = b.uint64(0), size
	s.chain = binary.LittleEndian.Uint32(b.data[blockFields+24:])
	s.end, s.next, s.last = blockSize, s.first, s.chain
	return s, nil
}

// dataEnd is where frames have to end: the last block is the seal's.
func (s *segment) dataEnd() int64 { return s.size - blockSize }

// writeSeal closes the segment for good. The segment that goes on has its name
// by then.
func (s *segment) writeSeal(f File) error {
	h := header{kind: kindSeal, previous: s.last, segment: s.id, first: s.next, durable: s.next - 1}
	var payload [8]byte
	binary.LittleEndian.PutUint64(payload[:], uint64(s.end))
	b := make([]byte, blockSize)
	h.encode(b, payload[:])
	if _, err := f.WriteAt(b, s.dataEnd()); err != nil {
		return err
	}
	return syncFile(f)
}

// readSeal takes end, next and last from the seal, if there is one.
func (s *segment) readSeal(f File) (sealed bool, err error) {
	b := make([]byte, blockSize)
	if _, err := readFull(f, b, s.dataEnd()); err != nil {
		return false, fmt.Errorf("journal: %s: %w", s.name, err)
	}
	h, size, why := parseHeader(b)
	if why != "" || size != blockSize || h.segment != s.id {
		return false, nil
	}
	if why, err := h.verify(b); why != "" {
		return false, err
	}
	end := int64(binary.LittleEndian.Uint64(b[frameHeader:]))
	if h.kind != kindSeal || h.payload != 8 || end < blockSize || end > s.dataEnd() || end%blockSize != 0 || h.first < s.first {
		return false, nil
	}
	s.end, s.next, s.last = end, h.first, h.previous
	return true, nil
}

// note adds a place for a frame that begins at offset, if it is time for one.
func note(marks []place, first uint64, offset int64, chain uint32) []place {
	if n := len(marks); n == 0 || offset-marks[n-1].offset >= placeBytes {
		marks = append(marks, place{first, offset, chain})
	}
	return marks
}

// A walk reads the frames of a segment one after the other and takes none that
// is not whole, of this life of the segment, next in order, and chained to the
// one before.
type walk struct {
	file  File
	name  string
	id    uint64
	pos   int64  // of the next frame
	limit int64  // frames end here at the latest
	next  uint64 // sequence number the next frame begins with
	chain uint32 // checksum of the frame before

	window []byte // what was read of the file
	at     int64  // where the window begins
}

// walk begins at p.
func (s *segment) walk(f File, p place, limit int64, window []byte) *walk {
	return &walk{
		file: f, name: s.name, id: s.id, pos: p.offset, limit: limit, next: p.first, chain: p.chain,
		window: window[:0], at: p.offset,
	}
}

// start is the place of the first frame.
func (s *segment) start() place { return place{s.first, blockSize, s.chain} }

// windowBytes is how much a walk reads at once.
const windowBytes = 256 << 10

// bytes returns n bytes of the file from offset, fewer if the limit or the end
// of the file comes first.
func (w *walk) bytes(offset, n int64) ([]byte, error) {
	n = min(n, w.limit-offset)
	if offset < w.at || offset+n > w.at+int64(len(w.window)) {
		fill := min(max(n, windowBytes), w.limit-offset)
		if int64(cap(w.window)) < fill {
			w.window = make([]byte, fill)
		}
		got, err := readFull(w.file, w.window[:fill], offset)
		w.window, w.at = w.window[:got], offset
		if err != nil {
			w.window = w.window[:0]
			return nil, fmt.Errorf("journal: %s: %w", w.name, err)
		}
	}
	have := w.window[offset-w.at:]
	return have[:min(n, int64(len(have)))], nil
}

// errNoFrame: the next frame is not there or not whole. It says why.
type errNoFrame string

func (e errNoFrame) Error() string { return string(e) }

// step returns the next frame; io.EOF at the limit, errNoFrame where none is
// whole. The payload is valid until the next step.
func (w *walk) step() (header, []byte, error) {
	if w.pos >= w.limit {
		return header{}, nil, io.EOF
	}
	b, err := w.bytes(w.pos, blockSize)
	if err != nil {
		return header{}, nil, err
	}
	h, size, why := parseHeader(b)
	if why != "" {
		return h, nil, errNoFrame(why)
	}
	if h.segment != w.id {
		return h, nil, errNoFrame("a frame of another segment")
	}
	if b, err = w.bytes(w.pos, size); err != nil {
		return h, nil, err
	}
	if int64(len(b)) < size {
		return h, nil, errNoFrame("the file ends within a frame")
	}
	why, err = h.verify(b)
	switch {
	case err != nil:
		return h, nil, err
	case why != "":
		return h, nil, errNoFrame(why)
	case h.kind != kindData:
		return h, nil, errNoFrame("a seal among frames")
	case h.first != w.next:
		return h, nil, errNoFrame(fmt.Sprintf("a frame that begins with %d, not %d", h.first, w.next))
	case h.previous != w.chain:
		return h, nil, errNoFrame("a frame that does not follow the one before it")
	}
	w.pos += size
	w.next, w.chain = h.next(), h.checksum
	return h, b[frameHeader : frameHeader+int(h.payload)], nil
}

// later looks from offset on for a whole frame of this life of the segment, and
// returns the first one for which want is true.
func (w *walk) later(offset int64, want func(h *header) bool) (h header, at int64, found bool, err error) {
	for ; offset < w.limit; offset += blockSize {
		b, err := w.bytes(offset, blockSize)
		if err != nil {
			return h, 0, false, err
		}
		if !claimsFrame(b, w.id) {
			continue
		}
		h, size, why := parseHeader(b)
		if why != "" || offset+size > w.limit {
			continue
		}
		if b, err = w.bytes(offset, size); err != nil {
			return h, 0, false, err
		}
		if int64(len(b)) < size {
			continue
		}
		if why, _ := h.verify(b); why == "" && want(&h) {
			return h, offset, true, nil
		}
	}
	return h, 0, false, nil
}
