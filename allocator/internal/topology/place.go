package topology

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/clickcollect/clickcollect/geo"
	"github.com/clickcollect/clickcollect/reservation"
	"github.com/clickcollect/clickcollect/reservation/excerpt"
)

// A place as the journal keeps it is what there is of a location besides its ID, as opaque
// bytes to the ledger. Integers are uvarints, floats the 8 bytes of their bits,
// little-endian.
//
//	1 byte   version, 1
//	1 byte   kind
//	1 byte   flags: 1 takes no returns, 2 has an area, 4 has terms; the others
//	         are 0
//	2 floats latitude, longitude
//	         of an area: the number of rings; for each the number of vertices,
//	         and for each of them latitude and longitude
//	         of terms: their length and themselves, as JSON
const placeVersion = 1

const (
	placeNoReturns = 1 << iota
	placeArea
	placeTerms
	placeFlags // one more than all flags together
)

// appendPlace is a place as the journal keeps it.
func appendPlace(b []byte, l *Place) []byte {
	flags := byte(0)
	if l.NoReturns {
		flags |= placeNoReturns
	}
	if l.Area != nil {
		flags |= placeArea
	}
	if l.Terms != nil { // those that say nothing are read back too
		flags |= placeTerms
	}
	b = append(b, placeVersion, byte(l.Kind), flags)
	b = appendPoint(b, l.Point)
	if l.Area != nil {
		b = appendRings(b, l.Area.Rings())
	}
	if flags&placeTerms != 0 {
		b = l.Terms.appendTo(b)
	}
	return b
}

func appendRings(b []byte, rings [][]geo.Point) []byte {
	b = binary.AppendUvarint(b, uint64(len(rings)))
	for _, ring := range rings {
		b = binary.AppendUvarint(b, uint64(len(ring)))
		for _, p := range ring {
			b = appendPoint(b, p)
		}
	}
	return b
}

func appendPoint(b []byte, p geo.Point) []byte {
	b = binary.LittleEndian.AppendUint64(b, math.Float64bits(p.Lat))
	return binary.LittleEndian.AppendUint64(b, math.Float64bits(p.Lon))
}

// pointBytes is the length of a point.
const pointBytes = 16

// takePlace reads a place back. ErrNewer, ErrCorrupt: no version of this library
// so far has written it.
func takePlace(id string, b []byte) (l Place, err error) {
	l.ID = id
	malformed := func(why string) (Place, error) {
		return Place{ID: id}, fmt.Errorf("location %s: %s: %w", excerpt.Quote(id), why, reservation.ErrCorrupt)
	}
	if len(b) > 0 && b[0] > placeVersion {
		return l, fmt.Errorf("location %s: version %d: %w", excerpt.Quote(id), b[0], reservation.ErrNewer)
	}
	if len(b) < 3+pointBytes || b[0] != placeVersion || Kind(b[1]) >= Kinds || b[2] >= placeFlags {
		return malformed("malformed")
	}
	flags := b[2]
	l.Kind, l.NoReturns = Kind(b[1]), flags&placeNoReturns != 0
	l.Point, b = takePoint(b[3:])
	if err := l.Point.Validate(); err != nil {
		return malformed(err.Error())
	}
	if flags&placeArea != 0 {
		var rings [][]geo.Point
		if rings, b = takeRings(b); rings == nil {
			return malformed("malformed area")
		}
		// Earlier versions took the zero Area, in which nobody is, and then did not
		// open any more.
		if l.Area = new(geo.Area); len(rings) > 0 {
			l.Area, err = geo.NewArea(rings...)
		}
		if err != nil {
			return malformed(err.Error())
		}
	}
	if flags&placeTerms != 0 {
		l.Terms = new(Terms)
		if b, err = l.Terms.takeFrom(b); err != nil {
			return malformed("malformed terms: " + err.Error())
		}
	}
	if len(b) > 0 {
		return malformed("bytes behind its end")
	}
	return l, nil
}

// takePoint reads a point; the caller has seen that there are enough bytes.
func takePoint(b []byte) (geo.Point, []byte) {
	lat, lon := binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])
	return geo.Point{Lat: math.Float64frombits(lat), Lon: math.Float64frombits(lon)}, b[pointBytes:]
}

// takeRings reads the rings of an area; nil if they are malformed. Every number is
// checked against the bytes there are before memory is made for it.
func takeRings(b []byte) ([][]geo.Point, []byte) {
	count, n := binary.Uvarint(b)
	if n <= 0 || count > uint64(len(b)) {
		return nil, b
	}
	b = b[n:]
	rings := make([][]geo.Point, count)
	for i := range rings {
		vertices, n := binary.Uvarint(b)
		if n <= 0 || vertices > uint64(len(b)-n)/pointBytes {
			return nil, b
		}
		b = b[n:]
		rings[i] = make([]geo.Point, vertices)
		for j := range rings[i] {
			rings[i][j], b = takePoint(b)
		}
	}
	return rings, b
}
