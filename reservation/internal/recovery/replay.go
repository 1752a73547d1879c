package recovery

import (
	"errors"
	"fmt"
	"unsafe"

	"github.com/clickcollect/clickcollect/reservation/history"
	"github.com/clickcollect/clickcollect/reservation/internal/book"
	"github.com/clickcollect/clickcollect/reservation/internal/commit"
	"github.com/clickcollect/clickcollect/reservation/internal/state"
	"github.com/clickcollect/clickcollect/reservation/log"
)

// Replay reads the records of a log into a state, one after the other. It is used by
// one goroutine at a time.
type Replay struct {
	state    *state.State
	room     state.Room
	record   history.Record
	sequence uint64
	records  uint64
}

// NewReplay begins behind a snapshot that was read into the state: it is of the records
// up to from, and exact at a later one. 0, 0: there is none.
func NewReplay(s *state.State, from, exact uint64) *Replay {
	return &Replay{state: s, sequence: from, room: state.Room{Exact: exact}}
}

// Sequence is the record up to which the state has come.
func (p *Replay) Sequence() uint64 { return p.sequence }

// Records is how many records were read.
func (p *Replay) Records() uint64 { return p.records }

// Next applies the bytes of the next record. What the record says is good until the next
// one.
func (p *Replay) Next(sequence uint64, data []byte) (*history.Record, error) {
	p.records++
	return &p.record, p.apply(&p.room, 0, sequence, data)
}

func (p *Replay) apply(room *state.Room, hash, sequence uint64, data []byte) error {
	p.sequence = sequence
	err := p.record.Decode(data)
	if err == nil {
		err = p.state.ApplyHashed(room, hash, sequence, &p.record)
	}
	if err != nil {
		return fmt.Errorf("record %d: %w", sequence, known(err))
	}
	return nil
}

// known gives an error of a record, or of a snapshot, the kind that errors of the log
// have.
func known(err error) error {
	switch {
	case errors.Is(err, state.ErrNewerKey):
		return fmt.Errorf("%w: %w", err, log.ErrNewer)
	case errors.Is(err, state.ErrKey):
		return fmt.Errorf("%w: %w", err, log.ErrCorrupt)
	}
	return err
}

// Rest reads the rest of a log, with so many workers.
func (p *Replay) Rest(of log.Log, workers int) error {
	from := p.sequence + 1
	if of.Last() < from {
		return nil
	}
	s := newSharing(p.state.Book, workers, func() func(it *item, data []byte) error {
		w := &Replay{state: p.state, room: state.Room{Part: state.Entry, Exact: p.room.Exact}}
		return func(it *item, data []byte) error {
			hash := it.hash
			if it.rooted {
				hash = 0
			}
			return w.apply(&w.room, hash, it.sequence, data)
		}
	})
	defer s.all.Wait()
	shelf := &state.Room{Part: state.Shelf, Exact: p.room.Exact}
	former := !p.state.IsNumbered(from) // of all of them, so that what is about one ID goes one way
	for frame, err := range of.Read(from) {
		if err != nil {
			return err
		}
		if err := p.share(s, shelf, frame, from, former); err != nil {
			return err
		}
	}
	return s.finish()
}

// share brings in a frame's names, movements and what is on hand, and leaves the
// rest to the workers: what a record of a reservation depends on is there before
// them. former: a former version may have recorded it.
func (p *Replay) share(s *sharing, shelf *state.Room, frame log.Frame, from uint64, former bool) error {
	b := p.state.Book
	f := s.filling
	start := len(f.bytes)
	f.bytes = append(f.bytes, frame.Payload...)
	sequence := frame.First - 1
	for data, err := range commit.Records(f.bytes[start:]) {
		if err != nil {
			return err
		}
		if sequence++; sequence < from {
			continue
		}
		kind, id := history.Peek(data)
		p.sequence = sequence
		p.records++
		if state.HasShelf(kind) {
			if err := p.apply(shelf, 0, sequence, data); err != nil {
				return err
			}
		}
		if !state.HasEntry(kind) {
			continue
		}
		root := id
		if former {
			root = state.Root(id)
		}
		at := int(uintptr(unsafe.Pointer(unsafe.SliceData(data))) - uintptr(unsafe.Pointer(unsafe.SliceData(f.bytes))))
		f.items = append(f.items, item{sequence: sequence, hash: b.Hash(book.KindOrder, root), rooted: len(root) != len(id), from: at, to: at + len(data)})
	}
	if f.full() {
		return s.handOut()
	}
	return nil
}
