package notes

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/clickcollect/clickcollect/allocator/internal/topology"
	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/reservation"
)

// Terms is what an order asked for, as its parts keep it for the case that
// they have to be rerouted: as JSON, without what is not set.
//
//	f  how the goods reach the customer, in words; none: collected
//	p  where the customer is, {"Lat": …, "Lon": …}
//	a  the store that the order named
//	w  how far a location may be, in meters
//	k  the kinds allowed, a byte each, as base64
//	y  the payment
//	g  groups; x locations excluded; s substitutes, by SKU
//	n  when the goods are needed, i the start of the window; milliseconds
//	m  over how many locations the order may be split, as it said
//	1  what a repeat is answered: a First
type Terms struct {
	Form     sourcing.Form       `json:"f,omitempty"`
	Near     *Place              `json:"p,omitempty"`
	At       string              `json:"a,omitempty"`
	Within   float64             `json:"w,omitempty"`
	Kinds    []byte              `json:"k,omitempty"`
	Payment  string              `json:"y,omitempty"`
	Groups   []string            `json:"g,omitempty"`
	Exclude  []string            `json:"x,omitempty"`
	NeededBy int64               `json:"n,omitempty"`
	Window   int64               `json:"i,omitempty"`
	Instead  map[string][]string `json:"s,omitempty"`
	Most     int                 `json:"m,omitempty"`

	First *First `json:"1,omitempty"`
	Rerouted

	Unread error `json:"-"` // why it could not be read back
}

// Rerouted is what the note of a part says besides that was rerouted:
//
//	l  the slot that it left, and 1
//	e  slots of the locations that have rejected it
//	h  the SHA-256 of the ID of the change by which it was, as base64
//	r  how often it had been rejected by then
//	o, b  in notes of earlier versions: the ID of the location that it left, and
//	   that of the change; what had rejected it is in x then
//
// Numbers stand for names there, so that what a reroute adds fits however long IDs
// are.
type Rerouted struct {
	Left     uint32   `json:"l,omitempty"`
	Rejected []uint32 `json:"e,omitempty"`
	ByDigest string   `json:"h,omitempty"`
	Rejects  int      `json:"r,omitempty"`
	From     string   `json:"o,omitempty"`
	By       string   `json:"b,omitempty"`
}

// Place is where a customer is, in degrees: a geo.Point, by the names that are stored.
type Place struct{ Lat, Lon float64 }

const (
	// MaxTerms is how many bytes of terms an order may have.
	MaxTerms = 4096
	// MaxNew is how many bytes a new order's note may have, with what it was
	// answered. What reroutes add has room behind it: a place to be near to, a
	// digest, numbers, and the slots of some hundred locations.
	MaxNew = reservation.MaxNoteBytes - 1024
)

// Notes of orders of the hot path are short ones; all others are JSON.
//
//	1 byte   ofStore
//	         the ID of the store that the order named
//
//	1 byte   ofKinds
//	1 byte   a bit for each kind of location that the order allows, not 0
//	         the ID of the store that the order named; empty: none
const (
	ofStore = 1
	ofKinds = 2
)

// AppendShort appends the note of an order that only named kinds or its store.
func AppendShort(b []byte, set topology.KindSet, at string) []byte {
	if set == 0 {
		b = append(b, ofStore)
	} else {
		b = append(b, ofKinds, byte(set))
	}
	return append(b, at...)
}

// Plain tells the notes of orders of the hot path.
func Plain(note []byte) bool {
	return len(note) == 0 || note[0] == ofStore || note[0] == ofKinds
}

// Take reads what an order asked for; the zero value if nothing is noted.
func Take(note []byte) (t Terms) {
	switch {
	case len(note) == 0:
	case note[0] == ofStore:
		t.At = string(note[1:])
	case note[0] == ofKinds && len(note) > 1:
		for k := range topology.Kinds {
			if note[1]>>k&1 != 0 {
				t.Kinds = append(t.Kinds, byte(k))
			}
		}
		t.At = string(note[2:])
	default:
		if err := json.Unmarshal(note, &t); err != nil {
			return Terms{Unread: fmt.Errorf("the terms of the order: %w: %w", err, reservation.ErrCorrupt)}
		}
	}
	return t
}

// Bytes is the terms as they are kept. *LongError: they are longer than that.
func (t Terms) Bytes(most int) ([]byte, error) {
	note, err := json.Marshal(&t)
	if err == nil && len(note) > most {
		err = t.Long(len(note), most)
	}
	if err != nil {
		return nil, err
	}
	return note, nil
}

// LongError says that the terms of an order are longer than they may be.
type LongError struct {
	Field      string // of the order, which takes the most
	Takes      int    // bytes
	Bytes, Max int    // of all terms
}

// Error says it in words.
func (e *LongError) Error() string {
	return fmt.Sprintf("terms of %d bytes, at most %d: %s takes %d", e.Bytes, e.Max, e.Field, e.Takes)
}

// Long is that terms have so many bytes, which are more than the most.
func (t *Terms) Long(bytes, most int) *LongError {
	e, first := &LongError{Bytes: bytes, Max: most}, t.First
	if first == nil {
		first = new(First)
	}
	for _, f := range [...]struct {
		field string
		value any
	}{{"Exclude", t.Exclude}, {"Groups", t.Groups}, {"Substitutes", t.Instead}, {"At", t.At}, {"Payment", t.Payment}, {"Kinds", t.Kinds},
		{"Partial", first.Missing}, {"Substitutes", first.Instead}, {"Rejects", t.Rejected}} {
		if text, err := json.Marshal(f.value); err == nil && len(text) > e.Takes {
			e.Field, e.Takes = f.field, len(text)
		}
	}
	return e
}

// ChangeDigest stands for the ID of a change in a note.
func ChangeDigest(id string) string {
	if id == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(id))
	return base64.RawStdEncoding.EncodeToString(sum[:])
}

// IsBy reports whether a part was made by the change with that ID.
func (t *Rerouted) IsBy(id string) bool {
	return t.ByDigest == ChangeDigest(id) && t.By == "" || t.By != "" && t.By == id
}

// First is what was answered of a part of an order, where the reservation's
// own fields do not say it, or will say something else after a reroute. It is in the
// part's note, and stays there as it is when the part is rerouted.
type First struct {
	Plain    bool          `json:"p,omitempty"` // of the hot path: a place and a distance
	Distance float64       `json:"d,omitempty"`
	Form     sourcing.Form `json:"f,omitempty"`
	Ready    int64         `json:"r,omitempty"` // as it was told; 0: it was not
	Cost     int64         `json:"c,omitempty"`
	// By SKU that was ordered: the units of others that the part got for it.
	Instead map[string]map[string]int64 `json:"s,omitempty"`

	// Of the whole order, with its first part.
	Parts   int              `json:"n,omitempty"` // with goods; 0: one
	Whole   int64            `json:"w,omitempty"` // the cost
	Missing map[string]int64 `json:"m,omitempty"` // units by SKU
}

// FirstOf is what was answered of a part whose terms these are. It may be one that has
// not been rerouted before and whose note does not say it: one of the hot path, or one
// that was planned by a version that did not keep it.
func (t *Terms) FirstOf(e *reservation.Entry) *First {
	if t.First != nil {
		return t.First
	}
	if Plain(e.Note) {
		return &First{Plain: true, Distance: e.Distance}
	}
	return &First{Distance: e.Distance, Form: t.Form, Ready: e.Promise, Parts: e.Parts}
}

// With is the terms with another first answer.
func (t Terms) With(f *First) Terms {
	t.First = f
	return t
}
