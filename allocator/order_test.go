package allocator

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/geo"
	"github.com/clickcollect/clickcollect/reservation"
)

// Every fault of an order has its fact and its words, and changes nothing.
func TestOrderFaults(t *testing.T) {
	a := street(t, 2, Options{MaxLines: 3, MaxIDBytes: 40})
	stocked(t, a, "L0", "tea", 10)
	tea := []Line{{"tea", 1}}
	nan, inf := math.NaN(), math.Inf(1)
	long := strings.Repeat("x", 41)
	for name, c := range map[string]struct {
		order Order
		fact  error
		text  string
	}{
		"no ID":             {Order{Lines: tea}, ErrInvalid, `allocator: order: invalid ID "": must not be empty`},
		"long ID":           {Order{ID: long, Lines: tea}, ErrInvalid, `allocator: order: invalid ID "` + long + `": is 41 bytes long, at most 40 are allowed`},
		"no lines":          {Order{ID: "o"}, ErrInvalid, `allocator: order "o": invalid Lines 0: must have at least one line`},
		"too many lines":    {Order{ID: "o", Lines: make([]Line, 4)}, ErrInvalid, `allocator: order "o": invalid Lines 4: has more lines than the 3 of Options.MaxLines`},
		"quantity 0":        {ordered("o", Line{"tea", 0}), ErrInvalid, `allocator: order "o": invalid Lines[0].Quantity 0: must be 1 or more`},
		"negative":          {ordered("o", Line{"tea", 1}, Line{"tea", -1}), ErrInvalid, `allocator: order "o": invalid Lines[1].Quantity -1: must be 1 or more`},
		"over 2^31-1":       {ordered("o", Line{"tea", tooMuch}), ErrOverflow, `allocator: order "o": 2147483648 units of SKU "tea" in Lines[0]: quantity out of range`},
		"sum over 2^31-1":   {ordered("o", Line{"tea", tooMuch - 1}, Line{"tea", 1}), ErrOverflow, `allocator: order "o": 2147483648 units of SKU "tea" over all lines: quantity out of range`},
		"int64 overflow":    {ordered("o", Line{"tea", math.MaxInt64}, Line{"tea", math.MaxInt64}), ErrOverflow, `allocator: order "o": 9223372036854775807 units of SKU "tea" in Lines[0]: quantity out of range`},
		"unknown SKU":       {ordered("o", Line{"tea", 1}, Line{"tee", 1}), ErrUnknownSKU, `allocator: order "o": unknown SKU: "tee"`},
		"no SKU":            {ordered("o", Line{"", 1}), ErrInvalid, `allocator: order "o": invalid Lines[0].SKU "": must not be empty`},
		"long SKU":          {ordered("o", Line{long, 1}), ErrInvalid, `allocator: order "o": invalid Lines[0].SKU "` + long + `": is 41 bytes long, at most 40 are allowed`},
		"unknown location":  {Order{ID: "o", At: "L7", Lines: tea}, ErrUnknownLocation, `allocator: order "o": unknown location: "L7"`},
		"latitude NaN":      {Order{ID: "o", Lines: tea, Near: geo.Point{Lat: nan}}, ErrInvalid, `allocator: order "o": invalid Near geo.Point{Lat:NaN, Lon:0}: geo: Lat NaN: not a number`},
		"longitude +Inf":    {Order{ID: "o", Lines: tea, Near: geo.Point{Lon: inf}}, ErrInvalid, `allocator: order "o": invalid Near geo.Point{Lat:0, Lon:+Inf}: geo: Lon +Inf: infinite`},
		"latitude 91":       {Order{ID: "o", Lines: tea, Near: geo.Point{Lat: 91}}, ErrInvalid, `allocator: order "o": invalid Near geo.Point{Lat:91, Lon:0}: geo: Lat 91: outside -90 to 90 degrees`},
		"longitude -180.5":  {Order{ID: "o", Lines: tea, Near: geo.Point{Lon: -180.5}}, ErrInvalid, `allocator: order "o": invalid Near geo.Point{Lat:0, Lon:-180.5}: geo: Lon -180.5: outside -180 to 180 degrees`},
		"named, lat NaN":    {Order{ID: "o", At: "L0", Lines: tea, Near: geo.Point{Lat: nan}}, ErrInvalid, `allocator: order "o": invalid Near geo.Point{Lat:NaN, Lon:0}: geo: Lat NaN: not a number`},
		"no place":          {Order{ID: "o", Lines: []Line{{"tee", 1}}}, ErrInvalid, `allocator: order "o": invalid Near geo.Point{Lat:0, Lon:0}: must be given`},
		"sent nowhere":      {Order{ID: "o", At: "L0", Lines: tea, Form: sourcing.Ship}, ErrInvalid, `allocator: order "o": invalid Near geo.Point{Lat:0, Lon:0}: must be given`},
		"distance negative": {Order{ID: "o", Near: streetPoint(0), Lines: tea, MaxDistance: -1}, ErrInvalid, `allocator: order "o": invalid MaxDistance -1: must be a finite number of meters, 0 or more`},
		"distance NaN":      {Order{ID: "o", Near: streetPoint(0), Lines: tea, MaxDistance: geo.Meters(nan)}, ErrInvalid, `allocator: order "o": invalid MaxDistance NaN: must be a finite number of meters, 0 or more`},
		"distance infinite": {Order{ID: "o", Near: streetPoint(0), Lines: tea, MaxDistance: geo.Meters(inf)}, ErrInvalid, `allocator: order "o": invalid MaxDistance +Inf: must be a finite number of meters, 0 or more`},
		"unknown kind":      {Order{ID: "o", Near: streetPoint(0), Lines: tea, Kinds: []Kind{Store, 9}}, ErrInvalid, `allocator: order "o": invalid Kinds[1] 0x9: is not a kind of location`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := a.Allocate(t.Context(), c.order)
			refused(t, err, c.fact, c.text)
			if got != (Allocation{}) {
				t.Errorf("a refusal came with %+v", got)
			}
			if c.fact == ErrInvalid {
				as[*InvalidError](t, err)
			}
		})
	}
	shelf(t, a, "L0", "tea", 10, 0, 0)
	if _, err := a.Lookup("o"); !errors.Is(err, ErrNotFound) {
		t.Errorf("a refused order is in the book: %v", err)
	}
}

