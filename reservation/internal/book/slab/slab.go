package slab

import (
	"encoding/binary"
	"math/bits"
	"unsafe"
)

// A reference names memory in units of 8 bytes: a chunk number over a unit
// within the chunk. 0 is no reference.
const (
	unitBytes     = 8
	chunkUnitBits = 14                 // a reference holds 18 bits of chunk number
	chunkUnits    = 1 << chunkUnitBits // units of the largest shared chunk: 128 KiB
	leastChunk    = 512                // units of the first shared chunk: 4 KiB
	exactClasses  = 32                 // up to here each number of units is a class
	sharedUnits   = 4096               // larger pieces get a chunk of their own
	sharedClasses = exactClasses + 8*7 // then 8 classes per doubling, up to sharedUnits
)

// Slab hands out pieces of pointer-free memory. The collector sees one slice
// per chunk and never looks inside. Not safe for concurrent use.
//
// Invariant: a unit that once began a piece of a class begins a piece of that
// class for ever, in use or free, so an outdated reference still points at the
// beginning of one. Only chunks of a single large piece are given back to Go.
// Bound: pieces are at most 1/8 larger than asked (not at all up to 256 bytes);
// per class memory never exceeds that class's own peak; the newest chunk, at
// most 1/8 of all, may be empty. 2^18 chunks.
// Source: segregated free lists (Wilson et al., Dynamic Storage Allocation: A
// Survey and Critical Review, 1995), without splitting or joining.
type Slab struct {
	chunks [][]byte // chunks[0] is nil
	room   uint32   // first unused unit of the newest shared chunk
	end    uint32   // one past its last unit
	free   [sharedClasses]uint32
	spare  []uint32 // numbers of chunks given back
	bytes  int64    // of all chunks
}

// At returns the memory from a reference to the end of its chunk.
func (s *Slab) At(ref uint32) []byte {
	return s.chunks[ref>>chunkUnitBits][ref%chunkUnits*unitBytes:]
}

// Address is where a reference points, for prefetching.
func (s *Slab) Address(ref uint32) uintptr {
	return uintptr(unsafe.Pointer(&s.chunks[ref>>chunkUnitBits][ref%chunkUnits*unitBytes]))
}

// unitsOf returns how many units hold size bytes.
func unitsOf(size int) int { return (size + unitBytes - 1) / unitBytes }

// Same reports whether a piece of one size does for the other as well, so that it need
// not be exchanged.
func Same(size, other int) bool { return unitsOf(size) == unitsOf(other) }

// classOf returns the smallest class whose pieces have at least that many
// units, and how many they have. Units are in 1..sharedUnits.
func classOf(units int) (class, rounded int) {
	if units <= exactClasses {
		return units - 1, units
	}
	// With e = position of the highest bit of units-1, the step is 2^(e-3).
	e := bits.Len(uint(units-1)) - 1
	step := 1 << (e - 3)
	rounded = (units + step - 1) &^ (step - 1)
	return exactClasses - 1 + 8*(e-5) + (rounded-1<<e)/step, rounded
}

// Take returns a piece of at least size bytes. Its content is undefined.
func (s *Slab) Take(size int) uint32 {
	units := unitsOf(size)
	if units > sharedUnits {
		return s.addChunk(units) << chunkUnitBits
	}
	class, units := classOf(units)
	if ref := s.free[class]; ref != 0 {
		s.free[class] = binary.LittleEndian.Uint32(s.At(ref))
		return ref
	}
	if s.end-s.room < uint32(units) {
		s.extend(units)
	}
	ref := s.room
	s.room += uint32(units)
	return ref
}

// Next is the address of the next new piece, if there is one, for prefetching.
func (s *Slab) Next() uintptr {
	if s.room == s.end {
		return 0
	}
	return uintptr(unsafe.Pointer(&s.chunks[s.room>>chunkUnitBits][s.room%chunkUnits*unitBytes]))
}

// Give takes back a piece that Take returned for the same size.
func (s *Slab) Give(ref uint32, size int) {
	units := unitsOf(size)
	if units > sharedUnits {
		number := ref >> chunkUnitBits
		s.bytes -= int64(len(s.chunks[number]))
		s.chunks[number] = nil
		s.spare = append(s.spare, number)
		return
	}
	class, _ := classOf(units)
	s.release(ref, class)
}

func (s *Slab) release(ref uint32, class int) {
	binary.LittleEndian.PutUint32(s.At(ref), s.free[class])
	s.free[class] = ref
}

// extend begins a new shared chunk with room for units. What is left of the
// last one becomes free pieces.
func (s *Slab) extend(units int) {
	for s.room < s.end {
		left := int(s.end - s.room)
		if left > exactClasses {
			left &^= 1<<(bits.Len(uint(left))-4) - 1 // The largest class that fits.
		}
		class, _ := classOf(left)
		s.release(s.room, class)
		s.room += uint32(left)
	}
	size := max(units, leastChunk)
	for grown := int(s.bytes / unitBytes / 8); size < grown && size < chunkUnits; {
		size *= 2
	}
	s.room = s.addChunk(size) << chunkUnitBits
	s.end = s.room + uint32(size)
}

// addChunk makes a chunk and returns its number.
func (s *Slab) addChunk(units int) uint32 {
	chunk := make([]byte, units*unitBytes)
	s.bytes += int64(len(chunk))
	if last := len(s.spare) - 1; last >= 0 {
		number := s.spare[last]
		s.spare = s.spare[:last]
		s.chunks[number] = chunk
		return number
	}
	if len(s.chunks) == 0 {
		s.chunks = append(s.chunks, nil)
	}
	s.chunks = append(s.chunks, chunk)
	return uint32(len(s.chunks) - 1)
}

// Present reports whether the chunk of an outdated reference is there.
func (s *Slab) Present(ref uint32) bool { return s.chunks[ref>>chunkUnitBits] != nil }

// Bytes returns the memory of all chunks, and of the slab's own lists.
func (s *Slab) Bytes() int64 {
	return s.bytes + int64(cap(s.chunks))*int64(unsafe.Sizeof([]byte(nil))) + int64(cap(s.spare))*4
}

// Bound is above all references that were ever handed out.
func (s *Slab) Bound() uint32 { return uint32(len(s.chunks)) << chunkUnitBits }
