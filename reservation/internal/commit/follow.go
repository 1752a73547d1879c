package commit

import (
	"context"
	"iter"
)

// A Record is one record of the log with its number.
type Record struct {
	Sequence uint64
	Data     []byte // valid until the next step of the iterator that yields it
}

// Follow walks the acknowledged records from a sequence number on (0 and 1 both
// mean the first ever). It ends at the last one, or, if live, waits for more
// until ctx ends, which it then yields as the last step's error, as it does
// with ErrClosed, ErrJournal and ErrFenced when the queue stops. A *TrimmedError says that
// from is gone and which record is the first there is; ErrCorrupt that the log
// is damaged. A slow reader never holds a writer up: it reads from the log, not
// from the queue. An iterator may be used by one goroutine at a time.
func (q *Queue) Follow(ctx context.Context, from uint64, live bool) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		for next := max(from, 1); ; {
			shown := q.shown()
			if next > shown && !live {
				return
			}
			if next > shown {
				if err := q.WaitFor(ctx, next); err != nil {
					yield(Record{}, err)
					return
				}
				continue
			}
			var more bool
			if next, more = q.read(ctx, next, shown, yield); !more {
				return
			}
		}
	}
}

// shown is the last record that readers may see.
func (q *Queue) shown() uint64 { return q.durable.Load() }

// read yields the records from next to last. It returns the number to go on
// with, and whether to go on.
func (q *Queue) read(ctx context.Context, next, last uint64, yield func(Record, error) bool) (uint64, bool) {
	for frame, err := range q.log.Read(next) {
		if err == nil && ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		if err != nil {
			yield(Record{}, err)
			return next, false
		}
		sequence := frame.First
		for data, err := range Records(frame.Payload) {
			if sequence > last {
				return next, true
			}
			if err != nil {
				yield(Record{}, err)
				return next, false
			}
			if sequence >= next {
				if !yield(Record{Sequence: sequence, Data: data}, nil) {
					return next, false
				}
				next = sequence + 1
			}
			sequence++
		}
	}
	return next, true
}
