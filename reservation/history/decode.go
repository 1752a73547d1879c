package history

import (
	"encoding/binary"
	"fmt"
	"math"
	"unsafe"

	"github.com/clickcollect/clickcollect/reservation/life"
)

// Why bytes are no record: what takes the place of an offset into them.
const (
	cut = -1 - iota
	longNumber
	tooLarge
	empty
	linesOrder
	noOnHand
	narrowTime
	tail
	noKind
	noShares
)

// whys says it in words, by the negated number.
var whys = [...]string{
	-cut:        "the bytes end too early",
	-longNumber: "a number is not in its shortest form",
	-tooLarge:   "a number is too large",
	-empty:      "a field is there and empty",
	-linesOrder: "the lines are not ascending by SKU",
	-noOnHand:   "lines with units on hand have none",
	-narrowTime: "a time is not in its shortest form",
	-tail:       "there are bytes behind its end",
	-noKind:     "it has no kind",
	-noShares:   "its shares do not ascend, or do not have all of its lines",
}

// Decode reads the record that b holds from its first to its last byte, and
// nothing else: exactly the bytes that Append makes of it are accepted. The
// strings and Place of r then are parts of b, which must not change while they
// are in use; Lines takes the room it had before, or new room in proportion to
// b. ErrRecord or ErrNewer otherwise, and r is as after Reset.
func (r *Record) Decode(b []byte) error {
	r.Reset()
	if len(b) == 0 {
		return refuse(cut)
	}
	if b[0] >= byte(kindEnd) {
		return fmt.Errorf("history: kind %d: %w", b[0], ErrNewer)
	}
	mask, i := uvarint(b, 1)
	if i >= 0 && mask&^hasAny != 0 {
		return fmt.Errorf("history: fields %#x: %w", mask, ErrNewer)
	}
	f := uint32(mask)
	if b[0] == 0 {
		i = noKind
	}
	if i > 0 {
		r.Kind = Kind(b[0])
		i = r.readHead(b, i, f)
	}
	if f&hasRare != 0 && i > 0 {
		i = r.readRare(b, i, f)
	}
	if f&(hasLines|hasOnHand) != 0 && i > 0 {
		i = r.readLines(b, i, f)
	}
	if i == len(b) && r.Cause < causeEnd && r.Form.Valid() && (r.State == 0 || r.State.Valid()) {
		return nil
	}
	cause, form, state := r.Cause, r.Form, r.State
	r.Reset()
	switch {
	case !form.Valid(): // what is behind it cannot be told
		return fmt.Errorf("history: form %d: %w", uint8(form), ErrNewer)
	case i < 0:
		return refuse(i)
	case cause >= causeEnd:
		return fmt.Errorf("history: cause %d: %w", uint8(cause), ErrNewer)
	case state != 0 && !state.Valid():
		return fmt.Errorf("history: state %d of an order: %w", uint8(state), ErrNewer)
	}
	return refuse(tail)
}

// readHead reads the time and what a hold has besides its lines. It returns
// the offset behind them, or below zero why not, as all the readers do.
func (r *Record) readHead(b []byte, i int, f uint32) int {
	i = r.readTime(b, i, f)
	if f&hasID != 0 {
		r.ID, i = text(b, i)
	}
	if f&hasSlot != 0 {
		r.Slot, i = handle(b, i)
	}
	if f&hasDeadline != 0 {
		r.Deadline, i = instant(b, i, r.Time)
	}
	if f&hasFingerprint != 0 {
		r.Fingerprint, i = word(b, i)
	}
	if f&hasDistance != 0 {
		var bits uint64
		bits, i = word(b, i)
		r.Distance = math.Float64frombits(bits)
	}
	return i
}

func (r *Record) readTime(b []byte, i int, f uint32) int {
	if f&hasWideTime != 0 {
		time, i := word(b, i)
		if i > 0 && time>>48 == 0 {
			return narrowTime
		}
		r.Time = int64(time)
		return i
	}
	if len(b)-i < 6 {
		return cut
	}
	r.Time = int64(binary.LittleEndian.Uint32(b[i:])) | int64(binary.LittleEndian.Uint16(b[i+4:]))<<32
	return i + 6
}

