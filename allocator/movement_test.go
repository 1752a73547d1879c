package allocator

import (
	"errors"
	"math"
	"testing"

	"github.com/clickcollect/clickcollect/reservation"
)

// book calls one of the four kinds of movement.
func book(t *testing.T, a *Allocator, kind, id, location string, lines ...Line) error {
	t.Helper()
	switch g := (Receipt{ID: id, Location: location, Lines: lines}); kind {
	case "receipt":
		return a.Receive(t.Context(), g)
	case "count":
		return a.Count(t.Context(), Count{ID: id, Location: location, Lines: lines})
	case "till sale":
		return a.Sell(t.Context(), Sale(g))
	default:
		return a.Adjust(t.Context(), Adjustment(g))
	}
}

func TestMovementFaults(t *testing.T) {
	a := street(t, 2, Options{MaxLines: 2, MaxBatch: 3, MaxSKUs: 2})
	stocked(t, a, "L0", "tea", 10)
	stocked(t, a, "L0", "cup", 1)
	for name, c := range map[string]struct {
		kind, id, location string
		lines              []Line
		fact               error
		text               string
	}{
		"no ID":            {"receipt", "", "L0", []Line{{"tea", 1}}, ErrInvalid, `allocator: received "": invalid ID "": must not be empty`},
		"no lines":         {"receipt", "m", "L0", nil, ErrInvalid, `allocator: received "m": invalid Lines 0: must have at least one line`},
		"too many":         {"count", "m", "L0", make([]Line, 4), ErrInvalid, `allocator: counted "m": invalid Lines 4: has more lines than the 3 that a movement may have by Options.MaxBatch`},
		"location":         {"receipt", "m", "L7", []Line{{"tea", 1}}, ErrUnknownLocation, `allocator: received "m": unknown location: "L7"`},
		"invalid first":    {"receipt", "m", "L7", []Line{{"tea", 0}}, ErrInvalid, `allocator: received "m": invalid Lines[0].Quantity 0: must be 1 or more`},
		"no SKU":           {"receipt", "m", "L0", []Line{{"", 1}}, ErrInvalid, `allocator: received "m": invalid Lines[0].SKU "": must not be empty`},
		"received 0":       {"receipt", "m", "L0", []Line{{"tea", 1}, {"tea", 0}}, ErrInvalid, `allocator: received "m": invalid Lines[1].Quantity 0: must be 1 or more`},
		"received -1":      {"receipt", "m", "L0", []Line{{"tea", -1}}, ErrInvalid, `allocator: received "m": invalid Lines[0].Quantity -1: must be 1 or more`},
		"counted -1":       {"count", "m", "L0", []Line{{"tea", -1}}, ErrInvalid, `allocator: counted "m": invalid Lines[0].Quantity -1: must be 0 or more`},
		"counted twice":    {"count", "m", "L0", []Line{{"tea", 1}, {"cup", 1}, {"tea", 1}}, ErrInvalid, `allocator: counted "m": invalid Lines[2].SKU "tea": is counted twice`},
		"sold 0":           {"till sale", "m", "L0", []Line{{"tea", 0}}, ErrInvalid, `allocator: sold "m": invalid Lines[0].Quantity 0: must be 1 or more`},
		"adjusted by 0":    {"adjustment", "m", "L0", []Line{{"tea", 0}}, ErrInvalid, `allocator: adjusted "m": invalid Lines[0].Quantity 0: must not be 0`},
		"over 2^31-1":      {"receipt", "m", "L0", []Line{{"tea", tooMuch}}, ErrOverflow, `allocator: received "m": 2147483648 units of SKU "tea" in Lines[0]: quantity out of range`},
		"sum over 2^31-1":  {"receipt", "m", "L1", []Line{{"tea", tooMuch - 1}, {"tea", 1}}, ErrOverflow, `allocator: received "m": 1 units of SKU "tea" in Lines[1]: quantity out of range`},
		"int64 overflow":   {"receipt", "m", "L1", []Line{{"tea", math.MaxInt64}, {"tea", math.MaxInt64}}, ErrOverflow, `allocator: received "m": 9223372036854775807 units of SKU "tea" in Lines[0]: quantity out of range`},
		"int64 underflow":  {"adjustment", "m", "L1", []Line{{"tea", math.MinInt64}}, ErrOverflow, `allocator: adjusted "m": -9223372036854775808 units of SKU "tea" in Lines[0]: quantity out of range`},
		"on hand overflow": {"receipt", "m", "L0", []Line{{"cup", 1}, {"tea", tooMuch - 1}}, ErrOverflow, `allocator: reservation: received "m" at "L0": SKU "tea": 10 on hand and 2147483647 more: quantity out of range`},
		"adjust overflow":  {"adjustment", "m", "L0", []Line{{"tea", tooMuch - 10}}, ErrOverflow, `allocator: reservation: adjusted "m" at "L0": SKU "tea": 10 on hand and 2147483638 more: quantity out of range`},
		"sold too many":    {"till sale", "m", "L0", []Line{{"cup", 1}, {"tea", 6}, {"tea", 5}}, ErrShortage, `allocator: reservation: sold "m" at "L0": not enough units of SKU "tea" at "L0": wanted 11, there are 10`},
		"sold elsewhere":   {"till sale", "m", "L1", []Line{{"tea", 1}}, ErrShortage, `allocator: reservation: sold "m" at "L1": not enough units of SKU "tea" at "L1": wanted 1, there are 0`},
		"adjusted below 0": {"adjustment", "m", "L0", []Line{{"cup", 1}, {"tea", -11}}, ErrShortage, `allocator: reservation: adjusted "m" at "L0": not enough units of SKU "tea" at "L0": wanted 11, there are 10`},
		"sold unknown":     {"till sale", "m", "L0", []Line{{"tee", 1}}, ErrUnknownSKU, `allocator: reservation: sold "m" at "L0": unknown SKU: "tee"`},
		"adjusted unknown": {"adjustment", "m", "L0", []Line{{"tee", -1}}, ErrUnknownSKU, `allocator: reservation: adjusted "m" at "L0": unknown SKU: "tee"`},
		"full":             {"receipt", "m", "L0", []Line{{"tee", 1}}, ErrFull, `allocator: reservation: received "m" at "L0": adding SKU "tee": limit reached`},
	} {
		t.Run(name, func(t *testing.T) {
			refused(t, book(t, a, c.kind, c.id, c.location, c.lines...), c.fact, c.text)
			shelf(t, a, "L0", "tea", 10, 0, 0)
			shelf(t, a, "L0", "cup", 1, 0, 0)
			shelf(t, a, "L1", "tea", 0, 0, 0)
		})
	}
	must(t, book(t, a, "receipt", "m", "L0", Line{"tea", 1}))
}

