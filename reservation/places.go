package reservation

import (
	"bytes"

	"github.com/clickcollect/clickcollect/reservation/lock"
)

// places is what the caller noted of each location, and how much is on its way
// there. Safe for concurrent use.
type places struct {
	mu    lock.Mutex
	notes [][]byte // by slot
	on    []int64  // transfers and reservations on their way, by slot
}

func (p *places) grow(slot uint32) {
	for len(p.notes) <= int(slot) {
		p.notes, p.on = append(p.notes, nil), append(p.on, 0)
	}
}

func (p *places) set(slot uint32, note []byte) {
	p.mu.Lock(lock.Places)
	defer p.mu.Unlock()
	p.grow(slot)
	p.notes[slot] = bytes.Clone(note)
}

func (p *places) note(slot uint32) []byte {
	p.mu.Lock(lock.Places)
	defer p.mu.Unlock()
	if uint64(slot) >= uint64(len(p.notes)) {
		return nil
	}
	return p.notes[slot]
}

func (p *places) same(slot uint32, note []byte) bool { return bytes.Equal(p.note(slot), note) }

func (p *places) add(slot uint32, n int64) {
	p.mu.Lock(lock.Places)
	defer p.mu.Unlock()
	p.grow(slot)
	p.on[slot] += n
}

func (p *places) incoming(slot uint32) int64 {
	p.mu.Lock(lock.Places)
	defer p.mu.Unlock()
	if uint64(slot) >= uint64(len(p.on)) {
		return 0
	}
	return p.on[slot]
}

// Place is what was noted of a location when it was set.
func (l *Ledger) Place(slot uint32) []byte { return l.places.note(slot) }