// Of several faults the order of precedence decides, not their place.
func TestOrderFaultPrecedence(t *testing.T) {
	a := street(t, 2, Options{})
	stocked(t, a, "L0", "tea", 10)
	allocated(t, a, ordered("used", Line{"tea", 1}), "L0")
	for name, c := range map[string]struct {
		order Order
		fact  error
	}{
		"invalid before overflow":                  {ordered("o", Line{"tea", tooMuch}, Line{"tea", 0}), ErrInvalid},
		"invalid ID before overflow":               {ordered("", Line{"tea", tooMuch}), ErrInvalid},
		"invalid ID before unknown SKU":            {ordered("", Line{"tee", 1}), ErrInvalid},
		"invalid before unknown SKU":               {ordered("o", Line{"tee", 1}, Line{"tea", 0}), ErrInvalid},
		"overflow before unknown SKU":              {ordered("o", Line{"tee", 1}, Line{"tea", tooMuch}), ErrOverflow},
		"summed overflow before unknown SKU":       {ordered("o", Line{"tee", 1}, Line{"tea", tooMuch - 1}, Line{"tea", 1}), ErrOverflow},
		"overflow of an unknown SKU":               {ordered("o", Line{"tee", tooMuch - 1}, Line{"tee", 1}), ErrOverflow},
		"overflow before unknown location":         {Order{ID: "o", At: "L7", Lines: []Line{{"tea", tooMuch}}}, ErrOverflow},
		"unknown location before unknown SKU":      {Order{ID: "o", At: "L7", Lines: []Line{{"tee", 1}}}, ErrUnknownLocation},
		"unknown location before conflict":         {Order{ID: "used", At: "L7", Lines: []Line{{"tea", 1}}}, ErrUnknownLocation},
		"unknown SKU before conflict":              {ordered("used", Line{"tee", 1}), ErrUnknownSKU},
		"conflict before no location":              {ordered("used", Line{"tea", 99}), ErrConflict},
		"conflict before no location, named":       {Order{ID: "used", At: "L1", Lines: []Line{{"tea", 1}}}, ErrConflict},
		"conflict where the order could be filled": {ordered("used", Line{"tea", 2}), ErrConflict},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := a.Allocate(t.Context(), c.order)
			if !errors.Is(err, c.fact) {
				t.Fatalf("got %v, want %v", err, c.fact)
			}
			for _, other := range []error{ErrInvalid, ErrOverflow, ErrUnknownLocation, ErrUnknownSKU, ErrConflict, ErrNoLocation} {
				if other != c.fact && errors.Is(err, other) {
					t.Errorf("%v is also %v", err, other)
				}
			}
		})
	}
	shelf(t, a, "L0", "tea", 10, 1, 0)
}

