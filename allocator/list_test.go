package allocator

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"
)

// A pick list comes in promise order, page by page, each reservation once.
func TestPickList(t *testing.T) {
	var clock handClock
	a := street(t, 2, Options{Clock: clock.now, ManualExpiry: true})
	ctx := t.Context()
	stocked(t, a, "L0", "tea", 100)
	stocked(t, a, "L1", "tea", 100)
	place := func(id, at string, promise time.Duration) {
		o := Order{ID: id, At: at, Lines: []Line{{"tea", 1}}}
		if promise != 0 {
			o.Promise = clock.now().Add(promise)
		}
		_, err := a.Allocate(ctx, o)
		must(t, err)
	}
	place("late", "L0", 3*time.Hour)
	place("soon", "L0", time.Hour)
	place("b-held", "L0", 0)
	clock.add(time.Second)
	place("a-held", "L0", 0)
	place("whenever", "L0", 0)
	place("elsewhere", "L1", time.Minute)
	place("gone", "L0", time.Minute)
	must(t, a.Cancel(ctx, "gone"))
	for _, id := range []string{"late", "soon", "whenever"} {
		must(t, a.Confirm(ctx, id))
	}
	all := func(q Listing) (ids []string) {
		for {
			p, err := a.List(ctx, q)
			must(t, err)
			for _, r := range p.Reservations {
				ids = append(ids, r.ID)
			}
			if p.Next == "" {
				return ids
			}
			if len(p.Reservations) != q.Limit {
				t.Fatalf("a page of %d that is not the last", len(p.Reservations))
			}
			q.After = p.Next
		}
	}
	for limit := 1; limit < 7; limit++ {
		if got, want := all(Listing{Location: "L0", Limit: limit}), []string{"soon", "late", "b-held", "a-held", "whenever"}; !slices.Equal(got, want) {
			t.Errorf("pages of %d: %v", limit, got)
		}
	}
	if got, want := all(Listing{Location: "L0", States: []State{Confirmed}, Limit: 2}), []string{"soon", "late", "whenever"}; !slices.Equal(got, want) {
		t.Errorf("confirmed: %v", got)
	}
}

// What keeps its place is neither left out nor shown twice while others come and
// go between the pages.
func TestListUnderTraffic(t *testing.T) {
	a := street(t, 1, Options{})
	ctx := t.Context()
	stocked(t, a, "L0", "tea", 10_000)
	start := time.Now().Add(time.Hour)
	place := func(id string, minute int) {
		_, err := a.Allocate(ctx, Order{ID: id, At: "L0", Lines: []Line{{"tea", 1}}, Promise: start.Add(time.Duration(minute) * time.Minute)})
		must(t, err)
	}
	for i := range 200 {
		place(fmt.Sprintf("stays-%03d", i), i)
		place(fmt.Sprintf("goes-%03d", i), i)
	}
	seen := map[string]int{}
	q := Listing{Location: "L0", Limit: 7}
	for page := 0; ; page++ {
		p, err := a.List(ctx, q)
		must(t, err)
		for _, r := range p.Reservations {
			seen[r.ID]++
		}
		if q.After = p.Next; p.Next == "" {
			break
		}
		must(t, a.Cancel(ctx, fmt.Sprintf("goes-%03d", page)))
		place(fmt.Sprintf("comes-%03d", page), page*3)
	}
	for i := range 200 {
		if id := fmt.Sprintf("stays-%03d", i); seen[id] != 1 {
			t.Errorf("%s was seen %d times", id, seen[id])
		}
	}
}

func TestListOfOrderAndCustomer(t *testing.T) {
	a := street(t, 1, Options{})
	ctx := t.Context()
	stocked(t, a, "L0", "tea", 10)
	for i, o := range []Order{{ID: "p1", Order: "web-1", Customer: "ann"}, {ID: "p2", Order: "web-1", Customer: "ann"}, {ID: "p3", Order: "web-2", Customer: "ann"}, {ID: "p4", Customer: "bob"}} {
		o.At, o.Lines = "L0", []Line{{"tea", int64(1 + i%2)}}
		_, err := a.Allocate(ctx, o)
		must(t, err)
	}
	must(t, a.Cancel(ctx, "p1"))
	for _, c := range []struct {
		q    Listing
		want []string
	}{
		{Listing{Order: "web-1"}, []string{"p1", "p2"}},
		{Listing{Customer: "ann"}, []string{"p1", "p2", "p3"}},
		{Listing{Customer: "ann", States: []State{Held}}, []string{"p2", "p3"}},
		{Listing{Customer: "nobody"}, nil},
	} {
		p, err := a.List(ctx, c.q)
		must(t, err)
		var got []string
		for _, r := range p.Reservations {
			got = append(got, r.ID)
		}
		if !slices.Equal(got, c.want) || p.Next != "" {
			t.Errorf("%+v: %v", c.q, got)
		}
	}
}

func TestListInput(t *testing.T) {
	a := street(t, 1, Options{})
	for _, q := range []Listing{{}, {Location: "L0", Order: "x"}, {Location: "L0", Limit: -1}, {Location: "L0", Limit: 10_001}, {Location: "L0", After: "?"}} {
		if _, err := a.List(t.Context(), q); !errors.Is(err, ErrInvalid) {
			t.Errorf("%+v: %v", q, err)
		}
	}
	if _, err := a.List(t.Context(), Listing{Location: "nowhere"}); !errors.Is(err, ErrUnknownLocation) {
		t.Error(err)
	}
}
