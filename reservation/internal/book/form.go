package book

import (
	"math"

	"github.com/clickcollect/clickcollect/reservation/life"
)

// Store is the location that the goods are brought to; 0 if that is not their form.
func (e *Entry) Store() uint32 {
	if e.Form != life.Brought {
		return 0
	}
	return e.To
}

// Reject counts a rejection.
func (e *Entry) Reject() {
	if e.Rejects < math.MaxUint8 {
		e.Rejects++
	}
}

// NoteFits reports whether a note can be kept, and a parcel with it.
func NoteFits(note string) bool { return originCause+2*MaxParcelBytes+len(note) <= MaxIDBytes }

// Sound checks the invariants of an entry, for replay and audit.
func (e *Entry) Sound() bool { return life.Sound(e.State, e.Lines) }
