package recovery

import (
	"errors"
	"strings"
	"testing"

	"github.com/clickcollect/clickcollect/reservation/internal/book"
	"github.com/clickcollect/clickcollect/reservation/life"
	"github.com/clickcollect/clickcollect/reservation/log"
)

// An ID or a reference that is too long to be kept is in no snapshot that any version
// writes whole.
func TestTooLongEntryIsRefused(t *testing.T) {
	long := strings.Repeat("x", book.MaxIDBytes) + "/2"
	e := book.Entry{State: life.Held, Lines: []life.Line{{Quantity: 1, Held: 1}}}
	if _, _, _, err := takeEntry(putEntry(nil, book.KindOrder, long, &e), new(book.Entry)); !errors.Is(err, log.ErrCorrupt) {
		t.Errorf("an entry of a snapshot: %v", err)
	}
	e.Refs.Code = long
	if _, _, _, err := takeEntry(putEntry(nil, book.KindOrder, "o", &e), new(book.Entry)); !errors.Is(err, log.ErrCorrupt) {
		t.Errorf("a code of a snapshot: %v", err)
	}
}
