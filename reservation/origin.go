package reservation

import (
	"encoding/binary"
	"math"
)

// What few entries have is written behind an entry's texts, as one more of them,
// big-endian, as far as there is anything to keep; so it is in memory, and in a
// snapshot:
//
//	byte  0  promise   8  when the goods were promised to be ready, 0 for none
//	      8  since     8  when the entry was made; without it, the pickup has it
//	     16  origin    4  the slot where it was made; without it, the location is it
//	     20  rejects   1  how often a location rejected it, 255 at most
//	     21  parts     1  of how many parts the order is, 0 for one
//	     22            2  nothing
//	     24  bytes     2  of the ID that follows
//	     26  cause        ID of the reservation that its units come from
//	      …  note         the rest: the caller's
const (
	originSince   = 8
	originSlot    = 16
	originRejects = 20
	originParts   = 21
	originBytes   = 24
	originCause   = 26

	// MaxRefBytes is the longest ID of a reservation that units of another one come
	// from: it is kept with a note.
	MaxRefBytes = MaxIDBytes - originCause - MaxNoteBytes
)

// pastBytes is how long that text is.
func (e *entry) pastBytes() int {
	switch {
	case e.rejects|e.parts != 0 || e.cause != "" || e.note != "":
		return originCause + len(e.cause) + len(e.note)
	case e.origin != e.location:
		return originRejects
	case e.state == Ready || e.pickup != 0 && e.pickup != e.since:
		return originSlot
	case e.promise != 0:
		return originSince
	}
	return 0
}

// putPast fills b, of pastBytes, with that text.
func (e *entry) putPast(b []byte) {
	if len(b) >= originSince {
		binary.BigEndian.PutUint64(b, uint64(e.promise))
	}
	if len(b) >= originSlot {
		binary.BigEndian.PutUint64(b[originSince:], uint64(e.since))
	}
	if len(b) >= originRejects {
		binary.BigEndian.PutUint32(b[originSlot:], e.origin)
	}
	if len(b) >= originCause {
		b[originRejects], b[originParts] = e.rejects, e.parts
		binary.BigEndian.PutUint16(b[originParts+1:], 0)
		binary.BigEndian.PutUint16(b[originBytes:], uint16(len(e.cause)))
		copy(b[originCause+copy(b[originCause:], e.cause):], e.note)
	}
}

// keptPickup is what is kept beside that text as the pickup: of most entries, when
// they were made.
func (e *entry) keptPickup() int64 {
	if e.state == Ready || e.pickup != 0 {
		return e.pickup
	}
	return e.since
}

// recall sets what keptPickup and putPast have kept; state and location are set.
// false: the text has another form.
func (e *entry) recall(pickup int64, text string) bool {
	e.promise, e.since, e.pickup, e.origin = 0, pickup, 0, e.location
	e.rejects, e.parts, e.cause, e.note = 0, 0, "", ""
	if len(text) >= originSince {
		e.promise = wordOf(text)
	}
	if len(text) >= originSlot {
		e.since = wordOf(text[originSince:])
		if e.state == Ready || pickup != e.since {
			e.pickup = pickup
		}
	}
	if len(text) >= originRejects {
		e.origin = uint32(wordOf(text[originSlot-4:]))
	}
	switch len(text) {
	case 0, originSince, originSlot, originRejects:
		return true
	}
	if len(text) < originCause {
		return false
	}
	end := originCause + int(text[originBytes])<<8 + int(text[originBytes+1])
	if end > len(text) {
		return false
	}
	e.rejects, e.parts = text[originRejects], text[originParts]
	e.cause, e.note = text[originCause:end], text[end:]
	return true
}

// wordOf is the number that the first eight bytes of a text are.
func wordOf(text string) int64 {
	n := uint64(0)
	for i := range 8 {
		n = n<<8 | uint64(text[i])
	}
	return int64(n)
}

// reject counts a rejection.
func (e *entry) reject() {
	if e.rejects < math.MaxUint8 {
		e.rejects++
	}
}

// noteFits reports whether a note can be kept behind the ID that units come from.
func noteFits(cause, note string) bool { return originCause+len(cause)+len(note) <= MaxIDBytes }