// readRare reads the fields that most records do not have.
func (r *Record) readRare(b []byte, i int, f uint32) int {
	if f&hasCause != 0 {
		if i < 0 || i >= len(b) {
			return min(i, cut)
		}
		if b[i] == 0 {
			return empty
		}
		r.Cause = Cause(b[i])
		i++
	}
	if f&hasAsOf != 0 {
		r.AsOf, i = instant(b, i, r.Time)
	}
	if f&hasPromise != 0 {
		r.Promise, i = instant(b, i, r.Time)
	}
	if f&hasSKU != 0 {
		r.SKU, i = handle(b, i)
	}
	if f&hasTo != 0 {
		r.To, i = handle(b, i)
	}
	if f&hasTexts != 0 {
		i = r.readTexts(b, i, f)
	}
	if f&hasParts != 0 {
		if i < 0 || i >= len(b) {
			return min(i, cut)
		}
		if b[i] == 0 {
			return empty
		}
		r.Parts = b[i]
		i++
	}
	r.Missing = f&isMissing != 0
	if f&(hasPart|hasOther|hasShares) != 0 {
		i = r.readParts(b, i, f)
	}
	if f&hasForm != 0 {
		i = r.readForm(b, i)
	}
	if f&hasCarrier != 0 {
		r.Carrier, i = text(b, i)
	}
	if f&hasTracking != 0 {
		r.Tracking, i = text(b, i)
	}
	if f&hasState != 0 {
		if i < 0 || i >= len(b) {
			return min(i, cut)
		}
		if b[i] == 0 {
			return empty
		}
		r.State = life.OrderState(b[i])
		i++
	}
	return i
}

// readForm reads the form and, of goods that are brought to a store, the store; its
// handle may be 0.
func (r *Record) readForm(b []byte, i int) int {
	if i < 0 || i >= len(b) {
		return min(i, cut)
	}
	if b[i] == 0 {
		return empty
	}
	r.Form = life.Form(b[i])
	i++
	if r.Form != life.Brought {
		return i
	}
	store, i := uvarint(b, i)
	if store > math.MaxUint32 {
		return tooLarge
	}
	r.Store = uint32(store)
	return i
}

// readParts reads which parts of an order a record is about.
func (r *Record) readParts(b []byte, i int, f uint32) int {
	if f&hasPart != 0 {
		r.Part, i = number(b, i)
	}
	if f&hasOther != 0 {
		r.Other, i = number(b, i)
	}
	if f&hasShares == 0 || i < 0 {
		return i
	}
	n, i := uvarint(b, i)
	switch {
	case i < 0:
		return i
	case n == 0:
		return empty
	case n > math.MaxUint8: // as many as there are numbers of parts
		return noShares
	case n > uint64(len(b)-i)/3: // a share takes three bytes at least
		return cut
	}
	lines := uint64(0)
	for range n {
		var part uint8
		var slot, own uint64
		part, i = number(b, i)
		slot, i = uvarint(b, i)
		own, i = uvarint(b, i)
		switch last := len(r.Shares) - 1; {
		case i < 0:
			return i
		case slot > math.MaxUint32:
			return tooLarge
		case last >= 0 && r.Shares[last].Part >= part, own > uint64(len(b)):
			return noShares
		}
		lines += own
		r.Shares = append(r.Shares, Share{Part: part, Slot: uint32(slot), Lines: int(own)})
	}
	if lines > 0 && f&hasLines == 0 {
		return noShares
	}
	return i
}

// number reads a byte that is not 0.
func number(b []byte, i int) (uint8, int) {
	switch {
	case i < 0 || i >= len(b):
		return 0, min(i, cut)
	case b[i] == 0:
		return 0, empty
	}
	return b[i], i + 1
}

func (r *Record) readTexts(b []byte, i int, f uint32) int {
	texts := [...]*string{&r.Change, &r.Order, &r.Customer, &r.Owner, &r.Channel, &r.Code, &r.Ref, &r.Name}
	for n, to := range texts {
		if f&(hasChange<<n) != 0 {
			*to, i = text(b, i)
		}
	}
	if f&hasPlace != 0 {
		var n int
		n, i = length(b, i)
		if i > 0 {
			r.Place = b[i : i+n : i+n]
			i += n
		}
	}
	return i
}

