package book

import (
	"encoding/binary"
	"math"

	"github.com/clickcollect/clickcollect/reservation/life"
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
func (e *Entry) pastBytes() int {
	switch {
	case e.Rejects|e.Parts != 0 || e.Cause != "" || e.Note != "":
		return originCause + len(e.Cause) + len(e.Note)
	case e.Origin != e.Location:
		return originRejects
	case e.State == life.Ready || e.Pickup != 0 && e.Pickup != e.Since:
		return originSlot
	case e.Promise != 0:
		return originSince
	}
	return 0
}

// putPast fills b, of pastBytes, with that text.
func (e *Entry) putPast(b []byte) {
	if len(b) >= originSince {
		binary.BigEndian.PutUint64(b, uint64(e.Promise))
	}
	if len(b) >= originSlot {
		binary.BigEndian.PutUint64(b[originSince:], uint64(e.Since))
	}
	if len(b) >= originRejects {
		binary.BigEndian.PutUint32(b[originSlot:], e.Origin)
	}
	if len(b) >= originCause {
		b[originRejects], b[originParts] = e.Rejects, e.Parts
		binary.BigEndian.PutUint16(b[originParts+1:], 0)
		binary.BigEndian.PutUint16(b[originBytes:], uint16(len(e.Cause)))
		copy(b[originCause+copy(b[originCause:], e.Cause):], e.Note)
	}
}

// Past is that text.
func (e *Entry) Past() []byte {
	b := make([]byte, e.pastBytes())
	e.putPast(b)
	return b
}

// KeptPickup is what is kept beside that text as the pickup: of most entries, when
// they were made.
func (e *Entry) KeptPickup() int64 {
	if e.State == life.Ready || e.Pickup != 0 {
		return e.Pickup
	}
	return e.Since
}

// Recall sets what KeptPickup and putPast have kept; state and location are set.
// false: the text has another form.
func (e *Entry) Recall(pickup int64, text string) bool {
	e.Promise, e.Since, e.Pickup, e.Origin = 0, pickup, 0, e.Location
	e.Rejects, e.Parts, e.Cause, e.Note = 0, 0, "", ""
	if len(text) >= originSince {
		e.Promise = wordOf(text)
	}
	if len(text) >= originSlot {
		e.Since = wordOf(text[originSince:])
		if e.State == life.Ready || pickup != e.Since {
			e.Pickup = pickup
		}
	}
	if len(text) >= originRejects {
		e.Origin = uint32(wordOf(text[originSlot-4:]))
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
	e.Rejects, e.Parts = text[originRejects], text[originParts]
	e.Cause, e.Note = text[originCause:end], text[end:]
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

// Reject counts a rejection.
func (e *Entry) Reject() {
	if e.Rejects < math.MaxUint8 {
		e.Rejects++
	}
}

// NoteFits reports whether a note can be kept behind the ID that units come from.
func NoteFits(cause, note string) bool { return originCause+len(cause)+len(note) <= MaxIDBytes }

// Sound checks the invariants of an entry, for replay and audit.
func (e *Entry) Sound() bool { return life.Sound(e.State, e.Lines) }
