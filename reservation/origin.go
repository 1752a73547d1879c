package reservation

import "encoding/binary"

// What an entry was at first, and its other fields may have forgotten, is in
// refs.ref, big-endian, as far as there is anything to keep:
//
//	byte  0  promise   8  when the goods were promised to be ready, 0 for none
//	      8  since     8  when the entry was made; before, pickup has it
//	     16  origin    4  the slot where it was made; before, location has it
//
// It stands where an entry keeps texts, because few entries have any of it.
const (
	originSince = 8
	originSlot  = 16
	originEnd   = 20
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
	if len(e.refs.ref) < originEnd {
		return e.location
	}
	return binary.BigEndian.Uint32([]byte(e.refs.ref[originSlot:]))
}

func (e *entry) origin(at int) int64 {
	return int64(binary.BigEndian.Uint64([]byte(e.refs.ref[at : at+8])))
}

// keepSince comes before pickup gets another meaning.
func (e *entry) keepSince() {
	if len(e.refs.ref) >= originSlot {
		return
	}
	b := binary.BigEndian.AppendUint64(make([]byte, 0, originEnd), uint64(e.promise()))
	e.refs.ref = string(binary.BigEndian.AppendUint64(b, uint64(e.pickup)))
}

// keepSlot comes before the entry moves to another location.
func (e *entry) keepSlot() {
	if len(e.refs.ref) >= originEnd {
		return
	}
	e.keepSince()
	e.refs.ref = string(binary.BigEndian.AppendUint32([]byte(e.refs.ref), e.location))
}
