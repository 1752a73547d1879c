package walk

import (
	"context"
	"iter"
)

// Page is a part of a walk.
type Page[T any] struct {
	Items []T `json:"items"` // as many as were asked for at most; it may be fewer, or none, before the end

	// Next is the cursor for the page after this one; empty: there are no more.
	Next string `json:"next,omitempty"`

	// Sequence is the number up to which every event is in the walk. It is the same in
	// all of its pages; 0 without a journal.
	Sequence uint64 `json:"sequence"`
}

// Walk enumerates items, see the package comment. It is a value that may be kept, copied
// and used any number of times, by any number of goroutines at once. The zero Walk is
// of nobody.
type Walk[T any] struct {
	page func(ctx context.Context, cursor string, limit int) (Page[T], error)
}

// New is a walk that asks for its pages.
func New[T any](page func(ctx context.Context, cursor string, limit int) (Page[T], error)) Walk[T] {
	return Walk[T]{page}
}

// Page returns at most limit items, 1 to 10,000 or 0 for 100, behind a cursor, or with
// an empty one from the beginning. A page of what a narrow filter passes may have fewer,
// or none, so that no call looks at everything there is: only an empty Next says that
// it was the last.
//
// Errors: *InvalidError of the limit, of the filter, and of a cursor that is damaged or
// not of this walk; ErrUnknownLocation, ErrUnknownSKU; ErrClosed; the error of ctx;
// ErrJournal: what was read is not known to last.
func (w Walk[T]) Page(ctx context.Context, cursor string, limit int) (Page[T], error) {
	return w.page(ctx, cursor, limit)
}

// batch is how many items a sequence asks for at a time.
const batch = 500

// Start begins the walk, and returns its Sequence and its items. An error comes last, as
// with Page. No lock is held, and nothing waits, while the caller's loop runs; the memory
// is that of a few hundred items. A second loop over the items begins behind the first
// page as it was read, with the same Sequence.
func (w Walk[T]) Start(ctx context.Context) (sequence uint64, items iter.Seq2[T, error], err error) {
	first, err := w.page(ctx, "", batch)
	if err != nil {
		return 0, nil, err
	}
	return first.Sequence, func(yield func(T, error) bool) { w.from(ctx, first, yield) }, nil
}

// All is Start for who has no use for the Sequence.
func (w Walk[T]) All(ctx context.Context) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		_, items, err := w.Start(ctx)
		if err != nil {
			var none T
			yield(none, err)
			return
		}
		items(yield)
	}
}

// from gives a page and all behind it.
func (w Walk[T]) from(ctx context.Context, p Page[T], yield func(T, error) bool) {
	for {
		for _, item := range p.Items {
			if !yield(item, nil) {
				return
			}
		}
		if p.Next == "" {
			return
		}
		var err error
		if p, err = w.page(ctx, p.Next, batch); err != nil {
			var none T
			yield(none, err)
			return
		}
	}
}
