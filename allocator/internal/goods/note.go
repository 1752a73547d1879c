package goods

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/clickcollect/clickcollect/reservation"
)

// The notes of SKUs have the SKU behind the area as their key.
//
//	bundle  1 byte version, 1
//	        for each part: its SKU's length, its SKU, its quantity
//	life    1 byte version, 1; milliseconds
//
// Numbers are uvarints.
const (
	bundleArea  = "goods/bundle/"
	lifeArea    = "goods/life/"
	noteVersion = 1
)

// appendParts is a bundle's note; empty for none.
func appendParts(parts []Part) []byte {
	if len(parts) == 0 {
		return nil
	}
	b := []byte{noteVersion}
	for _, part := range parts {
		b = binary.AppendUvarint(b, uint64(len(part.SKU)))
		b = append(b, part.SKU...)
		b = binary.AppendUvarint(b, uint64(part.Quantity))
	}
	return b
}

var errMalformed = errors.New("malformed")

// takeParts reads what appendParts wrote.
func takeParts(b []byte) (parts []Part, err error) {
	if len(b) > 0 && b[0] > noteVersion {
		return nil, reservation.ErrNewer
	}
	if len(b) < 2 {
		return nil, fmt.Errorf("%w: %w", errMalformed, reservation.ErrCorrupt)
	}
	for b = b[1:]; len(b) > 0; {
		size, n := binary.Uvarint(b)
		if n <= 0 || size > uint64(len(b)-n) {
			return nil, fmt.Errorf("%w: %w", errMalformed, reservation.ErrCorrupt)
		}
		part := Part{SKU: string(b[n : n+int(size)])}
		b = b[n+int(size):]
		units, n := binary.Uvarint(b)
		if n <= 0 || units == 0 || units > reservation.MaxQuantity {
			return nil, fmt.Errorf("%w: %w", errMalformed, reservation.ErrCorrupt)
		}
		part.Quantity, b = int64(units), b[n:]
		parts = append(parts, part)
	}
	return parts, nil
}

// appendLife is the note of a shelf life; empty for none.
func appendLife(ms int64) []byte {
	if ms == 0 {
		return nil
	}
	return binary.AppendUvarint([]byte{noteVersion}, uint64(ms))
}

// takeLife reads what appendLife wrote.
func takeLife(b []byte) (int64, error) {
	if len(b) > 0 && b[0] > noteVersion {
		return 0, reservation.ErrNewer
	}
	if len(b) < 2 {
		return 0, fmt.Errorf("%w: %w", errMalformed, reservation.ErrCorrupt)
	}
	ms, n := binary.Uvarint(b[1:])
	if n <= 0 || 1+n != len(b) || ms > uint64(MaxLife) {
		return 0, fmt.Errorf("%w: %w", errMalformed, reservation.ErrCorrupt)
	}
	return int64(ms), nil
}
