package reservation

import (
	"runtime"
	"sync"

	"github.com/clickcollect/clickcollect/reservation/history"
	"github.com/clickcollect/clickcollect/reservation/internal/journal"
)

// Recovery shares the records out to the processors by the book's shards. What
// is on hand, names and movements are brought in by one of them, in order; the
// records of one reservation all fall to the same worker, in order. No other
// order matters: an entry depends on its own records only.
//
// Alone, one processor spends most of its time waiting for the book's memory;
// workers also ask for the slot of a record some places ahead.

const (
	// shareRecords is how many records are shared out at a time, at least.
	shareRecords = 1 << 14
	// maxWorkers bounds the processors used.
	maxWorkers = 8
	// prefetchAhead is how many records ahead a worker asks for memory.
	prefetchAhead = 12
)

// shared is a batch of records waiting for the workers.
type shared struct {
	workers []*replay
	bytes   []byte
	items   []item
	errs    []error
}

// item is one record of a batch; its worker is the shard of its ID, modulo.
type item struct {
	sequence uint64
	from, to int
	worker   int
	hash     uint64
}

// all replays the journal from a record on.
func (p *replay) all(log journal.Log, from uint64) error {
	workers := min(runtime.GOMAXPROCS(0), maxWorkers)
	if p.ledger.options.manual {
		workers = 1
	}
	s := &shared{errs: make([]error, workers)}
	for range workers {
		s.workers = append(s.workers, &replay{ledger: p.ledger, from: p.from, to: p.to, shelved: true})
	}
	for frame, err := range log.Read(from) {
		if err != nil {
			return err
		}
		sequence := frame.First
		for data, err := range journal.Records(frame.Payload) {
			if err != nil {
				return err
			}
			if sequence >= from {
				if err := p.share(s, sequence, data); err != nil {
					return err
				}
			}
			sequence++
		}
	}
	return p.bringIn(s)
}

// share brings in names, movements and what is on hand, and leaves the rest to
// the workers: what a record of a reservation depends on is there before them.
func (p *replay) share(s *shared, sequence uint64, data []byte) error {
	kind, id := history.Peek(data)
	p.sequence = sequence
	if kind < history.Held || kind == history.Opened || id == "" {
		p.records++
		return p.one(sequence, data)
	}
	if hasOnHand(kind) {
		if err := p.record.Decode(data); err != nil {
			return err
		}
		if kind != history.Returned || p.record.Cause == history.Restocked {
			if err := p.shelve(p.record.Slot); err != nil {
				return err
			}
		}
	}
	b := p.ledger.book
	hash := b.hash(kindOrder, id)
	p.records++
	start := len(s.bytes)
	s.bytes = append(s.bytes, data...)
	s.items = append(s.items, item{sequence: sequence, from: start, to: len(s.bytes), hash: hash,
		worker: int(hash>>b.shift) % len(s.workers)})
	if len(s.items) >= shareRecords {
		return p.bringIn(s)
	}
	return nil
}

// bringIn lets the workers bring in the batch and empties it.
func (p *replay) bringIn(s *shared) error {
	if len(s.workers) == 1 {
		s.errs[0] = s.workers[0].mine(s, 0)
	} else {
		var wg sync.WaitGroup
		for i, w := range s.workers {
			wg.Go(func() { s.errs[i] = w.mine(s, i) })
		}
		wg.Wait()
	}
	s.bytes, s.items = s.bytes[:0], s.items[:0]
	for i, w := range s.workers {
		if s.errs[i] != nil {
			return s.errs[i]
		}
		if w.latest > p.ledger.time.Load() {
			p.ledger.time.Store(w.latest)
		}
	}
	return nil
}

// mine brings in the records of one worker.
func (p *replay) mine(s *shared, worker int) error {
	ahead := 0
	waiting := 0
	for i := range s.items {
		if s.items[i].worker != worker {
			continue
		}
		for ; ahead < len(s.items) && waiting < prefetchAhead; ahead++ {
			if s.items[ahead].worker == worker {
				p.ledger.book.prefetchHash(s.items[ahead].hash)
				waiting++
			}
		}
		waiting--
		it := &s.items[i]
		if err := p.one(it.sequence, s.bytes[it.from:it.to]); err != nil {
			return err
		}
	}
	return nil
}
