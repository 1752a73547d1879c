package reservation

import (
	"encoding/binary"
	"math"
)

// record is the memory of one entry, little-endian, from its first byte to the
// end of its chunk:
//
//	byte  0  fingerprint       8
//	      8  distance          8  IEEE 754 bits
//	     16  location          4
//	     20  number of lines   4
//	     24  next older        4  references within the remembered
//	     28  next newer        4  ones, 0 at the ends
//	     32  bytes of the ID   2
//	     34  kind              1
//	     35  state             1
//	     36  ID                   then nothing up to a multiple of 4
//	      …  lines            16  each: SKU, quantity, held, collected; sorted by SKU
//
// Three lines and an ID of 12 bytes fill 96 bytes.
type record []byte

const (
	fingerprintAt = 0
	distanceAt    = 8
	locationAt    = 16
	linesAt       = 20
	olderAt       = 24
	newerAt       = 28
	idBytesAt     = 32
	kindAt        = 34
	stateAt       = 35
	idAt          = 36

	lineBytes = 16

	// maxEntryIDBytes is the longest ID a book takes.
	maxEntryIDBytes = math.MaxUint16
)

// recordBytes returns the size of a record.
func recordBytes(idBytes, lines int) int {
	return idAt + (idBytes+3)&^3 + lines*lineBytes
}

func (r record) write(kind entryKind, id string, e *entry) {
	_ = r[idAt-1]
	binary.LittleEndian.PutUint64(r[fingerprintAt:], e.fingerprint)
	binary.LittleEndian.PutUint64(r[distanceAt:], math.Float64bits(e.distance))
	binary.LittleEndian.PutUint32(r[locationAt:], e.location)
	binary.LittleEndian.PutUint32(r[linesAt:], uint32(len(e.lines)))
	binary.LittleEndian.PutUint64(r[olderAt:], 0)
	binary.LittleEndian.PutUint16(r[idBytesAt:], uint16(len(id)))
	r[kindAt], r[stateAt] = byte(kind), byte(e.state)
	copy(r[idAt:], id)
	lines := r.lines(len(id), len(e.lines))
	for i := range e.lines {
		lines.put(i, e.lines[i])
	}
}

func (r record) read(into *entry) {
	_ = r[idAt-1]
	into.fingerprint = binary.LittleEndian.Uint64(r[fingerprintAt:])
	into.distance = math.Float64frombits(binary.LittleEndian.Uint64(r[distanceAt:]))
	into.location = r.location()
	into.state = r.state()
	into.lines = into.lines[:0]
	lines := r.allLines()
	for i := range lines.len() {
		into.lines = append(into.lines, lines.at(i))
	}
}

func (r record) is(kind entryKind, id string) bool {
	return r.kind() == kind && r.idBytes() == len(id) && string(r[idAt:idAt+len(id)]) == id
}

func (r record) location() uint32 { return binary.LittleEndian.Uint32(r[locationAt:]) }
func (r record) lineCount() int   { return int(binary.LittleEndian.Uint32(r[linesAt:])) }
func (r record) idBytes() int     { return int(binary.LittleEndian.Uint16(r[idBytesAt:])) }
func (r record) id() []byte       { return r[idAt : idAt+r.idBytes()] }
func (r record) kind() entryKind  { return entryKind(r[kindAt]) }
func (r record) state() State     { return State(r[stateAt]) }
func (r record) size() int        { return recordBytes(r.idBytes(), r.lineCount()) }
func (r record) older() uint32    { return binary.LittleEndian.Uint32(r[olderAt:]) }
func (r record) newer() uint32    { return binary.LittleEndian.Uint32(r[newerAt:]) }

func (r record) setState(s State)      { r[stateAt] = byte(s) }
func (r record) setOlder(ref uint32)   { binary.LittleEndian.PutUint32(r[olderAt:], ref) }
func (r record) setNewer(ref uint32)   { binary.LittleEndian.PutUint32(r[newerAt:], ref) }
func (r record) markFree()             { r[kindAt] = 0 }
func (r record) allLines() recordLines { return r.lines(r.idBytes(), r.lineCount()) }

func (r record) lines(idBytes, count int) recordLines {
	at := recordBytes(idBytes, 0)
	return recordLines(r[at : at+count*lineBytes])
}

// recordLines are the lines of a record in place.
type recordLines []byte

func (l recordLines) len() int { return len(l) / lineBytes }

func (l recordLines) put(i int, line entryLine) {
	b := l[i*lineBytes : i*lineBytes+lineBytes]
	binary.LittleEndian.PutUint64(b, uint64(line.sku)|uint64(line.quantity)<<32)
	binary.LittleEndian.PutUint64(b[8:], uint64(line.held)|uint64(line.collected)<<32)
}

func (l recordLines) at(i int) entryLine {
	b := l[i*lineBytes : i*lineBytes+lineBytes]
	low, high := binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])
	return entryLine{
		sku: uint32(low), quantity: uint32(low >> 32),
		held: uint32(high), collected: uint32(high >> 32),
	}
}

// resolve ends held units: all of them if want is nil, otherwise those of want,
// which is sorted by SKU as the lines are. It appends what it ended to buf. If
// a line of want cannot be ended, nothing changes and ok is false; then buf
// gains one line, with the SKU, the quantity wanted, and what is held of it.
// rest reports whether units are still held, collected whether any ever was.
func (l recordLines) resolve(to State, want, buf []entryLine) (taken []entryLine, rest, collected, ok bool) {
	before := len(buf)
	if want != nil {
		i, count := 0, l.len()
		for _, w := range want {
			for i < count && l.at(i).sku < w.sku {
				i++
			}
			refused := entryLine{sku: w.sku, quantity: w.quantity}
			there := i < count && l.at(i).sku == w.sku
			if there {
				refused.held = l.at(i).held
			}
			if !there || refused.held < w.quantity {
				return append(buf[:before], refused), false, false, false
			}
		}
	}
	for i := range l.len() {
		line := l.at(i)
		units := line.held
		if want != nil {
			units = 0
			if len(want) > 0 && want[0].sku == line.sku {
				units, want = want[0].quantity, want[1:]
			}
		}
		if units > 0 {
			line.held -= units
			if to == Collected {
				line.collected += units
			}
			l.put(i, line)
			buf = append(buf, entryLine{sku: line.sku, quantity: units})
		}
		rest = rest || line.held > 0
		collected = collected || line.collected > 0
	}
	return buf, rest, collected, true
}
