package book

import (
	"encoding/binary"

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
//	     22  from      1  the number of the part that its units come from, 0 for none
//	     23  parcel    1  1: carrier and tracking follow. 0: what former versions wrote
//	     24  carrier   1  bytes of the carrier's name
//	     25  tracking  1  bytes of the carrier's number
//	     26               carrier, tracking
//
// Where byte 23 is 0, 24 is the length, in two bytes, of what is at 26 and nothing of
// this version: the ID of the reservation that the units come from. Behind either:
//
//	…  note         the rest: the caller's
const (
	originSince   = 8
	originSlot    = 16
	originRejects = 20
	originParts   = 21
	originFrom    = 22
	originParcel  = 23
	originBytes   = 24
	originCause   = 26
)

// pastBytes is how long that text is.
func (e *Entry) pastBytes() int {
	switch {
	case e.Rejects|e.Parts|e.From != 0 || e.Note != "" || e.Parcel != Parcel{}:
		return originCause + len(e.Parcel.Carrier) + len(e.Parcel.Tracking) + len(e.Note)
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
		b[originRejects], b[originParts], b[originFrom] = e.Rejects, e.Parts, e.From
		clear(b[originParcel:originCause])
		if (e.Parcel != Parcel{}) {
			b[originParcel], b[originBytes], b[originBytes+1] = 1, byte(len(e.Parcel.Carrier)), byte(len(e.Parcel.Tracking))
		}
		at := originCause
		for _, text := range [...]string{e.Parcel.Carrier, e.Parcel.Tracking, e.Note} {
			at += copy(b[at:], text)
		}
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
// cause is the ID of the reservation that its units come from, of an entry of a former
// version. false: the text has another form.
func (e *Entry) Recall(pickup int64, text string) (cause string, ok bool) {
	e.Promise, e.Since, e.Pickup, e.Origin = 0, pickup, 0, e.Location
	e.Rejects, e.Parts, e.From, e.Note, e.Parcel = 0, 0, 0, "", Parcel{}
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
		return "", true
	}
	if len(text) < originCause {
		return "", false
	}
	carrier, tracking := int(text[originBytes]), int(text[originBytes+1])
	end := originCause + carrier<<8 + tracking
	if text[originParcel] == 1 {
		end = originCause + carrier + tracking
	}
	if end > len(text) || text[originParcel] > 1 {
		return "", false
	}
	e.Rejects, e.Parts, e.From = text[originRejects], text[originParts], text[originFrom]
	e.Note = text[end:]
	if text[originParcel] == 1 {
		e.Parcel = Parcel{text[originCause : originCause+carrier], text[originCause+carrier : end]}
		return "", true
	}
	return text[originCause:end], true
}

// wordOf is the number that the first eight bytes of a text are.
func wordOf(text string) int64 {
	n := uint64(0)
	for i := range 8 {
		n = n<<8 | uint64(text[i])
	}
	return int64(n)
}
