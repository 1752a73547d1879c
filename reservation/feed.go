package reservation

import (
	"context"
	"fmt"
	"iter"

	"github.com/clickcollect/clickcollect/reservation/history"
	"github.com/clickcollect/clickcollect/reservation/log"
)

// TrimmedError says which record is the first one that is still kept. It is
// ErrTrimmed.
type TrimmedError = log.TrimmedError

// History walks the records from a sequence number on; 0 is the first ever. live
// waits for more at the end, until ctx ends, whose error it then yields. A record
// is good until the next. It yields only what is durable, and a slow reader
// holds nobody up: it reads the journal. An error comes last: *TrimmedError,
// ErrCorrupt, ErrJournal, that of ctx. Without a journal there are no records.
func (l *Ledger) History(ctx context.Context, from uint64, live bool) iter.Seq2[uint64, HistoryStep] {
	return func(yield func(uint64, HistoryStep) bool) {
		if l.queue == nil {
			return
		}
		var r history.Record
		for record, err := range l.queue.Follow(ctx, from, live) {
			if err == nil {
				err = r.Decode(record.Data)
			}
			if err != nil {
				yield(record.Sequence, HistoryStep{Err: fmt.Errorf("reservation: history: %w", err)})
				return
			}
			if !yield(record.Sequence, HistoryStep{Record: &r}) {
				return
			}
		}
	}
}

// HistoryStep is a record, or why there are no more.
type HistoryStep struct {
	Record *history.Record
	Err    error
}
