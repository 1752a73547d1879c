package reservation

import (
	"fmt"

	"github.com/clickcollect/clickcollect/reservation/internal/commit"
)

// maxRecordBytes is the longest record of the journal, and the most that records
// can be which are written all or none: what one of its frames takes, 256 MiB less
// a few bytes.
//
// Only two kinds are as long as their caller likes, and are checked before
// anything is taken or changed: a location's place (AddSlot, CheckPlace) and notes
// (SetNotes). All others stay far below, whatever the limits of IDs, lines and
// parts are: a movement of 1,048,576 lines takes 17 MiB, an order in 255 parts with
// IDs and references of 65,535 bytes 113 MiB. Should one pass the bound all the
// same the journal refuses it with ErrTooLarge before it has a number, and whoever
// asked undoes what it took.
const maxRecordBytes = commit.MaxRecordBytes

// fixedBytes is more than a record takes besides its texts, its place and its
// lines.
const fixedBytes = 128

// CheckPlace refuses a location that says more than a record takes: ErrTooLarge,
// as an *InvalidError.
func (*Ledger) CheckPlace(name string, place []byte) error {
	return checkSize("Place", len(name)+len(place)+fixedBytes)
}

// checkSize refuses what a record of that many bytes could not say.
func checkSize(field string, bytes int) error {
	if bytes <= maxRecordBytes {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrTooLarge, &InvalidError{Field: field, Value: bytes,
		Why: fmt.Sprintf("must be at most %d bytes with all that belongs to it", maxRecordBytes)})
}

// checkNotes refuses notes that one frame does not take.
func checkNotes(set []Note) error {
	all := 0
	for i := range set {
		if key := set[i].Key; key == "" || key == digestsNote {
			return &InvalidError{Field: fmt.Sprintf("Notes[%d].Key", i), Value: key, Why: "must not be empty, or a name of the ledger's own"}
		}
		size := len(set[i].Key) + len(set[i].Value) + fixedBytes
		if err := checkSize(fmt.Sprintf("Notes[%d]", i), size); err != nil {
			return err
		}
		all += size
	}
	return checkSize("Notes", all)
}
