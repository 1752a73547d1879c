package history

import (
	"encoding/binary"
	"math"
	"testing"

	"github.com/clickcollect/clickcollect/reservation/life"
)

// place0 is the first byte of a place, 0 without one.
func place0(place []byte) byte { return append(place[:len(place):len(place)], 0)[0] }

// FuzzDecode: no bytes make Decode panic or take memory they do not bear out,
// and what it accepts is the only spelling.
func FuzzDecode(f *testing.F) {
	for _, r := range samples() {
		f.Add(r.Append(nil))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var r, used Record
		var room []byte
		ok := r.accepts(t, b, &room)
		if cap(r.Lines) > len(b)/2 {
			t.Fatalf("room for %d lines out of %d bytes", cap(r.Lines), len(b))
		}
		used = full()
		if used.accepts(t, b, &room) != ok {
			t.Fatal("a used record reads otherwise than a new one")
		}
		if field := differ(&r, &used); field != "" {
			t.Fatalf("a used record reads another %s", field)
		}
	})
}

// FuzzRecord: every record comes back as it was.
func FuzzRecord(f *testing.F) {
	f.Add(byte(Held), byte(0), uint32(7), uint32(8), uint32(9), int64(1), int64(2), int64(3), uint64(4), 5.5,
		"id", "change", "name", "order", "customer", "ref", []byte{1}, make([]byte, 40), []byte(nil))
	f.Add(byte(Collected), byte(0), uint32(7), uint32(8), uint32(9), int64(1), int64(2), int64(3), uint64(4), 5.5,
		"id", "change", "name", "order", "customer", "ref", []byte{1}, make([]byte, 60), []byte{2, 3, 0, 1, 9, 1, 4, 0, 0, 200, 7, 2})
	f.Add(byte(Moved), byte(Lost), uint32(math.MaxUint32), uint32(0), uint32(0), int64(-1), int64(math.MinInt64), int64(math.MaxInt64),
		uint64(0), math.Inf(-1), "", "", "", "", "", "", []byte(nil), []byte(nil), []byte{0, 0, 254, 255, 9})
	var into Record
	var room []byte
	f.Fuzz(func(t *testing.T, kind, cause byte, slot, to, sku uint32, time, deadline, asOf int64, print uint64, distance float64,
		id, change, name, order, customer, ref string, place, lines, parts []byte) {
		r := Record{
			Kind: 1 + Kind(kind)%(kindEnd-1), Cause: Cause(cause) % causeEnd, Slot: slot, To: to, SKU: sku,
			Time: time, Deadline: deadline, AsOf: asOf, Fingerprint: print, Distance: distance,
			ID: id, Change: change, Name: name, Order: order, Customer: customer,
			Promise: deadline ^ asOf, Owner: customer + order, Channel: name, Code: change + id, Ref: ref, Place: place,
		}
		if r.Form = life.Form(place0(place)) % 4; r.Form == life.Brought {
			r.Store = to ^ slot
		}
		if place0(place)&4 != 0 {
			r.Carrier, r.Tracking = ref, order
		}
		if n := life.OrderState(place0(place)) >> 3; n.Valid() {
			r.State = n
		}
		shares(&r, parts, len(lines)/20)
		share, ends, next := 0, 0, uint64(0)
		for ; len(lines) >= 20; lines = lines[20:] {
			for ; len(r.Lines) == ends && share < len(r.Shares); share++ {
				next, ends = 0, ends+r.Shares[share].Lines
			}
			next += uint64(binary.LittleEndian.Uint32(lines))
			if next > math.MaxUint32 {
				break
			}
			r.Lines = append(r.Lines, Line{
				SKU:    uint32(next),
				Units:  int64(binary.LittleEndian.Uint64(lines[4:])),
				OnHand: int64(binary.LittleEndian.Uint64(lines[12:])),
			})
			next++
		}
		fewer(r.Shares, len(r.Lines))
		var err error
		if room, err = roundTrip(&r, &into, room); err != nil {
			t.Fatal(err)
		}
	})
}

// shares gives a record the parts that bytes say: its own and the other one, then of each
// share the step to its number, its location and how many lines it has; the last one has
// what is left of them.
func shares(r *Record, parts []byte, lines int) {
	if len(parts) >= 2 {
		r.Part, r.Other, parts = parts[0], parts[1], parts[2:]
	}
	for part := 0; len(parts) >= 3 && part+1+int(parts[0]) <= math.MaxUint8; parts = parts[3:] {
		part += 1 + int(parts[0])
		own := min(int(parts[2]), lines)
		lines -= own
		r.Shares = append(r.Shares, Share{Part: uint8(part), Slot: uint32(parts[1]) * 0x1000001, Lines: own})
	}
	if n := len(r.Shares); n > 0 {
		r.Shares[n-1].Lines += lines
	}
}

// fewer leaves shares no more lines than there are.
func fewer(shares []Share, lines int) {
	for i := range shares {
		shares[i].Lines = min(shares[i].Lines, lines)
		lines -= shares[i].Lines
	}
}
