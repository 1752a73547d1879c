package channels

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/clickcollect/clickcollect/reservation"
	"github.com/clickcollect/clickcollect/reservation/excerpt"
)

// Protection levels are stored in notes, one for each channel, SKU and 256 locations
// that follow one another by slot:
//
//	key    "channels/protection/" channel "/" SKU "/" slot / 256
//	value  1 byte version, 1
//	       for each location, ascending: 1 byte slot mod 256, uvarint units
//
// Channel and SKU are escaped as in the path of a URL, and empty for all. The
// level of all locations is in a note of its own, with "*" for the number, as
// location 0.
const (
	noteArea    = "channels/protection/"
	noteVersion = 1
	chunkSlots  = 256
)

// keyOf is the key of the note in which a level is.
func keyOf(channel, sku string, slot uint32) string {
	part := "*"
	if slot != reservation.Everywhere {
		part = strconv.Itoa(int(slot / chunkSlots))
	}
	return noteArea + url.PathEscape(channel) + "/" + url.PathEscape(sku) + "/" + part
}

// takeKey takes a key apart; base is the slot of the note's location 0, or
// reservation.Everywhere.
func takeKey(key string) (channel, sku string, base uint32, err error) {
	parts := strings.Split(strings.TrimPrefix(key, noteArea), "/")
	if len(parts) != 3 {
		return "", "", 0, fmt.Errorf("note %s: %w", excerpt.Quote(key), reservation.ErrCorrupt)
	}
	channel, badChannel := url.PathUnescape(parts[0])
	sku, badSKU := url.PathUnescape(parts[1])
	base = reservation.Everywhere
	var badPart error
	if parts[2] != "*" {
		var n uint64
		n, badPart = strconv.ParseUint(parts[2], 10, 24)
		base = uint32(n) * chunkSlots
	}
	if bad := cmp.Or(badChannel, badSKU, badPart); bad != nil {
		return "", "", 0, fmt.Errorf("note %s: %w: %w", excerpt.Quote(key), bad, reservation.ErrCorrupt)
	}
	return channel, sku, base, nil
}

// chunk is the levels of one note, by slot mod 256.
type chunk map[uint8]int64

var errMalformed = errors.New("malformed")

// takeChunk reads the value of a note.
func takeChunk(value []byte) (chunk, error) {
	c := chunk{}
	if len(value) == 0 {
		return c, nil
	}
	if value[0] > noteVersion {
		return nil, reservation.ErrNewer
	}
	for b := value[1:]; len(b) > 0; {
		units, n := binary.Uvarint(b[1:])
		if n <= 0 || units > reservation.MaxQuantity {
			return nil, fmt.Errorf("%w: %w", errMalformed, reservation.ErrCorrupt)
		}
		c[b[0]] = int64(units)
		b = b[1+n:]
	}
	return c, nil
}

// value is the note of a chunk; empty when it has no levels.
func (c chunk) value() []byte {
	if len(c) == 0 {
		return nil
	}
	b := []byte{noteVersion}
	for _, at := range slices.Sorted(maps.Keys(c)) {
		b = append(b, at)
		b = binary.AppendUvarint(b, uint64(c[at]))
	}
	return b
}
