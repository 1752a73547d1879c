package allocator

import (
	"testing"

	"github.com/clickcollect/clickcollect/allocator/sourcing"
)

// TestRerouteMovesTheRoom: what a rejected part took of its location's capacity is
// free again, the new location's is taken, and the customer keeps his place.
func TestRerouteMovesTheRoom(t *testing.T) {
	a, _ := slotted(t, 3, 2, Options{})
	must(t, a.SetCapacity(t.Context(), Capacity{Location: "L1", Orders: 2}, Capacity{Location: "L2", Orders: 2}))
	must(t, a.Count(t.Context(), Count{ID: "c", Location: "L0", Lines: []Line{{"tea", 0}}}))
	o := windowed("o", 10, Line{"tea", 2})
	o.Form, o.At = sourcing.ShipToStore, "L0"
	if got := mustGet(a.Allocate(t.Context(), o)); said(got) != "o@L1 2 tea" {
		t.Fatal(said(got))
	}
	left := func(location string) int64 {
		n, _ := a.capacityLeft(&sourcing.Site{ID: location}, morning(), 1)
		return n
	}
	if l1, l2 := left("L1"), left("L2"); l1 != 1 || l2 != 2 {
		t.Fatalf("room for %d and %d", l1, l2)
	}
	must(t, a.Confirm(t.Context(), "o"))
	if _, err := a.Part("o", 1).Reject(t.Context()); err != nil {
		t.Fatal(err)
	}
	if l1, l2 := left("L1"), left("L2"); l1 != 2 || l2 != 1 {
		t.Fatalf("room for %d and %d after the reroute", l1, l2)
	}
	calendared(t, a, "", "L0 10:00 1/2 free 1; L1 10:00 0/2 free 2; L2 10:00 0/2 free 2")
	must(t, a.Cancel(t.Context(), "o"))
	if l2 := left("L2"); l2 != 2 {
		t.Fatalf("room for %d after the end", l2)
	}
	calendared(t, a, "L0", "L0 10:00 0/2 free 2")
	report := mustGet(a.Audit(t.Context()))
	if len(report.Differences) > 0 {
		t.Fatalf("audit: %+v", report.Differences)
	}
}
