package reservation

import (
	"iter"
	"math"

	"github.com/clickcollect/clickcollect/reservation/internal/book"
)

// Entry is a copy of a reservation's record.
type Entry struct {
	Slot        uint32
	To          uint32 // where it is being sent to, while InTransit; of goods that are Brought: the chosen store, always
	State       State
	Form        Form    // how the goods reach the customer
	Sequence    uint64  // of its last change in the journal; 0 without one
	Distance    float64 // meters, as given when it was made
	Fingerprint uint64  // of its content, as given when it was made
	// Deadline is until when the held units are held; when it has ended, when
	// that was. Pickup is until when it can be collected, once Ready. Both in
	// milliseconds of engine time.
	Deadline, Pickup int64
	Since            int64  // when it was made
	Origin           uint32 // the slot where it was made
	Promise          int64  // when the goods are promised to be ready; 0: nobody said
	Part             int    // its number among the parts of its order, 1 or more
	Parts            int    // of how many parts the order is, as far as this one was told; 1 or more
	From             int    // the number of the part that its units come from; 0: it is the first that has them
	Rejects          int    // how often a location rejected it; it counts to 255

	Order, Customer, Owner, Channel, Code string

	Carrier, Tracking string // of the parcel, once Shipped

	Note []byte // the caller's, as given when it was made

	Lines []EntryLine
}

// EntryLine is one line of a reservation. Every unit is in one place: Quantity =
// Held + Confirmed + Collected + Missing + Lapsed + Rerouted + canceled.
type EntryLine struct {
	SKU       uint32
	Quantity  int64 // as ordered
	Held      int64 // until the deadline
	Confirmed int64 // for good
	Collected int64 // handed over or delivered, returned ones included
	Returned  int64 // of the collected
	Missing   int64 // not found by the store, or lost on the road or by the carrier
	Lapsed    int64 // expired, or not collected in time
	Short     int64 // of the held and confirmed: their goods are gone
	Rerouted  int64 // in another reservation of the order by now
}

// Canceled is the units put back on the shelf.
func (l *EntryLine) Canceled() int64 {
	return l.Quantity - l.Held - l.Confirmed - l.Collected - l.Missing - l.Lapsed - l.Rerouted
}

func export(e *book.Entry, into *Entry) {
	lines, note := into.Lines[:0], into.Note[:0]
	*into = Entry{Slot: e.Location, To: e.To, State: e.State, Sequence: e.Sequence, Distance: e.Distance,
		Fingerprint: e.Fingerprint, Deadline: e.Deadline,
		Order: e.Refs.Order, Customer: e.Refs.Customer, Owner: e.Refs.Owner, Channel: e.Refs.Channel, Code: e.Refs.Code}
	into.Promise, into.Since, into.Origin, into.Form = e.Promise, e.Since, e.Origin, e.Form
	into.Part, into.Parts, into.From = max(int(e.Part), 1), max(int(e.Parts), 1), int(e.From)
	into.Rejects, into.Note = int(e.Rejects), append(note, e.Note...)
	into.Carrier, into.Tracking = e.Parcel.Carrier, e.Parcel.Tracking
	if e.State == Ready {
		into.Pickup = e.Pickup
	}
	for i := range e.Lines {
		l := &e.Lines[i]
		lines = append(lines, EntryLine{SKU: l.SKU, Quantity: int64(l.Quantity), Held: int64(l.Held), Confirmed: int64(l.Confirmed),
			Collected: int64(l.Collected), Returned: int64(l.Returned), Missing: int64(l.Missing), Lapsed: int64(l.Lapsed), Short: int64(l.Short), Rerouted: int64(l.Rerouted)})
	}
	into.Lines = lines
}

// Find copies the reservation with that ID into *into, reusing its lines and its note:
// of an order of several parts, the first one.
func (l *Ledger) Find(id string, into *Entry) bool { return l.find(book.KindOrder, Name{ID: id}, into) }

// FindPart copies the part of an order with that number, 0 and 1 being the first, into
// *into, reusing its lines and its note.
func (l *Ledger) FindPart(id string, number int, into *Entry) bool {
	return number >= 0 && number <= math.MaxUint8 && l.find(book.KindOrder, nameOf(id, uint8(number)), into)
}

// FindAll appends all parts of an order that are live or remembered, ascending by
// number, as they were at one instant. It costs as much as the order has parts.
func (l *Ledger) FindAll(id string, all []Entry) []Entry {
	for _, m := range l.state.Book.FindAll(id, nil) {
		all = append(all, Entry{})
		export(&m.Entry, &all[len(all)-1])
	}
	return all
}

// FindTransfer copies the transfer with that ID: Confirmed units are on the way,
// Collected ones arrived, Missing ones are lost.
func (l *Ledger) FindTransfer(id string, into *Entry) bool {
	return l.find(book.KindTransfer, Name{ID: id}, into)
}

func (l *Ledger) find(kind book.Kind, n Name, into *Entry) bool {
	e, _ := l.reads.Get().(*book.Entry) // so that its lines need no memory of their own
	if e == nil {
		e = new(book.Entry)
	}
	found := false
	if kind == book.KindOrder {
		found = l.state.Book.FindPart(n, e)
	} else {
		found = l.state.Book.Find(kind, n.ID, e)
	}
	if found {
		export(e, into)
	}
	*e = book.Entry{Lines: e.Lines[:0]} // no customer's name outlives the call
	l.reads.Put(e)
	return found
}

// All walks every reservation that is live or remembered, or with a name what comes
// behind that. It sees each that is there from start to end once; the entry is good
// until the next. The order follows from the names and the ledger's secret: it is the
// same after a restart, so that a walk can go on behind the last name of an earlier one,
// but in a directory of a former version that has no snapshot of this one yet. No lock
// is held while the caller's code runs.
func (l *Ledger) All(after ...Name) iter.Seq2[string, *Entry] {
	return func(yield func(string, *Entry) bool) {
		var out Entry
		for id, e := range l.state.Book.All(after...) {
			export(e, &out)
			if !yield(id, &out) {
				return
			}
		}
	}
}

// At walks the live reservations of a location, youngest first.
func (l *Ledger) At(slot uint32) iter.Seq2[string, *Entry] {
	return func(yield func(string, *Entry) bool) {
		var out Entry
		l.state.Book.At(slot, func(id string, e *book.Entry) bool {
			export(e, &out)
			return yield(id, &out)
		})
	}
}

// OfOrder walks the orders, and parts of orders, with an order reference, live and
// remembered ones, ascending.
func (l *Ledger) OfOrder(order string) iter.Seq[Name] {
	return func(yield func(Name) bool) { l.state.Book.Named(book.ByOrder, order, yield) }
}

// OfCustomer walks the orders, and parts of orders, with a customer reference, live
// and remembered ones, ascending.
func (l *Ledger) OfCustomer(customer string) iter.Seq[Name] {
	return func(yield func(Name) bool) { l.state.Book.Named(book.ByCustomer, customer, yield) }
}