// An ID longer than a limit below 32 bytes is refused like any other.
func TestShortIDLimit(t *testing.T) {
	a := opened(t, Options{MaxIDBytes: 4})
	_, err := a.Allocate(t.Context(), ordered("order-1", Line{"tea", 1}))
	refused(t, err, ErrInvalid, `allocator: order: invalid ID "order-1": is 7 bytes long, at most 4 are allowed`)
}

// The same order again gets the same answer; another under its ID is a conflict.
func TestOrderRepeats(t *testing.T) {
	a := street(t, 3, Options{})
	stocked(t, a, "L0", "tea", 5)
	stocked(t, a, "L0", "cup", 5)
	o := Order{ID: "o", Near: streetPoint(0), Lines: []Line{{"tea", 2}, {"cup", 1}, {"tea", 1}}, MaxDistance: 5000, Kinds: []Kind{Store, Locker}}
	first := allocated(t, a, o, "L0")
	same := o
	same.Lines = []Line{{"cup", 1}, {"tea", 3}}
	same.Kinds = []Kind{Locker, Store, Locker}
	for range 3 {
		if again := allocated(t, a, same, "L0"); again != first {
			t.Fatalf("first %+v, again %+v", first, again)
		}
	}
	shelf(t, a, "L0", "tea", 5, 3, 0)
	for name, change := range map[string]func(*Order){
		"quantity": func(o *Order) { o.Lines = []Line{{"cup", 2}, {"tea", 3}} },
		"line":     func(o *Order) { o.Lines = []Line{{"tea", 3}} },
		"point":    func(o *Order) { o.Near.Lon += 1e-9 },
		"at":       func(o *Order) { o.At = "L0" },
		"distance": func(o *Order) { o.MaxDistance = 5001 },
		"kinds":    func(o *Order) { o.Kinds = nil },
	} {
		other := o
		change(&other)
		_, err := a.Allocate(t.Context(), other)
		refused(t, err, ErrConflict, `allocator: order "o": ID already used with other content`)
		shelf(t, a, "L0", "tea", 5, 3, 0)
		_ = name
	}
	if s := a.Stats(); s.Allocated != 1 || s.Repeated != 3 || s.Held != 1 || s.Refused != 0 {
		t.Errorf("stats %+v", s)
	}
	must(t, a.Cancel(t.Context(), "o"))
	if again := allocated(t, a, o, "L0"); again != first {
		t.Fatalf("after the end: first %+v, again %+v", first, again)
	}
	shelf(t, a, "L0", "tea", 5, 0, 0)
}

// A repeat gets its answer also where the goods are gone, at the location too.
func TestRepeatWithEmptyShelf(t *testing.T) {
	a := street(t, 2, Options{})
	stocked(t, a, "L1", "tea", 1)
	near, named := ordered("near", Line{"tea", 1}), Order{ID: "named", At: "L1", Lines: []Line{{"tea", 1}}}
	first := allocated(t, a, near, "L1")
	if again := allocated(t, a, near, "L1"); again != first || again.Distance == 0 {
		t.Fatalf("first %+v, again %+v", first, again)
	}
	must(t, a.Cancel(t.Context(), "near"))
	allocated(t, a, named, "L1")
	allocated(t, a, named, "L1")
	must(t, a.Collect(t.Context(), "named"))
	allocated(t, a, named, "L1")
	shelf(t, a, "L1", "tea", 0, 0, 0)
	allocated(t, a, near, "L1")
	must(t, a.RemoveLocation(t.Context(), "L1"))
	if again := allocated(t, a, near, "L1"); again != first {
		t.Fatalf("after the location went: first %+v, again %+v", first, again)
	}
}

