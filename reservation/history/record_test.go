package history

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"github.com/clickcollect/clickcollect/bench/scaletest"
	"github.com/clickcollect/clickcollect/reservation/life"
)

// differ names a field in which two records differ, "" if there is none. The
// distances are compared by their bits: not-a-number is a value like others.
func differ(a, b *Record) string {
	switch {
	case a.Kind != b.Kind:
		return "Kind"
	case a.Cause != b.Cause:
		return "Cause"
	case a.Slot != b.Slot:
		return "Slot"
	case a.To != b.To:
		return "To"
	case a.SKU != b.SKU:
		return "SKU"
	case a.Time != b.Time:
		return "Time"
	case a.Deadline != b.Deadline:
		return "Deadline"
	case a.AsOf != b.AsOf:
		return "AsOf"
	case a.Promise != b.Promise:
		return "Promise"
	case a.Fingerprint != b.Fingerprint:
		return "Fingerprint"
	case math.Float64bits(a.Distance) != math.Float64bits(b.Distance):
		return "Distance"
	case a.ID != b.ID:
		return "ID"
	case a.Change != b.Change:
		return "Change"
	case a.Name != b.Name:
		return "Name"
	case a.Order != b.Order:
		return "Order"
	case a.Customer != b.Customer:
		return "Customer"
	case a.Owner != b.Owner:
		return "Owner"
	case a.Channel != b.Channel:
		return "Channel"
	case a.Code != b.Code:
		return "Code"
	case a.Ref != b.Ref:
		return "Ref"
	case !bytes.Equal(a.Place, b.Place):
		return "Place"
	case a.Parts != b.Parts:
		return "Parts"
	case a.Part != b.Part:
		return "Part"
	case a.Other != b.Other:
		return "Other"
	case a.Missing != b.Missing:
		return "Missing"
	case !slices.Equal(a.Shares, b.Shares):
		return "Shares"
	case a.Form != b.Form:
		return "Form"
	case a.Store != b.Store:
		return "Store"
	case a.Carrier != b.Carrier:
		return "Carrier"
	case a.Tracking != b.Tracking:
		return "Tracking"
	case a.State != b.State:
		return "State"
	case !slices.Equal(a.Lines, b.Lines):
		return "Lines"
	}
	return ""
}

// There and back through used memory: the bytes must be accepted, say the same
// and be the only spelling.
func roundTrip(r, into *Record, room []byte) ([]byte, error) {
	room = r.Append(room[:0])
	if err := into.Decode(room); err != nil {
		return room, fmt.Errorf("%x: %w", room, err)
	}
	if field := differ(r, into); field != "" {
		return room, fmt.Errorf("%x: %s differs: %+v, was %+v", room, field, *into, *r)
	}
	length := len(room)
	room = into.Append(room)
	if !bytes.Equal(room[:length], room[length:]) {
		return room, fmt.Errorf("%x became %x", room[:length], room[length:])
	}
	return room, nil
}

// A change of any field must be seen by differ, or the other tests are blind.
func TestDifferSeesEveryField(t *testing.T) {
	fields := reflect.TypeFor[Record]()
	for i := range fields.NumField() {
		a, b := full(), full()
		if got := differ(&a, &b); got != "" {
			t.Fatalf("equal records differ in %s", got)
		}
		switch v := reflect.ValueOf(&b).Elem().Field(i); v.Interface().(type) {
		case Kind, Cause, life.Form, life.OrderState, uint8, uint32, uint64:
			v.SetUint(v.Uint() + 1)
		case int64:
			v.SetInt(-v.Int())
		case float64:
			v.SetFloat(-v.Float())
		case bool:
			v.SetBool(!v.Bool())
		case string:
			v.SetString(v.String() + "'")
		case []byte:
			b.Place[0]++
		case []Line:
			b.Lines[0].OnHand++
		case []Share:
			b.Shares[0].Slot++
		default:
			t.Fatalf("field %s is of a type unknown here", fields.Field(i).Name)
		}
		if got, want := differ(&a, &b), fields.Field(i).Name; got != want {
			t.Errorf("a change of %s was seen as one of %q", want, got)
		}
	}
}

// full is a record with something in every field.
func full() Record {
	return Record{
		Kind: Returned, Cause: ToInspect, Slot: 1, To: math.MaxUint32, SKU: 300, Time: 1_767_225_600_123,
		Deadline: 1_767_312_000_000, AsOf: 1_767_225_599_000, Promise: 1_767_230_000_000, Fingerprint: 1 << 63, Distance: 12.5,
		ID: "r-1", Change: "return-1", Name: "Straßburg", Order: "o-17", Customer: "c-4", Owner: "cart-9",
		Channel: "app", Code: "4711", Ref: "m-3", Place: []byte{0, 1, 255},
		Parts: 2, Part: 3, Other: 255, Missing: true, Form: life.Brought, Store: 1 << 20, Carrier: "DHL", Tracking: "JJD 0099", State: life.OrderPartlyReady,
		Shares: []Share{{Part: 1, Slot: math.MaxUint32, Lines: 2}, {Part: 4}, {Part: 255, Slot: 7, Lines: 1}},
		Lines:  []Line{{SKU: 0, Units: -3, OnHand: 70}, {SKU: 1, Units: 1 << 40}, {SKU: math.MaxUint32, OnHand: -1}},
	}
}

