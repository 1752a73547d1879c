package book

import (
	"encoding/binary"
	"math"

	"github.com/clickcollect/clickcollect/reservation/life"
)

// record is the memory of one entry, little-endian, from its first byte to the
// end of its chunk. It never moves while the entry is there:
//
//	byte  0  fingerprint       8
//	      8  distance          8  IEEE 754 bits
//	     16  sequence          8
//	     24  deadline          8
//	     32  location          4
//	     36  extra             4  reference of the extra piece, 0 for none
//	     40  number of lines   3
//	     43  part              1  its number among the parts of its order, 0 of the first
//	     44  bytes of the ID   2
//	     46  kind              1  with the flags reminded, armed and queued, and the form
//	     47  state             1
//	     48  older or number   4  queued: references of the neighbours among the
//	     52  newer or stamp    4  remembered, 0 at the ends; else the number on the
//	                              location's shelf and the stamp of the timer
//	     56  pickup            8  or when it was made, see past.go
//	     64  ID                   then nothing up to a multiple of 4
//	      …  lines             8  each: SKU, quantity; sorted by SKU
//
// Where the units of a line are follows from the state; what does not, and what
// few entries have, is in the extra piece. Three lines and an ID of 12 bytes
// fill 104 bytes.
type record []byte

const (
	fingerprintAt = 0
	distanceAt    = 8
	sequenceAt    = 16
	deadlineAt    = 24
	locationAt    = 32
	extraAt       = 36
	linesAt       = 40
	partAt        = 43
	idBytesAt     = 44
	kindAt        = 46
	stateAt       = 47
	olderAt       = 48
	newerAt       = 52
	pickupAt      = 56
	idAt          = 64

	lineBytes = 8

	kindBits     = 0x07
	flagReminded = 0x08
	flagArmed    = 0x10 // a timer carries the stamp
	flagQueued   = 0x20 // among the remembered
	formShift    = 6    // the form is in the two bits above
)

// recordBytes returns the size of a record.
func recordBytes(idBytes, lines int) int {
	return idAt + (idBytes+3)&^3 + lines*lineBytes
}

// write fills a new record. It has no extra piece and is in no list.
func (r record) write(kind Kind, id string, e *Entry) {
	_ = r[idAt-1]
	binary.LittleEndian.PutUint32(r[extraAt:], 0)
	binary.LittleEndian.PutUint32(r[linesAt:], uint32(len(e.Lines))|uint32(e.Part)<<24)
	binary.LittleEndian.PutUint16(r[idBytesAt:], uint16(len(id)))
	r[kindAt] = byte(kind)
	binary.LittleEndian.PutUint64(r[olderAt:], 0)
	r.rewrite(e)
	copy(r[idAt:], id)
	lines := r.lines(len(id), len(e.Lines))
	for i := range e.Lines {
		binary.LittleEndian.PutUint64(lines[i*lineBytes:], uint64(e.Lines[i].SKU)|uint64(e.Lines[i].Quantity)<<32)
	}
}

// rewrite brings what can change up to date.
func (r record) rewrite(e *Entry) {
	_ = r[idAt-1]
	binary.LittleEndian.PutUint64(r[fingerprintAt:], e.Fingerprint)
	binary.LittleEndian.PutUint64(r[distanceAt:], math.Float64bits(e.Distance))
	binary.LittleEndian.PutUint64(r[sequenceAt:], e.Sequence)
	binary.LittleEndian.PutUint64(r[deadlineAt:], uint64(e.Deadline))
	binary.LittleEndian.PutUint64(r[pickupAt:], uint64(e.KeptPickup()))
	binary.LittleEndian.PutUint32(r[locationAt:], e.Location)
	r.setFlag(flagReminded, e.Reminded)
	r[kindAt] = r[kindAt]&(1<<formShift-1) | byte(e.Form)<<formShift
	r[stateAt] = byte(e.State)
}

