package book

import (
	"cmp"
	"fmt"
	"math"
	"strings"

	"github.com/clickcollect/clickcollect/reservation/life"
)

// Kind is a name space: an order and a movement may have the same ID.
type Kind uint8

const (
	KindOrder    Kind = iota + 1 // 0 marks memory that is free
	KindMovement                 // a movement: only its ID and content count
	KindTransfer                 // goods on their way between two locations
	KindChange                   // a partial change or a return that has an ID of its own
	kinds
)

// entryLine is one SKU of an order or a transfer.
type entryLine = life.Line

// Refs are the names by which others know an order. All may be empty.
type Refs struct{ Order, Customer, Owner, Channel, Code string }

// Entry is a copy of what the book keeps under an ID. Lines are sorted by SKU,
// each SKU once; their number and their SKUs never change. The book copies them
// in, and on reads it copies them out into the capacity of lines.
type Entry struct {
	Fingerprint  uint64     // of the content, to tell a repeat from a conflict
	Distance     float64    // in meters
	Sequence     uint64     // of its last change
	Deadline     int64      // ms: of the held units; when it has ended, when that was
	Pickup       int64      // ms: the pickup deadline, once it was ready
	Since        int64      // ms: when it was made
	Promise      int64      // ms: when the goods are promised to be ready; 0: nobody said
	Location, To uint32     // To: where it is sent to, or was; of goods that are brought to a store, that store
	Origin       uint32     // the location where it was made
	State        life.State // of an order or a transfer
	Form         life.Form  // how the goods of an order reach the customer
	Reminded     bool
	Rejects      uint8 // how often a location rejected it; it counts to 255
	Parts        uint8 // of how many parts the order is; 0: of one. It never falls
	Part         uint8 // its number among them, 2 or more; 0: it is the first, or the only one
	From         uint8 // the number of the part that its units come from; 0: it is the first that has them
	Refs         Refs
	Note         string // the caller's
	Parcel       Parcel // of what was shipped
	Lines        []entryLine
}

// several tells an order of several parts, and a part of one.
func (e *Entry) several() bool { return e.Parts > 1 || e.Part > 1 }

// What the lengths of an entry are bound by.
const (
	// MaxIDBytes is the longest ID, and the longest reference: their lengths are kept
	// in two bytes.
	MaxIDBytes = math.MaxUint16
	// MaxNoteBytes is the longest note of an order.
	MaxNoteBytes = 16384

	maxLines = 1<<24 - 1
)

// Fits refuses an entry of which a length would not fit into its two bytes:
// *TooLongError. Callers have checked what they were given; this is for what was
// added to it since.
func (e *Entry) Fits(id string) error {
	r := &e.Refs
	longest := max(len(id), len(r.Order), len(r.Customer), len(r.Owner), len(r.Channel), len(r.Code), e.pastBytes())
	if longest <= MaxIDBytes && len(e.Lines) <= maxLines {
		return nil
	}
	return &TooLongError{Bytes: longest}
}

// TooLongError says that an ID, or a reference, is longer than MaxIDBytes.
type TooLongError struct{ Bytes int }

// Error is the error in words.
func (e *TooLongError) Error() string {
	return fmt.Sprintf("an ID or a reference of %d bytes, of which %d can be kept", e.Bytes, MaxIDBytes)
}

// Name is an order, or one part of it: orders have IDs, chosen by callers, and parts
// have numbers. So no ID is that of a part, and no part blocks an ID.
type Name struct {
	ID   string
	Part uint8 // 2 or more; 0: the first, or the only one
}

// Number is the number of the part: 1 of the first.
func (n Name) Number() int { return max(int(n.Part), 1) }

// Compare is below zero if n comes before o: by ID, then by number.
func (n Name) Compare(o Name) int {
	return cmp.Or(strings.Compare(n.ID, o.ID), cmp.Compare(n.Part, o.Part))
}
