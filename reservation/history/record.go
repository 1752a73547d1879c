package history

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/clickcollect/clickcollect/reservation/life"
)

// What Decode refuses; nothing is read then.
var (
	// ErrRecord: the bytes are no record. They were damaged, or never were one.
	ErrRecord = errors.New("malformed record")
	// ErrNewer: the record says something this version has no word for. Read it
	// with the version that wrote it, or a later one.
	ErrNewer = errors.New("record of a newer version")
)

// Line is a SKU, as its handle, with the units that the record is about.
type Line struct {
	SKU    uint32
	Units  int64 // of a movement: the change, below zero when goods leave
	OnHand int64 // units on hand after it, in the kinds that move goods; else 0
}

// Share is what a change of several parts of an order does to one of them.
type Share struct {
	Part  uint8  // its number, 1 or more
	Slot  uint32 // handle of its location
	Lines int    // how many of the record's lines are its own; they come in the order of the shares
}

// Record is one thing that happened. Which fields a kind uses stands at the
// kind; the zero value of a field means that it is not there. Times are
// milliseconds since the start of 1970, UTC.
//
// A Record is a plain value: not safe for concurrent use while one writes.
type Record struct {
	Kind  Kind
	Cause Cause
	Slot  uint32 // handle of the location
	To    uint32 // handle of the location that the goods go to
	SKU   uint32 // handle of the SKU that was added, or whose safety stock was set
	Time  int64  // when it happened

	Deadline int64 // until when the hold, or the pickup, lasts
	AsOf     int64 // the time that a count speaks of
	Promise  int64 // when the goods are promised to be ready

	Fingerprint uint64  // of the content that came with the ID
	Distance    float64 // metres from the customer to the location; its bits are kept as they are

	ID       string // of the reservation, movement or transfer
	Change   string // ID of a partial change or of a return
	Name     string // of the SKU or location
	Order    string
	Customer string
	Owner    string
	Channel  string
	Code     string // that the customer shows at the pickup
	Ref      string // ID of what caused it
	Carrier  string // who carries a parcel
	Tracking string // the carrier's number of it

	Place []byte // means something to the one who wrote it: of a location, a hold's note, the value of a setting

	Parts   uint8     // of how many parts the order is
	Part    uint8     // the number of the part that it is about; 0: the order has one part, or Shares says which
	Other   uint8     // of a hold, the part that its units come from; of a reroute, the part that has them now
	Form    life.Form // how the goods reach the customer; 0: nobody said
	Store   uint32    // handle of the store that the goods are brought to, if that is their form
	Missing bool      // of a reroute: the units were missing before

	// State is what the state of the order has become with it, if it has become another
	// one. It is told, and nothing is worked out from it. A hold has none: it is held.
	State life.OrderState

	Shares []Share // of a change of several parts at once, ascending by Part; none: it is about one
	Lines  []Line  // ascending by SKU, each SKU once; with Shares, in each of them
}

// Reset makes r the zero value again, but keeps the room of its Lines and Shares.
func (r *Record) Reset() { *r = Record{Lines: r.Lines[:0], Shares: r.Shares[:0]} }

// Event is the name of what happened as programs read it: the kind's, or that
// of the movement's cause, such as "StockReceived". It stays the same in every
// version.
func (r *Record) Event() string {
	if r.Kind == Moved && r.Cause < causeEnd {
		return causeNames[r.Cause].event
	}
	return r.Kind.Name()
}

// The fields, as bits of a record's mask. The ones that a hold has come first,
// so that its mask is one byte.
const (
	hasID = 1 << iota
	hasSlot
	hasLines
	hasDeadline
	hasFingerprint
	hasDistance
	hasOnHand // the lines carry it: one of them at least is not 0
	hasCause
	hasAsOf
	hasChange
	hasOrder
	hasCustomer
	hasOwner
	hasChannel
	hasCode
	hasRef
	hasName
	hasSKU
	hasTo
	hasPlace
	hasWideTime // the time takes eight bytes
	hasPromise
	hasParts
	isMissing // the bit is all there is of it
	hasPart
	hasShares
	hasOther
	hasForm
	hasCarrier
	hasTracking
	hasState

	hasTexts = hasChange | hasOrder | hasCustomer | hasOwner | hasChannel | hasCode | hasRef | hasName | hasPlace
	hasRare  = hasTexts | hasCause | hasAsOf | hasSKU | hasTo | hasPromise | hasParts | isMissing | hasPart | hasShares | hasOther | hasForm | hasCarrier | hasTracking | hasState
	hasAny   = hasState<<1 - 1
)

// Elsewhere reports whether the units of a reroute are in another part of the order.
func (r *Record) Elsewhere() bool { return r.Other != 0 || r.Ref != "" }

// bit is b when there is something, else 0.
func bit(b uint32, there bool) uint32 {
	if there {
		return b
	}
	return 0
}