// A refused order is not remembered: its repeat is looked at anew.
func TestRepeatAfterRefusal(t *testing.T) {
	a := street(t, 1, Options{})
	stocked(t, a, "L0", "tea", 1)
	o := ordered("o", Line{"tea", 2})
	_, err := a.Allocate(t.Context(), o)
	refused(t, err, ErrNoLocation, `allocator: order "o": no location can fill the order: 1 short, 0 too far, 0 of another kind, 0 outside the service area; nearest: "L0" 0.0 km short of SKU "tea"`)
	stocked(t, a, "L0", "tea", 1)
	allocated(t, a, o, "L0")
}

// A small memory forgets old orders, after which their ID is free again; live
// ones are never forgotten.
func TestRememberBound(t *testing.T) {
	a := street(t, 1, Options{Remember: 4})
	stocked(t, a, "L0", "tea", 1<<20)
	allocated(t, a, ordered("live", Line{"tea", 1}), "L0")
	const n = 20_000
	for i := range n {
		o := ordered(fmt.Sprintf("o%d", i), Line{"tea", 1})
		allocated(t, a, o, "L0")
		must(t, a.Cancel(t.Context(), o.ID))
		allocated(t, a, o, "L0") // the last one is always remembered
	}
	s := a.Stats()
	if s.Held != 1 || s.Remembered > 256*5+256*5 || s.Allocated != n+1 || s.Repeated != n {
		t.Errorf("stats %+v", s)
	}
	state(t, a, "live", Held)
	if _, err := a.Lookup("o0"); !errors.Is(err, ErrNotFound) {
		t.Errorf("the oldest order is still there: %v", err)
	}
	refused(t, a.Cancel(t.Context(), "o0"), ErrNotFound, `allocator: cancel "o0": reservation: reservation not found`)
	allocated(t, a, ordered("o0", Line{"tea", 7}), "L0")
}

// As many lines as a wholesale basket has are reserved as a whole.
func TestOrderOf1114Lines(t *testing.T) {
	const n = 1114
	a := street(t, 3, Options{})
	lines := make([]Line, n)
	for i := range lines {
		lines[i] = Line{fmt.Sprintf("sku-%04d", (i*7)%n), int64(i%5 + 1)}
	}
	must(t, a.Receive(t.Context(),
		Receipt{ID: "near, but for one", Location: "L0", Lines: lines[1:]},
		Receipt{ID: "all", Location: "L2", Lines: lines}))
	o := ordered("o", lines...)
	allocated(t, a, o, "L2")
	allocated(t, a, o, "L2")
	_, err := a.Allocate(t.Context(), ordered("second", lines...))
	e := as[*NoLocationError](t, err)
	if e.Counts() != (ReasonCounts{Short: 3}) || len(e.Candidates()) != 3 || e.Candidates()[0].SKU != lines[0].SKU {
		t.Errorf("refusal %+v", e)
	}
	r := state(t, a, "o", Held)
	if len(r.Lines) != n {
		t.Fatalf("%d lines", len(r.Lines))
	}
	sum := int64(0)
	for _, line := range r.Lines {
		sum += line.Held
		shelf(t, a, "L2", line.SKU, line.Quantity, line.Quantity, 0)
	}
	must(t, a.Cancel(t.Context(), "o"))
	for i, line := range state(t, a, "o", Canceled).Lines {
		shelf(t, a, "L2", line.SKU, line.Quantity, 0, 0)
		sum -= line.Canceled
		if line.Held != 0 || i > 0 && line.Quantity == 0 {
			t.Fatalf("line %+v", line)
		}
	}
	if sum != 0 {
		t.Errorf("%d units held and not canceled", sum)
	}
}

