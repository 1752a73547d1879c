package reservation

import "github.com/clickcollect/clickcollect/reservation/internal/book"

// Made looks a change up that has an ID of its own: ok if it was made and is
// remembered. same tells that c has its content; of c, ID2, Print and Former count.
// at is the engine time at which it was made. rejects is, of a rejection, the how
// manyth of its reservation it was; 0: an earlier version made it, which did not keep
// that.
func (l *Ledger) Made(c *Change) (t Ticket, at int64, rejects int, same, ok bool) {
	var e book.Entry
	if c.ID2 == "" || !l.state.Book.Find(book.KindChange, c.ID2, &e) {
		return t, 0, 0, false, false
	}
	return Ticket{Sequence: e.Sequence}, made(&e), int(e.Rejects), c.is(l, &e), true
}
