package reservation

import "github.com/clickcollect/clickcollect/reservation/internal/book"

// Pick is a place in the pick list of a location. What was promised comes first, by
// Time; then what has a deadline, of the pickup or else of the hold, by Time; then
// the rest. Equal ones go by ID.
type Pick = book.Pick

// PickList appends the first places of a location's pick list to all, up to limit
// of those that come after *after, unless that is nil, and whose state is one of some;
// without some, in any. last is the number of a record: what is listed, and what is
// left out because it has changed, is known to last if that record does.
//
// A page costs its length, and what has come and changed at the location since the
// page before; the first one ever a look at each live reservation there.
//
// Linearizes at: no one instant. What is live at the location from the beginning of
// the call to its end and keeps its place is in the list.
func (l *Ledger) PickList(all []Pick, slot uint32, after *Pick, some []State, limit int) (picks []Pick, last uint64) {
	return l.state.Book.PickList(all, slot, after, some, limit)
}
