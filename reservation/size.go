package reservation

import (
	"fmt"

	"github.com/clickcollect/clickcollect/reservation/internal/commit"
	"github.com/clickcollect/clickcollect/reservation/internal/state"
)

// maxRecordBytes is the longest record of a journal in files or in memory, and the
// most that records can be which are written all or none: what one of its frames
// takes, 256 MiB less a few bytes. A log that was given may take less (longest).
//
// Only two kinds are as long as their caller likes, and are checked before
// anything is taken or changed: a location's place (AddSlot, CheckPlace) and notes
// (SetNotes). All others stay far below, whatever the limits of IDs, lines and
// parts are: a movement of 1,048,576 lines takes 17 MiB, an order in 255 parts with
// IDs and references of 65,535 bytes 113 MiB. Should one pass the bound all the
// same the journal refuses it with ErrTooLarge before it has a number, and whoever
// asked undoes what it took.
const maxRecordBytes = commit.MaxRecordBytes

// fixedBytes is more than a record takes besides its texts, its place, its lines and
// its shares.
const fixedBytes = 128

// longest is the longest record that a queue takes, or none.
func longest(q *commit.Queue) int {
	if q == nil {
		return maxRecordBytes
	}
	return q.MaxRecordBytes()
}

// checkSize refuses what a record of that many bytes could not say.
func checkSize(field string, bytes, most int) error {
	if bytes <= most {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrTooLarge, &InvalidError{Field: field, Value: bytes,
		Why: fmt.Sprintf("must be at most %d bytes with all that belongs to it", most)})
}

// checkNotes refuses notes that one frame does not take.
func checkNotes(set []Note, most int) error {
	all := 0
	for i := range set {
		if key := set[i].Key; key == "" || key == state.KeyNote {
			return &InvalidError{Field: fmt.Sprintf("Notes[%d].Key", i), Value: key, Why: "must not be empty, or a name of the ledger's own"}
		}
		size := len(set[i].Key) + len(set[i].Value) + fixedBytes
		if err := checkSize(fmt.Sprintf("Notes[%d]", i), size, most); err != nil {
			return err
		}
		all += size
	}
	return checkSize("Notes", all, most)
}
