package allocator

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"

	"github.com/clickcollect/clickcollect/allocator/internal/gate"
	"github.com/clickcollect/clickcollect/allocator/internal/topology"
	"github.com/clickcollect/clickcollect/allocator/walk"
	"github.com/clickcollect/clickcollect/reservation"
)

// Orders is the reservations, to be walked: see package walk for what a walk promises.
func (a *Allocator) Orders() walk.Orders[Reservation] {
	return walk.NewOrders(orderSource{newWalker(a)})
}

// Stock is the units of every SKU at every location, to be walked, read in bulk and
// summed: see package walk.
func (a *Allocator) Stock() walk.Stock { return walk.NewStock(stockSource{newWalker(a)}) }

// walker is what walks need of an engine.
type walker struct {
	a      *Allocator
	gate   *gate.Gate
	ledger *reservation.Ledger
	places *topology.Locations
}

// mostLooked is how much a page looks at before it ends though it is not full.
const mostLooked = 1 << 16

// A cursor is base64 of a version, the walk's Sequence as uvarint, the place at which
// the page ended, and eight bytes that only this engine can make for this walk with this
// filter. Nothing outside reads it, so it has no other drawing:
//
//	version 1 | sequence uvarint | place | sum 8
const (
	cursorVersion = 1
	cursorSum     = 8
)

// place is where a walk stands.
type place struct {
	walk     string // of what
	filter   []byte
	sequence uint64
	at       []byte // nil: at the beginning
}

// begin checks a limit and reads a cursor. At the beginning of a walk it takes its
// Sequence, before anything else is read.
func (w walker) begin(of string, filter any, cursor string, limit *int) (p place, err error) {
	if *limit < 0 || *limit > largestPage {
		return p, &InvalidError{Field: "limit", Value: *limit, Why: fmt.Sprintf("must be 0 to %d", largestPage)}
	}
	*limit = cmp.Or(*limit, standardPage)
	p = place{walk: of, sequence: w.ledger.Journal().Last}
	if p.filter, err = json.Marshal(filter); err != nil {
		return p, &InvalidError{Field: "filter", Value: filter, Why: err.Error()}
	}
	if cursor == "" {
		return p, nil
	}
	refused := &InvalidError{Field: "cursor", Value: cursor, Why: "is damaged, or not of this walk"}
	b, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || len(b) < 2+cursorSum || b[0] != cursorVersion {
		return p, refused
	}
	body, sum := b[1:len(b)-cursorSum], b[len(b)-cursorSum:]
	sequence, n := binary.Uvarint(body)
	if n <= 0 {
		return p, refused
	}
	p.sequence, p.at = sequence, body[n:]
	if !bytes.Equal(sum, binary.LittleEndian.AppendUint64(nil, w.sum(&p))) {
		return p, refused
	}
	return p, nil
}

// cursor is the text of a place.
func (w walker) cursor(p *place) string {
	b := append(binary.AppendUvarint([]byte{cursorVersion}, p.sequence), p.at...)
	return base64.RawURLEncoding.EncodeToString(binary.LittleEndian.AppendUint64(b, w.sum(p)))
}

// sum is what only this engine can make of a place. In a directory of a former version
// the order of reservations is that of one opening, and so is the sum.
func (w walker) sum(p *place) uint64 {
	d := w.ledger.Digest(cursorVersion).AddString(p.walk).AddString(string(p.filter)).Add(p.sequence).AddString(string(p.at))
	if _, former := w.ledger.Former(0, 0); former {
		opened := w.ledger.Recovered()
		d = d.Add(opened.Snapshot).Add(opened.Records)
	}
	return d.Sum()
}
