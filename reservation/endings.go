package reservation

import (
	"sync/atomic"

	"github.com/clickcollect/clickcollect/reservation/internal/book"
)

// endings are what the live reservations may still need of a journal that is full. The
// files are open before the book is there.
type endings struct{ book atomic.Pointer[book.Book] }

// frames is how many: a hold that is confirmed, accepted, made ready and collected takes
// four, if each is alone in its frame.
func (e *endings) frames() int64 {
	b := e.book.Load()
	if b == nil {
		return 0
	}
	live, _ := b.Counts()
	return 4 * int64(live)
}
