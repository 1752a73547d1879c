package allocator

import (
	"errors"

	"github.com/clickcollect/clickcollect/allocator/internal/gate"
	"github.com/clickcollect/clickcollect/reservation"
	"github.com/clickcollect/clickcollect/reservation/excerpt"
)

// Facts a caller can test for with errors.Is. Unless they say otherwise they are
// refusals: the input or the stock said no, and nothing was changed.
var (
	// ErrNoLocation: no location in reach can fill every line. *NoLocationError
	// says why. Offer fewer lines, another distance, or another day.
	ErrNoLocation = errors.New("no location can fill the order")
	// ErrClosed: the allocator was closed. Nothing was changed.
	ErrClosed = gate.ErrClosed
	// ErrNoFeed: the engine has none of Options.Dir, Log and FeedBytes, so it keeps
	// no history.
	ErrNoFeed = errors.New("no history is kept")
	// ErrReturns: the location takes no returns (Location.NoReturns).
	ErrReturns = errors.New("location takes no returns")

	// ErrInvalid: the input itself is wrong; *InvalidError says where.
	ErrInvalid = reservation.ErrInvalid
	// ErrUnknownLocation: no location has that ID. Call SetLocations first.
	ErrUnknownLocation = reservation.ErrUnknownLocation
	// ErrUnknownSKU: the SKU was never received or counted anywhere.
	ErrUnknownSKU = reservation.ErrUnknownSKU
	// ErrConflict: the ID was used before with other content. Use a new ID, or
	// repeat the content of the first call to get its answer.
	ErrConflict = reservation.ErrConflict
	// ErrNotFound: no reservation or transfer has that ID, or it ended so long ago
	// that it is forgotten (Options.Remember, Options.RememberFor).
	ErrNotFound = reservation.ErrNotFound
	// ErrEnded: the reservation ended before; *EndedError says how. Nothing is
	// left to do.
	ErrEnded = reservation.ErrEnded
	// ErrState: the reservation is not at a point in its life where the call makes
	// sense, such as a second Confirm; *StateError says at which it is.
	ErrState = reservation.ErrState
	// ErrForm: the call is not for goods that reach their customer in that way, or not
	// there; *FormError says which way it is, and where.
	ErrForm = reservation.ErrForm
	// ErrOwner: the token is not that of the reservation's owner.
	ErrOwner = reservation.ErrOwner
	// ErrShortage: fewer units than wanted; *ShortageError says how many.
	ErrShortage = reservation.ErrShortage
	// ErrOverflow: a quantity beyond 2^31 − 1, alone, summed over the lines of one
	// SKU, or together with what is on hand.
	ErrOverflow = reservation.ErrOverflow
	// ErrTooOld: a count is as of a time for which the movements since are not
	// known any more. Count again.
	ErrTooOld = reservation.ErrTooOld
	// ErrInUse: the location still has goods or reservations, or some are on
	// their way there; *LocationInUseError says how many.
	ErrInUse = reservation.ErrInUse
	// ErrFull: a limit of the Options is reached.
	ErrFull = reservation.ErrFull
	// ErrNoSpace: the disk is full. New holds and movements are refused and
	// nothing was changed; what ends reservations still passes. Free some space:
	// the engine goes on by itself.
	ErrNoSpace = reservation.ErrNoSpace
	// ErrUnavailable: the system does not let the journal open or make a file: no
	// file handles are left, or something foreign is in the way. As with ErrNoSpace
	// nothing was changed, what ends reservations still passes, and the engine
	// goes on by itself.
	ErrUnavailable = reservation.ErrUnavailable
	// ErrTooLarge: a setting, or what a location says, is more than one record of
	// the journal takes, 256 MiB less a few bytes, or as much as Options.Log does. It is an *InvalidError too.
	ErrTooLarge = reservation.ErrTooLarge
	// ErrTrimmed: the history from there is not kept any more; *TrimmedError says
	// where it begins.
	ErrTrimmed = reservation.ErrTrimmed

	// ErrJournal: unknown. Writing or syncing failed; whether the change lasts
	// shows when the directory is opened anew. Repeat it then with the same ID.
	// Until then every change is refused with the same cause, and reads show
	// what lasts.
	ErrJournal = reservation.ErrJournal

	// ErrFenced: another writer has taken over Options.Log; *log.FencedError says
	// which. The change was not written, nor will any be by this engine, and what was
	// acknowledged before lasts. Close it; Open anew takes the log over in its turn.
	ErrFenced = reservation.ErrFenced

	// ErrLocked: another engine, in this process or another one, has the
	// directory open.
	ErrLocked = reservation.ErrLocked
	// ErrCorrupt: the journal or a snapshot is damaged where it was whole before;
	// the error says where. Nothing was changed.
	ErrCorrupt = reservation.ErrCorrupt
	// ErrLogLost: Options.Log ends before records that a snapshot in Options.Dir has
	// seen; *log.LostError says which. It went back, as a restored backup does: bring
	// back its end, or take another directory if what is gone may be gone.
	ErrLogLost = reservation.ErrLogLost
	// ErrNewer: a newer version of this library wrote the directory.
	ErrNewer = reservation.ErrNewer
	// ErrForeign: the directory holds files of another product.
	ErrForeign = reservation.ErrForeign
)

// InvalidError names the input that was refused. It is ErrInvalid.
type InvalidError = reservation.InvalidError

// ShortageError says of which SKU there was too little, and where. It is
// ErrShortage.
type ShortageError = reservation.ShortageError

// EndedError says how a reservation ended before the call. It is ErrEnded.
type EndedError = reservation.EndedError

// StateError says in which state a reservation is that the call does not fit. It
// is ErrState.
type StateError = reservation.StateError

// FormError says that a change is not for goods of that form: what is shipped is never
// ready for pickup, and what is shipped to a store goes to no other one, and is made
// ready and handed over nowhere else. It is ErrForm.
type FormError = reservation.FormError

// LocationInUseError says what is still at a location. It is ErrInUse.
type LocationInUseError = reservation.LocationInUseError

// quoted is a text of a caller's as the texts of errors have it.
func quoted(text string) string { return excerpt.Quote(text) }
