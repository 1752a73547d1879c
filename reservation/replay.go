package reservation

import (
	"fmt"

	"github.com/clickcollect/clickcollect/reservation/history"
	"github.com/clickcollect/clickcollect/reservation/internal/state"
)

// replay reads records of the journal into a ledger that no one else uses yet.
type replay struct {
	ledger   *Ledger
	room     state.Room
	record   history.Record
	from     uint64 // the record at which the snapshot begins
	sequence uint64
	records  uint64
}

// newReplay begins behind a snapshot, which is exact at a record; 0, 0: there is none.
func newReplay(l *Ledger, from, exact uint64) *replay {
	return &replay{ledger: l, from: from, sequence: from, room: state.Room{Exact: exact}}
}

// apply brings in one record.
func (p *replay) apply(sequence uint64, data []byte) error {
	p.records++
	return p.one(&p.room, 0, sequence, data)
}

// one brings in a record, or a part of it.
func (p *replay) one(room *state.Room, hash, sequence uint64, data []byte) error {
	if err := p.record.Decode(data); err != nil {
		return fmt.Errorf("reservation: record %d: %w", sequence, err)
	}
	p.sequence = sequence
	return refused(sequence, p.ledger.state.ApplyHashed(room, hash, sequence, &p.record))
}