// alone is full without what tells the parts of an order apart, its form and its state.
func alone() Record {
	r := full()
	r.Part, r.Other, r.Shares, r.Form, r.Store, r.Carrier, r.Tracking, r.State = 0, 0, nil, 0, 0, "", "", 0
	return r
}

// clearers empty a field each, in the order of the mask.
func clearers() []func(r *Record) {
	return []func(r *Record){
		func(r *Record) { r.ID = "" },
		func(r *Record) { r.Slot = 0 },
		func(r *Record) { r.Lines, r.Shares = nil, share(r.Shares, 0) },
		func(r *Record) { r.Deadline = 0 },
		func(r *Record) { r.Fingerprint = 0 },
		func(r *Record) { r.Distance = 0 },
		func(r *Record) {
			r.Lines = slices.Clone(r.Lines)
			for i := range r.Lines {
				r.Lines[i].OnHand = 0
			}
		},
		func(r *Record) { r.Cause = 0 },
		func(r *Record) { r.AsOf = 0 },
		func(r *Record) { r.Change = "" },
		func(r *Record) { r.Order = "" },
		func(r *Record) { r.Customer = "" },
		func(r *Record) { r.Owner = "" },
		func(r *Record) { r.Channel = "" },
		func(r *Record) { r.Code = "" },
		func(r *Record) { r.Ref = "" },
		func(r *Record) { r.Name = "" },
		func(r *Record) { r.SKU = 0 },
		func(r *Record) { r.To = 0 },
		func(r *Record) { r.Place = nil },
		func(r *Record) { r.Time = 1 },
		func(r *Record) { r.Promise = 0 },
		func(r *Record) { r.Parts = 0 },
		func(r *Record) { r.Missing = false },
		func(r *Record) { r.Part = 0 },
		func(r *Record) { r.Shares = nil },
		func(r *Record) { r.Other = 0 },
		func(r *Record) { r.Form, r.Store = 0, 0 },
		func(r *Record) { r.Carrier = "" },
		func(r *Record) { r.Tracking = "" },
		func(r *Record) { r.State = 0 },
	}
}

// share is shares that have no lines.
func share(shares []Share, lines int) []Share {
	shares = slices.Clone(shares)
	for i := range shares {
		shares[i].Lines = lines
	}
	return shares
}

// Every set of fields there can be: 2^31, of which every 512th, but for those with units on hand and
// no lines. Without the full counts the texts, which are all alike, come and go together.
func TestEverySetOfFields(t *testing.T) {
	whole := full()
	clear := clearers()
	whole.Time = -1 // takes eight bytes
	all := uint32(0)
	for field, does := range clear {
		if does != nil {
			all |= 1 << field
		}
	}
	if all != hasAny {
		t.Fatalf("fields %b here, the mask has %b", all, uint32(hasAny))
	}
	var into Record
	var room []byte
	check := func(r *Record, mask uint32) {
		var err error
		if room, err = roundTrip(r, &into, room); err != nil {
			t.Fatal(err)
		}
		if got := into.fields(); got != mask {
			t.Fatalf("mask is %b, want %b", got, mask)
		}
	}
	var walk func(r Record, field int, mask uint32)
	walk = func(r Record, field int, mask uint32) {
		if field == len(clear) {
			check(&r, mask)
			return
		}
		bit, there, gone := uint32(1)<<field, true, true
		switch {
		case clear[field] == nil:
			walk(r, field+1, mask)
			return
		case bit == hasOnHand && len(r.Lines) == 0:
			there = false // no lines have no units on hand
		case !scaletest.Full() && bit > hasChange && bit <= hasName: // in step with the first of the texts
			there, gone = r.Change != "", r.Change == ""
		case bit == hasParts: // this and what is behind it come with half of the sets
			there = bits.OnesCount32(mask)%2 == 0
			gone = !there
		case bit == isMissing:
			there = bits.OnesCount32(mask>>8)%2 == 0
			gone = !there
		case bit > isMissing: // so do those behind them
			there = bits.OnesCount32(mask>>(bit/isMissing))%2 == 0
			gone = !there
		}
		if there {
			walk(r, field+1, mask|bit)
		}
		if gone {
			clear[field](&r)
			walk(r, field+1, mask)
		}
	}
	walk(whole, 0, 0)
}

// edges are the values at which an encoding changes its length or its sign.
func edges() []int64 {
	some := []int64{0, math.MinInt64, math.MinInt64 + 1, math.MaxInt64, 1_767_225_600_123}
	for bits := range 63 {
		some = append(some, 1<<bits, 1<<bits-1, -(1 << bits), -(1<<bits + 1))
	}
	slices.Sort(some)
	return slices.Compact(some)
}