func TestMaxDistanceInclusive(t *testing.T) {
	a := street(t, 2, Options{MaxDistance: 100})
	stocked(t, a, "L1", "tea", 9)
	d := geo.Distance(streetPoint(0), streetPoint(1))
	o := ordered("o", Line{"tea", 1})
	_, err := a.Allocate(t.Context(), o)
	refused(t, err, ErrNoLocation, `allocator: order "o": no location can fill the order: 1 short, 1 too far, 0 of another kind, 0 outside the service area; nearest: "L0" 0.0 km short of SKU "tea", "L1" 1.1 km too far`)
	o.MaxDistance = geo.Meters(math.Nextafter(float64(d), 0))
	_, err = a.Allocate(t.Context(), o)
	if e := as[*NoLocationError](t, err); e.Counts() != (ReasonCounts{Short: 1, TooFar: 1}) {
		t.Errorf("refusal %+v", e)
	}
	o.At = "L1"
	_, err = a.Allocate(t.Context(), o)
	if e := as[*NoLocationError](t, err); e.Counts() != (ReasonCounts{TooFar: 1}) || len(e.Candidates()) != 1 {
		t.Errorf("refusal %+v", e)
	}
	o.MaxDistance = d
	if got := allocated(t, a, o, "L1"); got.Distance != d {
		t.Errorf("distance %v, want %v", got.Distance, d)
	}
	if got := allocated(t, a, Order{ID: "near", Near: streetPoint(0), Lines: o.Lines, MaxDistance: d}, "L1"); got.Distance != d {
		t.Errorf("distance %v, want %v", got.Distance, d)
	}
	if got := allocated(t, a, Order{ID: "no point", At: "L1", Lines: o.Lines}, "L1"); got.Distance != 0 {
		t.Errorf("distance %v without a point", got.Distance)
	}
}

func TestOptionsFaultsAllAtOnce(t *testing.T) {
	_, err := Open(t.Context(), Options{MaxIDBytes: -1, MaxLines: 1 << 30, MaxLocations: -5, MaxSKUs: maxSKUs + 1, Remember: -2, MaxDistance: geo.Meters(math.Inf(-1))})
	refused(t, err, ErrInvalid, strings.Join([]string{
		`allocator: open: invalid Options.MaxIDBytes -1: must be 0 to 65535`,
		`invalid Options.MaxLines 1073741824: must be 0 to 1048576`,
		`invalid Options.MaxLocations -5: must be 0 to 16777216`,
		`invalid Options.MaxSKUs 268435457: must be 0 to 268435456`,
		`invalid Options.Remember -2: must be 0 to 1073741824`,
		`invalid Options.MaxDistance -Inf: must be a finite number of meters, 0 or more`,
	}, "\n"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = Open(ctx, Options{})
	refused(t, err, context.Canceled, "allocator: open: context canceled")
}

// The largest quantity goes all the way: in, held, back, out.
func TestWideQuantities(t *testing.T) {
	a := street(t, 2, Options{})
	const most = reservation.MaxQuantity
	stocked(t, a, "L0", "rice", most)
	shelf(t, a, "L0", "rice", most, 0, 0)
	err := a.Receive(t.Context(), Receipt{ID: "one more", Location: "L0", Lines: []Line{{"tea", 1}, {"rice", 1}}})
	refused(t, err, ErrOverflow, `allocator: reservation: received "one more" at "L0": SKU "rice": 2147483647 on hand and 1 more: quantity out of range`)
	if _, err := a.Available("tea", "L0"); !errors.Is(err, ErrUnknownSKU) {
		t.Errorf("the refused receipt left a trace: %v", err)
	}
	allocated(t, a, ordered("o", Line{"rice", most}), "L0")
	shelf(t, a, "L0", "rice", most, most, 0)
	_, err = a.Allocate(t.Context(), ordered("p", Line{"rice", 1}))
	as[*NoLocationError](t, err)
	must(t, a.Cancel(t.Context(), "o", Line{"rice", most - 1}), a.Cancel(t.Context(), "o", Line{"rice", 1}))
	shelf(t, a, "L0", "rice", most, 0, 0)
	allocated(t, a, ordered("q", Line{"rice", most - 1}, Line{"rice", 1}), "L0")
	must(t, a.Collect(t.Context(), "q"))
	shelf(t, a, "L0", "rice", 0, 0, 0)
	must(t, a.Receive(t.Context(), Receipt{ID: "one more", Location: "L0", Lines: []Line{{"tea", 1}, {"rice", 1}}}))
	shelf(t, a, "L0", "rice", 1, 0, 0)
}
