package allocator

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
)

// Tests write the n-th part of order X as X/n, and an order as its ID: a notation of
// theirs, for orders whose IDs have no slash.

// byName is what a test names.
func byName(a *Allocator, name string) Part {
	order, number, _ := strings.Cut(name, "/")
	n, _ := strconv.Atoi(number)
	return a.Part(order, n)
}

// nameOf is how a test names an order, or its part of a number above 0.
func nameOf(order string, number int) string {
	if number == 0 {
		return order
	}
	return fmt.Sprintf("%s/%d", order, number)
}

// partState looks up what a test names, which must be in that state.
func partState(t testing.TB, a *Allocator, name string, want State) Reservation {
	t.Helper()
	r, err := byName(a, name).Lookup()
	must(t, err)
	if r.State != want {
		t.Fatalf("%s is %v, want %v", name, r.State, want)
	}
	return r
}
