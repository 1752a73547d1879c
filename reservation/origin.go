package reservation

import (
	"encoding/binary"
	"math"
	"strings"
)

// What an entry was at first, and its other fields may have forgotten, and what
// few entries have, is in refs.ref, big-endian, as far as there is anything to
// keep:
//
//	byte  0  promise   8  when the goods were promised to be ready, 0 for none
//	      8  since     8  when the entry was made; before, pickup has it
//	     16  origin    4  the slot where it was made; before, location has it
//	     20  rejects   1  how often a location rejected it, 255 at most
//	     21  parts     1  of how many parts the order is, 0 for one
//	     22            2  nothing
//	     24  bytes     2  of the ID that follows
//	     26  cause        ID of the reservation that its units come from
//	      …  note         the rest: the caller's
//
// It stands where an entry keeps texts, because few entries have any of it.
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

// promiseText is refs.ref of a new entry.
func promiseText(at int64) string {
	if at == 0 {
		return ""
	}
	return string(binary.BigEndian.AppendUint64(nil, uint64(at)))
}

func (e *entry) promise() int64 {
	if len(e.refs.ref) < originSince {
		return 0
	}
	return e.origin(0)
}

// since is when the entry was made.
func (e *entry) since() int64 {
	if len(e.refs.ref) < originSlot {
		return e.pickup
	}
	return e.origin(originSince)
}

// slot is where the entry was made.
func (e *entry) slot() uint32 {
	if len(e.refs.ref) < originRejects {
		return e.location
	}
	return binary.BigEndian.Uint32([]byte(e.refs.ref[originSlot:originRejects]))
}

func (e *entry) origin(at int) int64 {
	return int64(binary.BigEndian.Uint64([]byte(e.refs.ref[at : at+8])))
}

// keepSince comes before pickup gets another meaning.
func (e *entry) keepSince() {
	if len(e.refs.ref) >= originSlot {
		return
	}
	b := binary.BigEndian.AppendUint64(make([]byte, 0, originRejects), uint64(e.promise()))
	e.refs.ref = string(binary.BigEndian.AppendUint64(b, uint64(e.pickup)))
}

// keepSlot comes before the entry moves to another location.
func (e *entry) keepSlot() {
	if len(e.refs.ref) >= originRejects {
		return
	}
	e.keepSince()
	e.refs.ref = string(binary.BigEndian.AppendUint32([]byte(e.refs.ref), e.location))
}

// tail is what only entries with a note, with a past, or of orders of several
// parts have.
type tail struct {
	rejects, parts uint8
	cause          string // ID of the reservation that its units come from
	note           string
}

// tail is a part of the entry's text.
func (e *entry) tail() (t tail) {
	ref := e.refs.ref
	if len(ref) < originCause {
		return t
	}
	t.rejects, t.parts = ref[originRejects], ref[originParts]
	end := originCause + int(ref[originBytes])<<8 + int(ref[originBytes+1])
	t.cause, t.note = ref[originCause:end], ref[end:]
	return t
}

// fits reports whether a tail is no longer than an entry's text can be.
func (t *tail) fits() bool { return originCause+len(t.cause)+len(t.note) <= MaxIDBytes }

// setTail comes when location and pickup are set. A tail that says nothing takes
// no room if there was none.
func (e *entry) setTail(t tail) {
	if t == (tail{}) && len(e.refs.ref) < originCause {
		return
	}
	var head [originCause]byte
	if n := copy(head[:originRejects], e.refs.ref); n < originRejects {
		binary.BigEndian.PutUint64(head[:], uint64(e.promise()))
		binary.BigEndian.PutUint64(head[originSince:], uint64(e.since()))
		binary.BigEndian.PutUint32(head[originSlot:], e.slot())
	}
	head[originRejects], head[originParts] = t.rejects, t.parts
	binary.BigEndian.PutUint16(head[originBytes:], uint16(len(t.cause)))
	var b strings.Builder // one piece of memory, once
	b.Grow(originCause + len(t.cause) + len(t.note))
	b.Write(head[:])
	b.WriteString(t.cause)
	b.WriteString(t.note)
	e.refs.ref = b.String()
}

// setPromise changes when the goods are promised to be ready.
func (e *entry) setPromise(at int64) {
	if len(e.refs.ref) < originSince {
		e.refs.ref = promiseText(at)
		return
	}
	b := []byte(e.refs.ref)
	binary.BigEndian.PutUint64(b, uint64(at))
	e.refs.ref = string(b)
}

// reject counts a rejection.
func (e *entry) reject() {
	t := e.tail()
	if t.rejects < math.MaxUint8 {
		t.rejects++
	}
	e.setTail(t)
}

// soundOrigin checks the form of refs.ref.
func (e *entry) soundOrigin() bool {
	ref := e.refs.ref
	switch len(ref) {
	case 0, originSince, originSlot, originRejects:
		return true
	}
	return len(ref) >= originCause && len(ref) >= originCause+int(ref[originBytes])<<8+int(ref[originBytes+1])
}
