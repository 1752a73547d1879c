package state

import (
	"bytes"

	"github.com/clickcollect/clickcollect/reservation/lock"
)

// Places is what the caller noted of each location, and how much is on its way
// there. Safe for concurrent use.
type Places struct {
	mu    lock.Mutex
	notes [][]byte // by slot
	on    []int64  // transfers and reservations on their way, by slot
}

func (p *Places) grow(slot uint32) {
	for len(p.notes) <= int(slot) {
		p.notes, p.on = append(p.notes, nil), append(p.on, 0)
	}
}

// Set notes what the caller says of a location.
func (p *Places) Set(slot uint32, note []byte) {
	p.mu.Lock(lock.Places)
	defer p.mu.Unlock()
	p.grow(slot)
	p.notes[slot] = bytes.Clone(note)
}

// Note is what was noted of a location, nil if nothing was.
func (p *Places) Note(slot uint32) []byte {
	p.mu.Lock(lock.Places)
	defer p.mu.Unlock()
	if uint64(slot) >= uint64(len(p.notes)) {
		return nil
	}
	return p.notes[slot]
}

// Same reports whether that is what was noted.
func (p *Places) Same(slot uint32, note []byte) bool { return bytes.Equal(p.Note(slot), note) }

// Add adds to what is on its way to a location.
func (p *Places) Add(slot uint32, n int64) {
	p.mu.Lock(lock.Places)
	defer p.mu.Unlock()
	p.grow(slot)
	p.on[slot] += n
}

// Incoming is how much is on its way to a location.
func (p *Places) Incoming(slot uint32) int64 {
	p.mu.Lock(lock.Places)
	defer p.mu.Unlock()
	if uint64(slot) >= uint64(len(p.on)) {
		return 0
	}
	return p.on[slot]
}
