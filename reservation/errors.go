package reservation

import (
	"errors"
	"fmt"
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
	ErrNotFound = errors.New("reservation not found")
	// ErrEnded: the reservation has ended; *EndedError says how. Nothing is left
	// to do.
	ErrEnded = errors.New("reservation has ended")
	// ErrShortage: there are fewer units than wanted; *ShortageError says how many.
	ErrShortage = errors.New("not enough units")
	// ErrOverflow: the units would pass the largest quantity, 2^31 − 1, or push
	// what is available below −2^31.
	ErrOverflow = errors.New("quantity out of range")
	// ErrInUse: the location still has goods or reservations; *LocationInUseError
	// says how many. Count it down to zero and end its reservations first.
	ErrInUse = errors.New("location is in use")
	// ErrFull: a limit of the options is reached. Raise it and open anew.
	ErrFull = errors.New("limit reached")
)

// InvalidError names the input that was refused. It is ErrInvalid.
type InvalidError struct {
	Field string // which input, such as "Lines[2].Quantity"
	Value any    // what it was
	Why   string // what it must be
}

// Error says which input is wrong, what it was and what it must be.
func (e *InvalidError) Error() string {
	return fmt.Sprintf("invalid %s %#v: %s", e.Field, e.Value, e.Why)
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
	return fmt.Sprintf("not enough units of SKU %q at %q: wanted %d, there are %d", e.SKU, e.Location, e.Wanted, e.Available)
}

// Is makes errors.Is(err, ErrShortage) true.
func (e *ShortageError) Is(target error) bool { return target == ErrShortage }

// EndedError says how a reservation ended before this call. It is ErrEnded.
type EndedError struct {
	ID    string
	State State // Collected or Canceled
}

// Error names the reservation and how it ended.
func (e *EndedError) Error() string {
	return fmt.Sprintf("reservation %q has ended: already %v", e.ID, e.State)
}

// Is makes errors.Is(err, ErrEnded) true.
func (e *EndedError) Is(target error) bool { return target == ErrEnded }

// LocationInUseError says what is still at a location. It is ErrInUse.
type LocationInUseError struct {
	Location string
	SKUs     int   // SKUs with units on hand or held there
	OnHand   int64 // units on hand, over all SKUs
	Held     int64 // units held by reservations, over all SKUs
}

// Error says how much is still there.
func (e *LocationInUseError) Error() string {
	return fmt.Sprintf("location %q is in use: %d SKUs with %d units on hand and %d held", e.Location, e.SKUs, e.OnHand, e.Held)
}

// Is makes errors.Is(err, ErrInUse) true.
func (e *LocationInUseError) Is(target error) bool { return target == ErrInUse }
