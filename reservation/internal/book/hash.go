package book

import (
	"crypto/rand"
	"encoding/binary"
	"math/bits"
)

// hashKey is the secret of one book, drawn with it or derived from that of its ledger
// (Keyed). It decides where a record lies and never what an answer says; only the order
// of a walk depends on it.
//
// IDs come from outside, and whoever knows the hash of a book can choose IDs
// that share one probe run and make every call on it slow. All three words are
// therefore random and private to the book: in particular both factors of the
// first product hold a secret, because a factor the attacker can turn to zero
// erases the other one. The hash is keyed, not cryptographic. It stops prepared
// lists of colliding IDs, not an attacker who measures single calls for long.
// Exactness never rests on it: a record is found only when its ID compares equal.
type hashKey [3]uint64

// newHashKey draws a key from the system's random source.
func newHashKey() hashKey {
	var raw [24]byte
	rand.Read(raw[:]) // Never fails: since Go 1.24 it ends the process instead.
	return hashKey{
		binary.LittleEndian.Uint64(raw[0:]),
		binary.LittleEndian.Uint64(raw[8:]),
		binary.LittleEndian.Uint64(raw[16:]),
	}
}

// Odd constants with about half their bits set: the golden ratio and the
// fractional parts of √2 and √3.
const (
	mixKind  = 0x9E3779B97F4A7C15
	mixFirst = 0x6A09E667F3BCC909
	mixLast  = 0xBB67AE8584CAA73B
)

// hashID folds an ID of a name space into 64 bits: 16 bytes a step, each step
// one 64×64→128 bit product whose halves are joined by exclusive or.
//
// Source: the multiply-and-fold construction of wyhash (Wang Yi), with a key of
// three words where wyhash has one seed and public constants.
func hashID[T string | []byte](key *hashKey, kind Kind, id T) uint64 {
	first, second := key[0]^mixFirst, key[1]^uint64(kind)*mixKind
	size := len(id)
	var low, high uint64
	switch {
	case size > 16:
		rest := id
		for len(rest) > 16 {
			second = fold(load64(rest)^first, load64(rest[8:])^second)
			rest = rest[16:]
		}
		low, high = load64(id[size-16:]), load64(id[size-8:])
	case size >= 8:
		low, high = load64(id), load64(id[size-8:])
	case size >= 4:
		low, high = load32(id), load32(id[size-4:])
	case size > 0:
		low = uint64(id[0])<<16 | uint64(id[size>>1])<<8 | uint64(id[size-1])
	}
	return fold(fold(low^first, high^second)^key[2], uint64(size)^mixLast)
}

func fold(a, b uint64) uint64 {
	high, low := bits.Mul64(a, b)
	return high ^ low
}

func load64[T string | []byte](s T) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

func load32[T string | []byte](s T) uint64 {
	_ = s[3]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24
}
