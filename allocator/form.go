package allocator

import (
	"strings"
	"unicode/utf8"

	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/reservation"
)

// formed is a form as the ledger has it, with the store that goods are brought to: at is
// the slot of the chosen one. What is collected says nothing: orders of the hot path
// are, and their records are no longer for it.
func formed(f sourcing.Form, at uint32) (form reservation.Form, store uint32) {
	switch f {
	case sourcing.ShipToStore:
		return reservation.Brought, at
	case sourcing.Ship:
		return reservation.Sent, 0
	}
	return reservation.Unsaid, 0
}

// checkParcel refuses a text of a parcel that cannot be kept, or shown.
func checkParcel(field, text string) error {
	if len(text) <= reservation.MaxParcelBytes && utf8.ValidString(text) && strings.IndexByte(text, 0) < 0 {
		return nil
	}
	return &InvalidError{Field: field, Value: text, Why: "must be at most 255 bytes of UTF-8 without a zero byte"}
}

// formIn is the form that the ledger has of what the door has made.
func formIn(f reservation.Form) sourcing.Form {
	switch f {
	case reservation.Brought:
		return sourcing.ShipToStore
	case reservation.Sent:
		return sourcing.Ship
	}
	return sourcing.Collect
}