func (r *Record) readLines(b []byte, i int, f uint32) int {
	if f&hasLines == 0 {
		return noOnHand
	}
	n, i := uvarint(b, i)
	switch {
	case i < 0:
		return i
	case n == 0:
		return empty
	case n > uint64(len(b)-i)/2: // a line takes two bytes at least
		return cut
	}
	lines := r.Lines[:0]
	if uint64(cap(lines)) < n {
		lines = make([]Line, 0, n)
	}
	lines = lines[:n]
	r.Lines = lines
	sku, anyOnHand := uint64(0), int64(0)
	share, ends := 0, 0
	for l := range lines {
		for ; l == ends && share < len(r.Shares); share++ {
			sku, ends = 0, ends+r.Shares[share].Lines
		}
		var step, units, onHand uint64
		step, i = uvarint(b, i)
		if uint(i) < uint(len(b)) && b[i] < 0x80 { // as most are; spares the call
			units, i = uint64(b[i]), i+1
		} else {
			units, i = uvarint(b, i)
		}
		if f&hasOnHand != 0 {
			onHand, i = uvarint(b, i)
		}
		switch {
		case i < 0:
			return i
		case step > math.MaxUint32 || sku+step > math.MaxUint32:
			return linesOrder
		}
		line := &lines[l]
		line.SKU = uint32(sku + step)
		line.Units = signed(units)
		line.OnHand = signed(onHand)
		anyOnHand |= line.OnHand
		sku += step + 1
	}
	if f&hasOnHand != 0 && anyOnHand == 0 {
		return noOnHand
	}
	return r.checkShares(i)
}

// checkShares returns the offset, unless there are shares and they do not have all
// lines.
func (r *Record) checkShares(i int) int {
	if len(r.Shares) == 0 {
		return i
	}
	lines := 0
	for s := range r.Shares {
		lines += r.Shares[s].Lines
	}
	if lines != len(r.Lines) {
		return noShares
	}
	return i
}

// signed undoes the folding that keeps small negative numbers short.
func signed(folded uint64) int64 { return int64(folded>>1) ^ -int64(folded&1) }

// instant reads a time written as its distance from another one.
func instant(b []byte, i int, from int64) (int64, int) {
	folded, i := uvarint(b, i)
	time := from + signed(folded)
	if i > 0 && time == 0 {
		return 0, empty
	}
	return time, i
}

// handle reads a number below 2^32, not 0.
func handle(b []byte, i int) (uint32, int) {
	n, i := uvarint(b, i)
	switch {
	case i < 0:
		return 0, i
	case n == 0:
		return 0, empty
	case n > math.MaxUint32:
		return 0, tooLarge
	}
	return uint32(n), i
}

// word reads eight bytes, not all 0.
func word(b []byte, i int) (uint64, int) {
	if i < 0 || len(b)-i < 8 {
		return 0, min(i, cut)
	}
	n := binary.LittleEndian.Uint64(b[i:])
	if n == 0 {
		return 0, empty
	}
	return n, i + 8
}

// text reads a string that is not empty, as a part of b.
func text(b []byte, i int) (string, int) {
	n, i := length(b, i)
	if i < 0 {
		return "", i
	}
	return unsafe.String(&b[i], n), i + n
}

// length reads the length of what follows: there, and not 0.
func length(b []byte, i int) (int, int) {
	n, i := uvarint(b, i)
	switch {
	case i < 0:
		return 0, i
	case n == 0:
		return 0, empty
	case n > uint64(len(b)-i):
		return 0, cut
	}
	return int(n), i
}

// uvarint reads a number and returns the offset behind it; with an offset below
// zero there is nothing to read, and that is what it returns.
func uvarint(b []byte, i int) (uint64, int) {
	if uint(i) < uint(len(b)) && b[i] < 0x80 {
		return uint64(b[i]), i + 1
	}
	if i >= 0 && i+1 < len(b) && b[i+1]-1 < 0x7f { // two bytes, the second not 0
		return uint64(b[i]&0x7f) | uint64(b[i+1])<<7, i + 2
	}
	return longUvarint(b, i)
}

func longUvarint(b []byte, i int) (uint64, int) {
	if i < 0 {
		return 0, i
	}
	n := uint64(0)
	for shift := 0; i < len(b); shift += 7 {
		digit := b[i]
		i++
		switch {
		case shift == 63 && digit > 1:
			return 0, tooLarge
		case digit >= 0x80:
			n |= uint64(digit&0x7f) << shift
		case digit == 0 && shift > 0:
			return 0, longNumber
		default:
			return n | uint64(digit)<<shift, i
		}
	}
	return 0, cut
}