// fields is the mask of what is there.
func (r *Record) fields() uint32 {
	f := bit(hasID, r.ID != "") | bit(hasSlot, r.Slot != 0) | bit(hasLines, len(r.Lines) > 0) |
		bit(hasDeadline, r.Deadline != 0) | bit(hasFingerprint, r.Fingerprint != 0) |
		bit(hasDistance, math.Float64bits(r.Distance) != 0) |
		bit(hasCause, r.Cause != 0) | bit(hasAsOf, r.AsOf != 0) | bit(hasChange, r.Change != "") |
		bit(hasOrder, r.Order != "") | bit(hasCustomer, r.Customer != "") | bit(hasOwner, r.Owner != "") |
		bit(hasChannel, r.Channel != "") | bit(hasCode, r.Code != "") | bit(hasRef, r.Ref != "") |
		bit(hasName, r.Name != "") | bit(hasSKU, r.SKU != 0) | bit(hasTo, r.To != 0) |
		bit(hasPlace, len(r.Place) > 0) | bit(hasWideTime, uint64(r.Time)>>48 != 0) |
		bit(hasPromise, r.Promise != 0) | bit(hasParts, r.Parts != 0) | bit(isMissing, r.Missing) |
		bit(hasPart, r.Part != 0) | bit(hasShares, len(r.Shares) > 0) | bit(hasOther, r.Other != 0) | bit(hasForm, r.Form != 0) |
		bit(hasCarrier, r.Carrier != "") | bit(hasTracking, r.Tracking != "") | bit(hasState, r.State != 0)
	for i := range r.Lines {
		if r.Lines[i].OnHand != 0 {
			return f | hasOnHand
		}
	}
	return f
}

// Append adds the record's bytes to dst and returns the longer slice; it
// allocates only when dst has no room. Lines that are not ascending by SKU,
// and shares that do not ascend or do not have all lines, give bytes that Decode
// refuses.
func (r *Record) Append(dst []byte) []byte {
	f := r.fields()
	dst = append(dst, byte(r.Kind))
	dst = binary.AppendUvarint(dst, uint64(f))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(r.Time))
	dst = binary.LittleEndian.AppendUint16(dst, uint16(r.Time>>32))
	if f&hasWideTime != 0 {
		dst = binary.LittleEndian.AppendUint16(dst, uint16(r.Time>>48))
	}
	if f&hasID != 0 {
		dst = appendText(dst, r.ID)
	}
	if f&hasSlot != 0 {
		dst = binary.AppendUvarint(dst, uint64(r.Slot))
	}
	if f&hasDeadline != 0 {
		dst = binary.AppendVarint(dst, r.Deadline-r.Time)
	}
	if f&hasFingerprint != 0 {
		dst = binary.LittleEndian.AppendUint64(dst, r.Fingerprint)
	}
	if f&hasDistance != 0 {
		dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(r.Distance))
	}
	if f&hasRare != 0 {
		dst = r.appendRare(dst, f)
	}
	if f&hasLines != 0 {
		dst = r.appendLines(dst, f)
	}
	return dst
}

// appendRare adds the fields that most records do not have.
func (r *Record) appendRare(dst []byte, f uint32) []byte {
	if f&hasCause != 0 {
		dst = append(dst, byte(r.Cause))
	}
	if f&hasAsOf != 0 {
		dst = binary.AppendVarint(dst, r.AsOf-r.Time)
	}
	if f&hasPromise != 0 {
		dst = binary.AppendVarint(dst, r.Promise-r.Time)
	}
	if f&hasSKU != 0 {
		dst = binary.AppendUvarint(dst, uint64(r.SKU))
	}
	if f&hasTo != 0 {
		dst = binary.AppendUvarint(dst, uint64(r.To))
	}
	if f&hasTexts != 0 {
		dst = r.appendTexts(dst, f)
	}
	if f&hasParts != 0 {
		dst = append(dst, r.Parts)
	}
	if f&hasPart != 0 {
		dst = append(dst, r.Part)
	}
	if f&hasOther != 0 {
		dst = append(dst, r.Other)
	}
	if f&hasShares != 0 {
		dst = r.appendShares(dst)
	}
	if f&hasForm != 0 {
		dst = append(dst, byte(r.Form))
		if r.Form == life.Brought {
			dst = binary.AppendUvarint(dst, uint64(r.Store))
		}
	}
	if f&hasCarrier != 0 {
		dst = appendText(dst, r.Carrier)
	}
	if f&hasTracking != 0 {
		dst = appendText(dst, r.Tracking)
	}
	if f&hasState != 0 {
		dst = append(dst, byte(r.State))
	}
	return dst
}

// appendShares adds how many shares there are, and of each its part, its location and
// how many lines it has.
func (r *Record) appendShares(dst []byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(r.Shares)))
	for i := range r.Shares {
		s := &r.Shares[i]
		dst = append(dst, s.Part)
		dst = binary.AppendUvarint(dst, uint64(s.Slot))
		dst = binary.AppendUvarint(dst, uint64(s.Lines))
	}
	return dst
}

func (r *Record) appendTexts(dst []byte, f uint32) []byte {
	for _, text := range [...]string{r.Change, r.Order, r.Customer, r.Owner, r.Channel, r.Code, r.Ref, r.Name} {
		if text != "" {
			dst = appendText(dst, text)
		}
	}
	if f&hasPlace != 0 {
		dst = binary.AppendUvarint(dst, uint64(len(r.Place)))
		dst = append(dst, r.Place...)
	}
	return dst
}

func appendText(dst []byte, text string) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(text)))
	return append(dst, text...)
}

func (r *Record) appendLines(dst []byte, f uint32) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(r.Lines)))
	next := uint32(0) // the least that the next SKU can be
	share, ends := 0, 0
	for i := range r.Lines {
		for ; i == ends && share < len(r.Shares); share++ {
			next, ends = 0, ends+r.Shares[share].Lines
		}
		line := &r.Lines[i]
		dst = binary.AppendUvarint(dst, uint64(line.SKU-next))
		next = line.SKU + 1
		dst = binary.AppendVarint(dst, line.Units)
		if f&hasOnHand != 0 {
			dst = binary.AppendVarint(dst, line.OnHand)
		}
	}
	return dst
}

// refuse says why the bytes are no record.
func refuse(why int) error {
	return fmt.Errorf("history: %s: %w", whys[-why], ErrRecord)
}