// One ID is one movement, of whatever kind; orders have IDs of their own.
func TestMovementRepeats(t *testing.T) {
	lines := []Line{{"tea", 3}, {"cup", 2}, {"tea", 1}}
	same := []Line{{"cup", 2}, {"tea", 4}}
	all := []string{"receipt", "count", "till sale", "adjustment"}
	for _, kind := range all {
		t.Run(kind, func(t *testing.T) {
			a := street(t, 2, Options{})
			for _, at := range []string{"L0", "L1"} {
				stocked(t, a, at, "tea", 50)
				stocked(t, a, at, "cup", 50)
			}
			first := lines
			if kind == "count" {
				first = same
			}
			must(t, book(t, a, kind, "m", "L0", first...))
			want, err := a.Available("tea", "L0")
			must(t, err)
			if want.OnHand == 50 {
				t.Fatal("the movement did nothing")
			}
			must(t, book(t, a, kind, "m", "L0", same...), book(t, a, kind, "m", "L0", first...))
			said := map[string]string{"receipt": "received", "count": "counted", "till sale": "sold", "adjustment": "adjusted"}[kind]
			conflict := `allocator: reservation: ` + said + ` "m" at "L0": ID already used with other content`
			refused(t, book(t, a, kind, "m", "L0", Line{"tea", 4}), ErrConflict, conflict)
			refused(t, book(t, a, kind, "m", "L0", Line{"tea", 5}, Line{"cup", 2}), ErrConflict, conflict)
			refused(t, book(t, a, kind, "m", "L1", same...), ErrConflict, `allocator: reservation: `+said+` "m" at "L1": ID already used with other content`)
			for _, other := range all {
				if err := book(t, a, other, "m", "L0", same...); other != kind && !errors.Is(err, ErrConflict) {
					t.Errorf("%s as %s: %v", kind, other, err)
				}
			}
			shelf(t, a, "L0", "tea", want.OnHand, 0, 0)
			shelf(t, a, "L1", "tea", 50, 0, 0)
			allocated(t, a, ordered("m", same...), "L0")
		})
	}
}

// A refused movement is not remembered either.
func TestMovementAfterRefusal(t *testing.T) {
	a := street(t, 1, Options{})
	stocked(t, a, "L0", "tea", 1)
	as[*ShortageError](t, book(t, a, "till sale", "m", "L0", Line{"tea", 2}))
	stocked(t, a, "L0", "tea", 1)
	must(t, book(t, a, "till sale", "m", "L0", Line{"tea", 2}), book(t, a, "till sale", "m", "L0", Line{"tea", 2}))
	shelf(t, a, "L0", "tea", 0, 0, 0)
}

