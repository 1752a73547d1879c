package topology

import (
	"bytes"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/geo"
	"github.com/clickcollect/clickcollect/reservation"
)

// A place is read back as it was written, and what was never written is refused.
func TestPlaces(t *testing.T) {
	area, err := geo.NewArea([]geo.Point{{Lat: -10, Lon: 170}, {Lat: -10, Lon: -170}, {Lat: 10, Lon: -170}, {Lat: 10, Lon: 170}},
		[]geo.Point{{Lat: -1, Lon: 179}, {Lat: -1, Lon: -179}, {Lat: 1, Lon: 180}})
	must(t, err)
	for _, l := range []Place{{ID: "a"}, {ID: "b", Kind: Locker, Point: geo.Point{Lat: -90, Lon: 180}, NoReturns: true},
		{ID: "c", Kind: Warehouse, Point: geo.Point{Lat: 1.5, Lon: -0.25}, Area: area}} {
		b := appendPlace(nil, &l)
		got, err := takePlace(l.ID, b)
		must(t, err)
		if again := appendPlace(nil, &got); !bytes.Equal(again, b) || got.ID != l.ID || got.NoReturns != l.NoReturns {
			t.Errorf("%+v was read back as %+v", l, got)
		}
		for i := range b {
			if _, err := takePlace(l.ID, b[:i]); !errors.Is(err, reservation.ErrCorrupt) {
				t.Errorf("%d of %d bytes: %v", i, len(b), err)
			}
		}
		if _, err := takePlace(l.ID, append(b, 0)); !errors.Is(err, reservation.ErrCorrupt) {
			t.Errorf("a byte too many: %v", err)
		}
		b[0]++
		if _, err := takePlace(l.ID, b); !errors.Is(err, reservation.ErrNewer) {
			t.Errorf("a later version: %v", err)
		}
	}
}

// What former versions have written is read, and what is written now does not change: the
// owner of the goods is among the terms, and left out for the chain.
func TestPlaceBytes(t *testing.T) {
	at := geo.Point{Lat: 1.5, Lon: -0.25}
	head := "\x01\x00\x04\x00\x00\x00\x00\x00\x00\xf8\x3f\x00\x00\x00\x00\x00\x00\xd0\xbf"
	for _, is := range []struct {
		bytes string
		terms Terms
	}{
		{head + "\x02{}", Terms{}},
		{head + "\x10{\"groups\":[\"a\"]}", Terms{Groups: []string{"a"}}}, // before there were owners
		{head + "\x24{\"groups\":[\"a\"],\"owner\":\"Mrs Nowak\"}", Terms{Groups: []string{"a"}, Owner: "Mrs Nowak"}},
	} {
		got, err := takePlace("a", []byte(is.bytes))
		must(t, err)
		if got.Point != at || !reflect.DeepEqual(*got.Terms, is.terms) {
			t.Errorf("%q is read as %+v of %+v", is.bytes, got.Terms, got)
		}
		if b := appendPlace(nil, &Place{ID: "a", Point: at, Terms: &is.terms}); string(b) != is.bytes {
			t.Errorf("%+v is written as %q, want %q", is.terms, b, is.bytes)
		}
	}
}

// Reading a place never panics, and what it accepts is written the same way.
func FuzzPlace(f *testing.F) {
	f.Add(appendPlace(nil, &Place{Point: geo.Point{Lat: 1, Lon: 2}, NoReturns: true}))
	area, err := geo.NewArea([]geo.Point{{Lat: 1, Lon: 1}, {Lat: 1, Lon: 2}, {Lat: 2, Lon: 2}})
	must(f, err)
	f.Add(appendPlace(nil, &Place{Area: area}))
	f.Add(appendPlace(nil, &Place{Terms: &Terms{Hours: "Mo-Fr 09:00-17:00", Zone: "Europe/Warsaw", Groups: []string{"a"},
		Forms: []sourcing.Form{sourcing.Ship}, Prep: time.Hour, Priority: -1}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		l, err := takePlace("l", b)
		if err != nil {
			return
		}
		first := appendPlace(nil, &l)
		again, err := takePlace("l", first)
		must(t, err)
		if !bytes.Equal(first, appendPlace(nil, &again)) {
			t.Errorf("%x was read and written as %x", b, first)
		}
	})
}