// read copies all but what is in the extra piece.
func (r record) read(into *Entry) {
	_ = r[idAt-1]
	into.Fingerprint = binary.LittleEndian.Uint64(r[fingerprintAt:])
	into.Distance = math.Float64frombits(binary.LittleEndian.Uint64(r[distanceAt:]))
	into.Sequence = binary.LittleEndian.Uint64(r[sequenceAt:])
	into.Deadline = int64(binary.LittleEndian.Uint64(r[deadlineAt:]))
	into.Location, into.To = r.location(), 0
	into.State = r.state()
	into.Part = r.part()
	into.Reminded = r.has(flagReminded)
	into.Form = life.Form(r[kindAt] >> formShift)
	into.Recall(int64(binary.LittleEndian.Uint64(r[pickupAt:])), "")
	into.Refs = Refs{}
	into.Lines = into.Lines[:0]
	lines := r.lines(r.idBytes(), r.lineCount())
	for at := 0; at < len(lines); at += lineBytes {
		both := binary.LittleEndian.Uint64(lines[at:])
		line := entryLine{SKU: uint32(both), Quantity: uint32(both >> 32)}
		line.Imply(into.State)
		into.Lines = append(into.Lines, line)
	}
}

// implied reports whether all units are where Imply puts them.
func implied(e *Entry) bool {
	for i := range e.Lines {
		l := &e.Lines[i]
		if e.State == life.Held {
			if l.Held != l.Quantity || l.Confirmed|l.Collected|l.Returned|l.Missing|l.Lapsed|l.Short|l.Rerouted != 0 {
				return false
			}
			continue
		}
		want := entryLine{SKU: l.SKU, Quantity: l.Quantity}
		want.Imply(e.State)
		if *l != want {
			return false
		}
	}
	return true
}

func (r record) is(kind Kind, id string, part uint8) bool {
	return r.kind() == kind && r.part() == part && r.idBytes() == len(id) && string(r[idAt:idAt+len(id)]) == id
}

func (r record) deadline() int64    { return int64(binary.LittleEndian.Uint64(r[deadlineAt:])) }
func (r record) pickup() int64      { return int64(binary.LittleEndian.Uint64(r[pickupAt:])) }
func (r record) location() uint32   { return binary.LittleEndian.Uint32(r[locationAt:]) }
func (r record) extra() uint32      { return binary.LittleEndian.Uint32(r[extraAt:]) }
func (r record) lineCount() int     { return int(binary.LittleEndian.Uint32(r[linesAt:]) & maxLines) }
func (r record) part() uint8        { return r[partAt] }
func (r record) idBytes() int       { return int(binary.LittleEndian.Uint16(r[idBytesAt:])) }
func (r record) id() []byte         { return r[idAt : idAt+r.idBytes()] }
func (r record) kind() Kind         { return Kind(r[kindAt] & kindBits) }
func (r record) state() life.State  { return life.State(r[stateAt]) }
func (r record) has(flag byte) bool { return r[kindAt]&flag != 0 }
func (r record) size() int          { return recordBytes(r.idBytes(), r.lineCount()) }
func (r record) older() uint32      { return binary.LittleEndian.Uint32(r[olderAt:]) }
func (r record) newer() uint32      { return binary.LittleEndian.Uint32(r[newerAt:]) }
func (r record) number() uint32     { return r.older() }
func (r record) stamp() uint32      { return r.newer() }

func (r record) setExtra(ref uint32) { binary.LittleEndian.PutUint32(r[extraAt:], ref) }
func (r record) setOlder(ref uint32) { binary.LittleEndian.PutUint32(r[olderAt:], ref) }
func (r record) setNewer(ref uint32) { binary.LittleEndian.PutUint32(r[newerAt:], ref) }
func (r record) setNumber(n uint32)  { r.setOlder(n) }
func (r record) setStamp(n uint32)   { r.setNewer(n) }
func (r record) markFree()           { r[kindAt] = 0 }

func (r record) setFlag(flag byte, on bool) {
	r[kindAt] &^= flag
	if on {
		r[kindAt] |= flag
	}
}

func (r record) lines(idBytes, count int) []byte {
	at := recordBytes(idBytes, 0)
	return r[at : at+count*lineBytes]
}