// In a list that is refused in the middle what came before stands, and the list
// can be sent again as a whole.
func TestBulkReceiveRefusedInTheMiddle(t *testing.T) {
	a := street(t, 2, Options{})
	stocked(t, a, "L1", "tea", reservation.MaxQuantity)
	list := []Receipt{{ID: "r0", Location: "L0", Lines: []Line{{"tea", 1}}}, {ID: "r1", Location: "L1", Lines: []Line{{"tea", 1}}}, {ID: "r2", Location: "L0", Lines: []Line{{"tea", 2}}}}
	for range 2 {
		refused(t, a.Receive(t.Context(), list...), ErrOverflow, `allocator: reservation: received "r1" at "L1": SKU "tea": 2147483647 on hand and 1 more: quantity out of range`)
		shelf(t, a, "L0", "tea", 1, 0, 0)
	}
	must(t, book(t, a, "till sale", "s", "L1", Line{"tea", 1}), a.Receive(t.Context(), list...))
	shelf(t, a, "L0", "tea", 3, 0, 0)
	must(t, a.Receive(t.Context(), list...), a.Receive(t.Context()))
	shelf(t, a, "L0", "tea", 3, 0, 0)
	refused(t, a.Receive(t.Context(), Receipt{ID: "r3", Location: "L0", Lines: []Line{{"tea", 1}}}, Receipt{ID: "r4", Location: "L9", Lines: []Line{{"tea", 1}}}), ErrUnknownLocation,
		`allocator: received "r4": unknown location: "L9"`)
	shelf(t, a, "L0", "tea", 3, 0, 0)
}

// Till sales and counts may take what is held; the reservation then waits for
// goods and is collected when they come.
func TestShelfTakenAway(t *testing.T) {
	a := street(t, 2, Options{})
	stocked(t, a, "L0", "tea", 5)
	stocked(t, a, "L0", "cup", 5)
	allocated(t, a, ordered("o", Line{"tea", 4}, Line{"cup", 1}), "L0")
	must(t, book(t, a, "till sale", "s", "L0", Line{"tea", 3}))
	shelf(t, a, "L0", "tea", 2, 4, 0)
	must(t, book(t, a, "count", "c", "L0", Line{"tea", 1}))
	shelf(t, a, "L0", "tea", 1, 4, 0)
	err := a.Collect(t.Context(), "o")
	refused(t, err, ErrShortage, `allocator: collect "o": reservation: not enough units of SKU "tea" at "L0": wanted 4, there are 1`)
	if e := as[*ShortageError](t, err); *e != (ShortageError{SKU: "tea", Location: "L0", Wanted: 4, Available: 1}) {
		t.Errorf("got %+v", e)
	}
	shelf(t, a, "L0", "cup", 5, 1, 0)
	as[*NoLocationError](t, second(a.Allocate(t.Context(), ordered("p", Line{"tea", 1}))))
	must(t, a.Collect(t.Context(), "o", Line{"tea", 1}))
	shelf(t, a, "L0", "tea", 0, 3, 0)
	stocked(t, a, "L0", "tea", 3)
	as[*NoLocationError](t, second(a.Allocate(t.Context(), ordered("p", Line{"tea", 1}))))
	must(t, a.Collect(t.Context(), "o"))
	shelf(t, a, "L0", "tea", 0, 0, 0)
	shelf(t, a, "L0", "cup", 4, 0, 0)
	state(t, a, "o", Collected)
}

func second[T any](_ T, err error) error { return err }

// Counting sets the units on hand; what is held stays held.
func TestCountAndAdjust(t *testing.T) {
	a := street(t, 1, Options{})
	must(t, book(t, a, "count", "c0", "L0", Line{"tea", 7}, Line{"new", 0}))
	shelf(t, a, "L0", "tea", 7, 0, 0)
	shelf(t, a, "L0", "new", 0, 0, 0)
	allocated(t, a, ordered("o", Line{"tea", 5}), "L0")
	must(t, book(t, a, "count", "c1", "L0", Line{"tea", 9}))
	shelf(t, a, "L0", "tea", 9, 5, 0)
	must(t, book(t, a, "adjustment", "a0", "L0", Line{"tea", -9}, Line{"new", 4}))
	shelf(t, a, "L0", "tea", 0, 5, 0)
	shelf(t, a, "L0", "new", 4, 0, 0)
	must(t, book(t, a, "adjustment", "a1", "L0", Line{"tea", 6}, Line{"tea", -1}, Line{"fresh", 1}))
	shelf(t, a, "L0", "tea", 5, 5, 0)
	shelf(t, a, "L0", "fresh", 1, 0, 0)
	must(t, a.Cancel(t.Context(), "o"), book(t, a, "count", "c2", "L0", Line{"tea", reservation.MaxQuantity}))
	shelf(t, a, "L0", "tea", reservation.MaxQuantity, 0, 0)
}

// Of several faults of a movement the order of precedence decides, not their line.
func TestMovementFaultPrecedence(t *testing.T) {
	a := street(t, 1, Options{})
	stocked(t, a, "L0", "tea", 1)
	must(t, book(t, a, "till sale", "used", "L0", Line{"tea", 1}))
	short, over, unknown := Line{"tea", -2}, Line{"tea2", reservation.MaxQuantity}, Line{"tee", -1}
	stocked(t, a, "L0", "tea2", 1)
	for _, c := range []struct {
		id    string
		lines []Line
		fact  error
	}{
		{"m", []Line{over, short, unknown}, ErrUnknownSKU},
		{"m", []Line{over, short}, ErrShortage},
		{"m", []Line{over}, ErrOverflow},
		{"used", []Line{over, short, unknown}, ErrConflict},
	} {
		if err := book(t, a, "adjustment", c.id, "L0", c.lines...); !errors.Is(err, c.fact) {
			t.Errorf("%v: got %v, want %v", c.lines, err, c.fact)
		}
	}
}
