package slab_test

import (
	"slices"
	"testing"
	"unsafe"

	"pgregory.net/rapid"

	"github.com/clickcollect/clickcollect/reservation/internal/book/slab"
)

// TestPieces: pieces in use never overlap: each is filled with its own byte and read back.
func TestPieces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type piece struct {
			ref  uint32
			size int
			fill byte
		}
		var s slab.Slab
		var pieces []piece
		for step := range rapid.IntRange(1, 300).Draw(t, "steps") {
			if len(pieces) > 0 && rapid.IntRange(0, 2).Draw(t, "give") == 0 {
				i := rapid.IntRange(0, len(pieces)-1).Draw(t, "piece")
				s.Give(pieces[i].ref, pieces[i].size)
				pieces = slices.Delete(pieces, i, i+1)
				continue
			}
			size := rapid.OneOf(rapid.IntRange(36, 300), rapid.IntRange(36, 40_000)).Draw(t, "size")
			p := piece{s.Take(size), size, byte(step)}
			memory := s.At(p.ref)[:size]
			for i := range memory {
				memory[i] = p.fill
			}
			if !s.Present(p.ref) || p.ref == 0 || p.ref >= s.Bound() || s.Address(p.ref) != uintptr(unsafe.Pointer(&memory[0])) {
				t.Fatalf("piece %+v is not where its reference says", p)
			}
			pieces = append(pieces, p)
		}
		for _, p := range pieces {
			for _, got := range s.At(p.ref)[:p.size] {
				if got != p.fill {
					t.Fatalf("piece %+v overwritten by %d", p, got)
				}
			}
		}
	})
}

// TestMemoryIsReused: what was given back is handed out again, and a large piece's chunk
// is gone.
func TestMemoryIsReused(t *testing.T) {
	var s slab.Slab
	var refs []uint32
	for range 1000 {
		refs = append(refs, s.Take(100))
	}
	before := s.Bytes()
	for _, ref := range refs {
		s.Give(ref, 100)
	}
	for range refs {
		s.Take(100)
	}
	if s.Bytes() != before {
		t.Errorf("%d bytes, and %d when all of it was taken again", before, s.Bytes())
	}
	large := s.Take(100_000)
	if s.Bytes() < before+100_000 {
		t.Errorf("%d bytes with a large piece", s.Bytes()-before)
	}
	s.Give(large, 100_000)
	if s.Present(large) || s.Bytes() > before+100 {
		t.Errorf("%d bytes more once it was given back", s.Bytes()-before)
	}
	if !slab.Same(1, 8) || slab.Same(8, 9) || s.Next() == 0 {
		t.Error("sizes, or the next piece")
	}
}
