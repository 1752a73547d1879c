package state

import (
	"errors"
	"sync"
	"sync/atomic"

	"github.com/clickcollect/clickcollect/reservation/internal/book"
	"github.com/clickcollect/clickcollect/reservation/internal/stock"
)

// ErrFull: a limit is reached.
var ErrFull = errors.New("limit reached")

// State is what a ledger holds. It is safe for concurrent use as its parts are.
type State struct {
	Stock   *stock.Stock
	Book    *book.Book
	SKUs    *Names
	Slots   *Names
	Classes *Classes // of SKUs
	Notes   Notes
	Places  Places
	Safety  Levels
	Floors  [Floors]Floor
	Digests Key          // set before the first call, and by the record of a key
	time    atomic.Int64 // the latest engine time recorded or recovered
	gone    sync.Map     // slots of removed locations
	shelves *shelves     // nil: the stock is laid out

	numbered atomic.Uint64 // see Numbered; 0: none, else one more
}

// Fill makes a state that is empty, with room for so many SKUs and locations.
func (s *State) Fill(b *book.Book, skus, locations int) {
	s.Book, s.SKUs, s.Slots, s.Classes = b, newNames(skus), newNames(locations), newClasses()
	s.SKUs.named = s.Classes.note
	s.Safety.apart = s.Classes.Special
	s.Stock = stock.New(skus, s.Safety.Of)
	s.Digests.Words = &former
}

// Time is the latest engine time that is recorded.
func (s *State) Time() int64 { return s.time.Load() }

// Reach says that so much engine time has gone by; less means nothing.
func (s *State) Reach(now int64) {
	for old := s.time.Load(); old < now && !s.time.CompareAndSwap(old, now); old = s.time.Load() {
	}
}

// Numbered says that a record, or a snapshot that ends before it, knows parts of an
// order by their number. So do all that come later, of which none was written by a
// former version any more.
func (s *State) Numbered(sequence uint64) {
	for old := s.numbered.Load(); (old == 0 || old > sequence+1) && !s.numbered.CompareAndSwap(old, sequence+1); old = s.numbered.Load() {
	}
}

// IsNumbered reports whether a record is known to be none of a former version.
func (s *State) IsNumbered(sequence uint64) bool {
	first := s.numbered.Load()
	return first != 0 && sequence >= first-1
}

// Floor is the floor of a location.
func (s *State) Floor(slot uint32) *Floor { return &s.Floors[slot%Floors] }

// Remove marks a location as removed.
func (s *State) Remove(slot uint32) { s.gone.Store(slot, struct{}{}) }

// IsGone reports whether a location was removed.
func (s *State) IsGone(slot uint32) bool {
	_, gone := s.gone.Load(slot)
	return gone
}
