package slab_test

import (
	"testing"

	"github.com/clickcollect/clickcollect/bench/scaletest"
)

// TestMutantsAreCaught builds the package with each of its deliberate bugs and runs
// the test that is there for it. It must fail, and for the reason it gives.
func TestMutantsAreCaught(t *testing.T) {
	scaletest.Mutants(t,
		scaletest.Mutant{Name: "what is left of a chunk is free and handed out besides", Edits: scaletest.Replace("slab.go",
			"	ref := s.room\n	s.room += uint32(units)\n", "	ref := s.room\n	s.room += uint32(units) - 1\n"),
			Test: "TestPieces", Says: `overwritten by|index out of range`},
		scaletest.Mutant{Name: "what was given back is not handed out again", Edits: scaletest.Replace("slab.go",
			"		s.free[class] = binary.LittleEndian.Uint32(s.At(ref))\n		return ref\n", "		s.free[class] = 0\n		return ref\n"),
			Test: "TestMemoryIsReused", Says: `when all of it was taken again`},
	)
}
