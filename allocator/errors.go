package allocator

import (
	"errors"

	"github.com/clickcollect/clickcollect/reservation"
)

// Facts a caller can test for with errors.Is. All but ErrClosed are refusals:
// the input or the stock said no, and nothing was changed.
var (
	// ErrNoLocation: no location in reach can fill every line. *NoLocationError
	// says why. Offer fewer lines, another distance, or another day.
	ErrNoLocation = errors.New("no location can fill the order")
	// ErrClosed: the allocator was closed. Nothing was changed.
	ErrClosed = errors.New("allocator is closed")

	// ErrInvalid: the input itself is wrong; *InvalidError says where.
	ErrInvalid = reservation.ErrInvalid
	// ErrUnknownLocation: no location has that ID. Call SetLocations first.
	ErrUnknownLocation = reservation.ErrUnknownLocation
	// ErrUnknownSKU: the SKU was never received or counted anywhere.
	ErrUnknownSKU = reservation.ErrUnknownSKU
	// ErrConflict: the ID was used before with other content. Use a new ID, or
	// repeat the content of the first call to get its answer.
	ErrConflict = reservation.ErrConflict
	// ErrNotFound: no reservation has that ID, or it ended so long ago that it is
	// forgotten (Options.Remember).
	ErrNotFound = reservation.ErrNotFound
	// ErrEnded: the reservation ended before; *EndedError says how. Nothing is
	// left to do.
	ErrEnded = reservation.ErrEnded
	// ErrShortage: fewer units than wanted; *ShortageError says how many.
	ErrShortage = reservation.ErrShortage
	// ErrOverflow: a quantity beyond 2^31 − 1, alone, summed over the lines of one
	// SKU, or together with what is on hand.
	ErrOverflow = reservation.ErrOverflow
	// ErrInUse: the location still has goods or reservations;
	// *LocationInUseError says how many.
	ErrInUse = reservation.ErrInUse
	// ErrFull: a limit of the Options is reached.
	ErrFull = reservation.ErrFull
)

// InvalidError names the input that was refused. It is ErrInvalid.
type InvalidError = reservation.InvalidError

// ShortageError says of which SKU there was too little, and where. It is
// ErrShortage.
type ShortageError = reservation.ShortageError

// EndedError says how a reservation ended before the call. It is ErrEnded.
type EndedError = reservation.EndedError

// LocationInUseError says what is still at a location. It is ErrInUse.
type LocationInUseError = reservation.LocationInUseError
