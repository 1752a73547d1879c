package reservation

import (
	"errors"
	"fmt"

	"github.com/clickcollect/clickcollect/reservation/excerpt"
	"github.com/clickcollect/clickcollect/reservation/history"
	"github.com/clickcollect/clickcollect/reservation/internal/book"
	"github.com/clickcollect/clickcollect/reservation/internal/journal"
	"github.com/clickcollect/clickcollect/reservation/internal/state"
	"github.com/clickcollect/clickcollect/reservation/log"
)

// Facts a caller can test for with errors.Is. Each is a refusal: nothing was
// changed. When several apply, the order is: ErrInvalid, ErrUnknownLocation,
// ErrUnknownSKU, ErrConflict, ErrNotFound, ErrEnded, ErrShortage, ErrOverflow; for
// a movement ErrConflict goes before ErrUnknownSKU.
var (
	// ErrInvalid: the input itself is wrong. Mend it; *InvalidError says where.
	ErrInvalid = errors.New("invalid input")
	// ErrUnknownLocation: no location has that ID. Set it first.
	ErrUnknownLocation = errors.New("unknown location")
	// ErrUnknownSKU: the SKU was never received or counted anywhere.
	ErrUnknownSKU = errors.New("unknown SKU")
	// ErrConflict: the ID was used before with other content. Use a new ID, or
	// repeat the content of the first call.
	ErrConflict = errors.New("ID already used with other content")
	// ErrNotFound: no reservation has that ID, or it ended so long ago that it is
	// forgotten.
	ErrNotFound = book.ErrNotFound
	// ErrEnded: the reservation has ended; *EndedError says how. Nothing is left
	// to do.
	ErrEnded = errors.New("reservation has ended")
	// ErrShortage: there are fewer units than wanted; *ShortageError says how many.
	ErrShortage = errors.New("not enough units")
	// ErrOverflow: the units would pass the largest quantity, 2^31 − 1, or push
	// what is available below −2^31.
	ErrOverflow = state.ErrOverflow
	// ErrInUse: the location still has goods or reservations; *LocationInUseError
	// says how many. Count it down to zero and end its reservations first.
	ErrInUse = errors.New("location is in use")
	// ErrFull: a limit of the options is reached. Raise it and open anew.
	ErrFull = state.ErrFull
	// ErrState: the reservation is not in a state that lets the change pass;
	// *StateError says in which it is.
	ErrState = errors.New("reservation is in another state")
	// ErrForm: the change is not for goods that reach their customer in that way, or
	// not there; *FormError says which way it is, and where.
	ErrForm = errors.New("not for goods of that form")
	// ErrOwner: the owner token is not the reservation's. Ask whoever holds it.
	ErrOwner = errors.New("not the owner of the reservation")
	// ErrTooOld: the count is as of a time before the movements that are still
	// remembered. Count again.
	ErrTooOld = errors.New("too long ago")
)

// What the journal says. ErrJournal is unknown: the change may or may not be
// there after the engine is opened anew; then repeat it with the same ID. The
// others mean that nothing was changed.
var (
	// ErrJournal: writing or syncing failed once. Nothing more is written until
	// the ledger is opened anew; reading goes on. It wraps the first cause.
	ErrJournal = log.ErrJournal
	// ErrFenced: another writer owns the log (Options.Log); *log.FencedError says
	// which. Nothing was written, nor will anything be by this ledger: open it
	// anew, which fences the other one.
	ErrFenced = log.ErrFenced
	// ErrNoSpace: the disk is full. Free some space; writing resumes by itself.
	// Cancel, expiry and collecting still pass.
	ErrNoSpace = log.ErrNoSpace
	// ErrUnavailable: the system does not let the journal open or make a file: no
	// file handles are left, or something foreign is in the way. The error says
	// which. Writing resumes by itself; what frees passes as with ErrNoSpace.
	ErrUnavailable = log.ErrUnavailable
	// ErrTooLarge: more than one record, or one change, can be: maxRecordBytes.
	// Make it smaller. Where an input says so it is an *InvalidError too.
	ErrTooLarge = log.ErrTooLarge
	// ErrLocked: another process, or another engine in this one, has the
	// directory open.
	ErrLocked = journal.ErrLocked
	// ErrCorrupt: the journal or a snapshot is damaged where it was synced. The
	// error says in which file and where. Nothing was changed.
	ErrCorrupt = log.ErrCorrupt
	// ErrNewer: the directory was written by a newer version of this library.
	ErrNewer = log.ErrNewer
	// ErrForeign: the directory holds another product's files.
	ErrForeign = journal.ErrForeign
	// ErrLogLost: the log that was given ends before records that a snapshot has seen;
	// *log.LostError says which. It went back. Nothing was changed.
	ErrLogLost = log.ErrLost
	// ErrTrimmed: the history from there is not kept any more.
	ErrTrimmed = log.ErrTrimmed
)

// errMoved: a reservation left the location whose floor was locked; look anew.
var errMoved = errors.New("reservation moved")

// errSeveral: an order has several parts, and the change is of all that are open.
var errSeveral = errors.New("order of several parts")

// errAlone: an order has one part, and it was looked at as one of several.
var errAlone = errors.New("order of one part")

// shown is a text of a caller's as the texts of errors have it.
func shown(text string) string { return excerpt.Quote(text) }

// InvalidError names the input that was refused. It is ErrInvalid.
type InvalidError struct {
	Field string // which input, such as "Lines[2].Quantity"
	Value any    // what it was
	Why   string // what it must be
}

// Error says which input is wrong, what it was and what it must be.
func (e *InvalidError) Error() string {
	value, ok := e.Value.(string)
	if ok {
		value = shown(value)
	} else {
		value = excerpt.Cut(fmt.Sprintf("%#v", e.Value)) // which may have texts in it
	}
	return fmt.Sprintf("invalid %s %s: %s", e.Field, value, e.Why)
}

