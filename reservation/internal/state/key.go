package state

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Words are joined with what there is of a digest so far, with what is mixed in, and
// with the product.
type Words [3]uint64

// former are those of digests from before there was a key. Anybody knows them.
var former = Words{0xa0761d6478bd642f, 0xe7037ed1a0b428db, 0x8ebc6af09c88c6e3}

// Former are the words of digests from before there was a key.
func Former() *Words { return &former }

// Key is the key of a ledger's digests. In the journal and in snapshots it is a
// NoteSet record of the name KeyNote, which no caller's note has:
//
//	byte  0  version   1  1
//	      1  since     8  engine time in milliseconds, little-endian: nothing that was made
//	                      later has a digest without the key; 0: nothing has
//	      9  words    24  the key: three times 8, little-endian
//
// The note comes before the first digest that is made with it, so that no prefix of
// the journal has one without the other.
type Key struct {
	Words *Words // not nil
	Since int64
}

// KeyNote is the name of the key's record.
const KeyNote = ClassMark + "digests"

const (
	keyVersion = 1
	keyBytes   = 33
)

// What the bytes of a key are refused for.
var (
	// ErrKey: they are none.
	ErrKey = errors.New("malformed digests")
	// ErrNewerKey: they are of a version that this one has no word for.
	ErrNewerKey = errors.New("digests of a newer version")
)

// Drawn tells the keys that are drawn, or recovered, from the words of a directory
// that has none yet.
func (k *Key) Drawn() bool { return k.Words != &former }

// Bytes are what the record of the key says.
func (k *Key) Bytes() []byte {
	b := binary.LittleEndian.AppendUint64([]byte{keyVersion}, uint64(k.Since))
	for _, word := range k.Words {
		b = binary.LittleEndian.AppendUint64(b, word)
	}
	return b
}

// ReadKey reads what Bytes wrote.
func ReadKey(b []byte) (k Key, err error) {
	switch {
	case len(b) > 0 && b[0] > keyVersion:
		return k, fmt.Errorf("version %d: %w", b[0], ErrNewerKey)
	case len(b) != keyBytes || b[0] != keyVersion:
		return k, ErrKey
	}
	k = Key{Words: new(Words), Since: int64(binary.LittleEndian.Uint64(b[1:]))}
	for i := range k.Words {
		k.Words[i] = binary.LittleEndian.Uint64(b[9+8*i:])
	}
	return k, nil
}
