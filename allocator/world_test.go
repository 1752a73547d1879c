package allocator

import (
	"errors"
	"fmt"
	"testing"

	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/geo"
	"github.com/clickcollect/clickcollect/reservation"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// opened is an empty engine that the test closes at its end.
func opened(t testing.TB, o Options) *Allocator {
	t.Helper()
	a, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { must(t, a.Close()) })
	return a
}

// street opens an engine with n stores on one meridian, "L0" at 50° north and
// each next one a hundredth of a degree, some 1.1 km, farther north.
func street(t testing.TB, n int, o Options) *Allocator {
	t.Helper()
	a := opened(t, o)
	all := make([]Location, n)
	for i := range all {
		all[i] = Location{ID: fmt.Sprintf("L%d", i), Point: streetPoint(i)}
	}
	must(t, a.SetLocations(t.Context(), all...))
	return a
}

func streetPoint(i int) geo.Point { return geo.Point{Lat: 50 + float64(i)/100, Lon: 20} }

// stocked books units of a SKU in at a location.
func stocked(t testing.TB, a *Allocator, location, sku string, units int64) {
	t.Helper()
	id := fmt.Sprintf("stock/%s/%s/%d", location, sku, a.Stats().Remembered)
	must(t, a.Receive(t.Context(), Receipt{ID: id, Location: location, Lines: []Line{{sku, units}}}))
}

// ordered is an order from the start of the street.
func ordered(id string, lines ...Line) Order {
	return Order{ID: id, Near: streetPoint(0), Lines: lines}
}

func must(t testing.TB, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// refused checks a refusal: which fact it is, and its exact words.
func refused(t testing.TB, err, fact error, text string) {
	t.Helper()
	switch {
	case err == nil:
		t.Fatalf("no error, want %q", text)
	case !errors.Is(err, fact):
		t.Fatalf("error %q is not %q", err, fact)
	case err.Error() != text:
		t.Fatalf("error text\n got %s\nwant %s", err, text)
	}
}

// as returns the typed error in a chain.
func as[E error](t testing.TB, err error) (typed E) {
	t.Helper()
	if !errors.As(err, &typed) {
		t.Fatalf("error %v (%T) has no %T in it", err, err, typed)
	}
	return typed
}

// shelf checks the units of a SKU at a location.
func shelf(t testing.TB, a *Allocator, location, sku string, onHand, held, safety int64) {
	t.Helper()
	got, err := a.Available(sku, location)
	must(t, err)
	want := Availability{OnHand: onHand, Held: held, Safety: safety, Available: onHand - held - safety}
	if got != want {
		t.Fatalf("%s at %s: got %+v, want %+v", sku, location, got, want)
	}
}

// allocated makes an order that must succeed at a location.
func allocated(t testing.TB, a *Allocator, o Order, location string) Allocation {
	t.Helper()
	got, err := a.Allocate(t.Context(), o)
	must(t, err)
	if got.ID != o.ID || got.Location != location {
		t.Fatalf("got %+v, want it at %q", got, location)
	}
	return got
}

// state checks the state of a reservation.
func state(t testing.TB, a *Allocator, id string, want State) Reservation {
	t.Helper()
	r, err := a.Lookup(id)
	must(t, err)
	if r.State != want {
		t.Fatalf("%s is %v, want %v", id, r.State, want)
	}
	return r
}

// tooMuch is one more than the largest quantity.
const tooMuch = reservation.MaxQuantity + 1

// plannedAll has all orders planned, also those that the hot path could serve.
func plannedAll(t testing.TB, a *Allocator) {
	t.Helper()
	must(t, a.SetRules(sourcing.Rules{Keys: sourcing.Keys(sourcing.ByDistance)}))
}