// Is makes errors.Is(err, ErrInvalid) true.
func (e *InvalidError) Is(target error) bool { return target == ErrInvalid }

// ShortageError says of which SKU there was too little at a location, or in a
// reservation. It is ErrShortage.
type ShortageError struct {
	SKU       string
	Location  string
	Wanted    int64 // units asked for
	Available int64 // units there were: on hand, available or still held
}

// Error names the SKU, the place and both numbers of units.
func (e *ShortageError) Error() string {
	return fmt.Sprintf("not enough units of SKU %s at %s: wanted %d, there are %d", shown(e.SKU), shown(e.Location), e.Wanted, e.Available)
}

// Is makes errors.Is(err, ErrShortage) true.
func (e *ShortageError) Is(target error) bool { return target == ErrShortage }

// EndedError says how a reservation ended before this call. It is ErrEnded.
type EndedError struct {
	ID    string
	Part  int   // of an order of several parts, the number of the one that has ended
	State State // Collected, Canceled, Expired, NoShow, Returned, Rerouted, Delivered, Lost or ReturnedToSender
}

// Error names the reservation and how it ended.
func (e *EndedError) Error() string {
	return fmt.Sprintf("%s has ended: already %v", partShown(e.ID, e.Part), e.State)
}

// Is makes errors.Is(err, ErrEnded) true.
func (e *EndedError) Is(target error) bool { return target == ErrEnded }

// LocationInUseError says what is still at a location. It is ErrInUse.
type LocationInUseError struct {
	Location string
	SKUs     int   // SKUs with units on hand or held there
	OnHand   int64 // units on hand, over all SKUs
	Held     int64 // units held by reservations, over all SKUs
	Incoming int64 // transfers and reservations on their way there
}

// Error says how much is still there.
func (e *LocationInUseError) Error() string {
	return fmt.Sprintf("location %s is in use: %d SKUs with %d units on hand and %d held, %d deliveries on their way", shown(e.Location), e.SKUs, e.OnHand, e.Held, e.Incoming)
}

// Is makes errors.Is(err, ErrInUse) true.
func (e *LocationInUseError) Is(target error) bool { return target == ErrInUse }

// StateError says that a reservation is not in a state for a change: not
// confirmed yet, confirmed already, on the road; or that a change without lines
// finds no units to be about: nothing confirmed, all brought back. It is ErrState.
type StateError struct {
	ID    string
	Part  int // of an order of several parts, the number of the one that is in that state
	State State
	Verb  history.Kind // what was to be recorded
}

// Error names the reservation, its state and the change.
func (e *StateError) Error() string {
	return fmt.Sprintf("%s is %v: not possible: %v", partShown(e.ID, e.Part), e.State, e.Verb)
}

// partShown is a reservation in words.
func partShown(id string, part int) string {
	if part == 0 {
		return "reservation " + shown(id)
	}
	return fmt.Sprintf("part %d of reservation %s", part, shown(id))
}

// Is makes errors.Is(err, ErrState) true.
func (e *StateError) Is(target error) bool { return target == ErrState }

// FormError says that a change is not for goods that reach their customer in that way:
// what is sent is never ready for pickup, and what is brought to a store goes to no
// other one, and is handed over nowhere else. It is ErrForm.
type FormError struct {
	ID       string
	Part     int // of an order of several parts, the number of the one
	Form     Form
	Verb     history.Kind // what was to be recorded
	Store    string       // to which goods are brought; else empty
	Location string       // where they are, or were to go, which is not the store; empty: it is not for the form
}

// Error names the reservation, its form and the change.
func (e *FormError) Error() string {
	form := e.Form.String()
	if e.Form == Brought {
		form += " " + shown(e.Store)
	}
	if e.Location != "" {
		return fmt.Sprintf("%s is %s: not possible at %s: %v", partShown(e.ID, e.Part), form, shown(e.Location), e.Verb)
	}
	return fmt.Sprintf("%s is %s: not possible: %v", partShown(e.ID, e.Part), form, e.Verb)
}

// Is makes errors.Is(err, ErrForm) true.
func (e *FormError) Is(target error) bool { return target == ErrForm }

// InvariantError says that what was read contradicts itself although no byte is
// damaged: a fault of this library, or files of two directories mixed. The
// ledger does not open; nothing was changed.
type InvariantError struct {
	What     string
	ID       string // of the reservation or movement concerned, if any
	Sequence uint64 // of the record; 0: of a snapshot, or of live state
}

// Error says what contradicts what.
func (e *InvariantError) Error() string {
	return fmt.Sprintf("broken invariant: %s (ID %s, record %d)", e.What, shown(e.ID), e.Sequence)
}

// tooLongID is what an ID that cannot be kept is: an *InvalidError.
func tooLongID(id string) error { return invalid((&book.Entry{}).Fits(id)) }

// refused words what the state refuses of a record as the ledger does.
func refused(err error) error {
	if err == nil {
		return nil // before there is anything for errors.As to fill, which costs an allocation
	}
	var unsound *state.UnsoundError
	if errors.As(err, &unsound) {
		return &InvariantError{What: unsound.What, ID: unsound.ID, Sequence: unsound.Sequence}
	}
	return err
}

// invalid words what the book refuses for its length as the ledger does.
func invalid(err error) error {
	if err == nil {
		return nil // before there is anything for errors.As to fill, which costs an allocation
	}
	var long *book.TooLongError
	if errors.As(err, &long) {
		return &InvalidError{Field: "ID", Value: long.Bytes, Why: fmt.Sprintf("an ID or a reference has more than the %d bytes that can be kept", book.MaxIDBytes)}
	}
	return err
}