// The drawing has every field that the mask has.
func TestDrawing(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	for bit := range bits.Len32(hasAny) {
		if line := fmt.Sprintf("//\t%3d  ", bit); !strings.Contains(string(doc), line) && 1<<bit != hasOnHand {
			t.Errorf("bit %d of the mask is not drawn", bit)
		}
	}
	if kinds := fmt.Sprintf("1 to %d, see Kind", kindEnd-1); !strings.Contains(string(doc), kinds) {
		t.Errorf("the kinds are not %s", kinds)
	}
}

func TestExtremes(t *testing.T) {
	var into Record
	var room []byte
	try := func(r Record) {
		var err error
		if room, err = roundTrip(&r, &into, room); err != nil {
			t.Fatal(err)
		}
	}
	for _, time := range edges() {
		for _, other := range edges() {
			try(Record{Kind: Moved, Time: time, Deadline: other, AsOf: -other})
			try(Record{Kind: Moved, Lines: []Line{{SKU: uint32(time), Units: other, OnHand: time}}})
			if uint32(time) < uint32(other) {
				try(Record{Kind: Held, Lines: []Line{{SKU: uint32(time)}, {SKU: uint32(other)}}})
			}
		}
		try(Record{Kind: Held, SKU: uint32(time), Slot: uint32(time), To: uint32(time), Form: life.Brought, Store: uint32(time)})
		try(Record{Kind: Held, Fingerprint: uint64(time), Distance: math.Float64frombits(uint64(time))})
	}
	for _, distance := range []float64{math.Inf(1), math.Inf(-1), math.NaN(), math.Copysign(0, -1), math.SmallestNonzeroFloat64, math.MaxFloat64} {
		try(Record{Kind: Held, Distance: distance})
	}
	for _, length := range []int{1, 127, 128, 255, 16_383, 16_384, 1 << 20} {
		long := strings.Repeat("x", length)
		try(Record{Kind: Held, ID: long, Change: long, Ref: long, Name: long, Place: []byte(long)})
		lines := make([]Line, length)
		for i := range lines {
			lines[i] = Line{SKU: uint32(3 * i), Units: int64(i) - 50}
		}
		try(Record{Kind: Held, Lines: lines})
	}
	try(Record{Kind: Held, ID: "\x00\xff not UTF-8", Name: "\x00"})
	for kind := Kind(1); kind < kindEnd; kind++ {
		for cause := range causeEnd {
			try(Record{Kind: kind, Cause: cause})
		}
	}
}

// Strings and Place of a decoded record are parts of the bytes it came from,
// and its lines those it had.
func TestDecodeCopiesNothing(t *testing.T) {
	r := full()
	b := r.Append(nil)
	var into Record
	if err := into.Decode(b); err != nil {
		t.Fatal(err)
	}
	inside := func(p *byte) bool {
		at := uintptr(unsafe.Pointer(p)) - uintptr(unsafe.Pointer(&b[0]))
		return at < uintptr(len(b))
	}
	for _, text := range []string{into.ID, into.Change, into.Name, into.Order, into.Customer, into.Owner, into.Channel, into.Code, into.Ref, into.Carrier, into.Tracking} {
		if !inside(unsafe.StringData(text)) {
			t.Errorf("%q is a copy", text)
		}
	}
	if !inside(&into.Place[0]) {
		t.Error("Place is a copy")
	}
	if cap(into.Place) != len(into.Place) {
		t.Error("appending to Place would write into the record behind it")
	}
	room := b
	if got := testing.AllocsPerRun(100, func() { room = into.Append(room[:0]) }); got != 0 {
		t.Errorf("Append allocates %v times", got)
	}
	if got := testing.AllocsPerRun(100, func() { _ = into.Decode(b) }); got != 0 {
		t.Errorf("Decode allocates %v times", got)
	}
}

func TestReset(t *testing.T) {
	r := full()
	lines := &r.Lines[0]
	r.Reset()
	if field := differ(&r, &Record{}); field != "" {
		t.Errorf("%s is left", field)
	}
	if cap(r.Lines) != 3 || &r.Lines[:1][0] != lines {
		t.Error("the room of the lines is gone")
	}
}

// What Append makes of lines in another order, Decode refuses.
func TestLinesOutOfOrder(t *testing.T) {
	for _, skus := range [][]uint32{{1, 0}, {5, 5}, {0, 0}, {math.MaxUint32, math.MaxUint32}, {math.MaxUint32, 0}, {1, 3, 2}, {math.MaxUint32, 7}} {
		r := Record{Kind: Held}
		for _, sku := range skus {
			r.Lines = append(r.Lines, Line{SKU: sku, Units: 1})
		}
		var into Record
		if err := into.Decode(r.Append(nil)); !errors.Is(err, ErrRecord) {
			t.Errorf("SKUs %d: %v", skus, err)
		}
	}
}
