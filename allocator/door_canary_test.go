package allocator_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/clickcollect/clickcollect/allocator"
)

// doorScene is a small world with its history: what every canary begins from, and in
// which there is nothing wrong.
func doorScene(t *testing.T) (d *door, told []allocator.Event) {
	t.Helper()
	d = &door{t: t, guard: newDoorGuard(), seed: 1, callers: 1, called: map[string]int{}, did: map[string]int{}, Recorded: true, world: killWorld{Base: doorBegin}}
	d.options = allocator.Options{FeedBytes: 1 << 20, Clock: d.now, ManualExpiry: true}
	d.host.d = d
	d.book.begin()
	if !d.open() {
		t.FailNow()
	}
	t.Cleanup(func() {
		if err := d.a.Close(); err != nil {
			t.Error(err)
		}
	})
	c := d.caller(1)
	c.sure = true
	for _, q := range append(d.firstAsks(), killAsk{Verb: "allocate", Orders: []allocator.Order{{ID: "o", Near: killPoint(0), Lines: []allocator.Line{{SKU: "p0", Quantity: 1}, {SKU: "p1", Quantity: 1}}}}},
		killAsk{Verb: "confirm", ID: "o"}, killAsk{Verb: "collect", ID: "o", Lines: []allocator.Line{{SKU: "p0", Quantity: 1}}},
		killAsk{Verb: "sell", Sales: []allocator.Sale{{ID: "m", Location: "L1", Lines: []allocator.Line{{SKU: "p1", Quantity: 1}}}}}) {
		c.run(&q)
	}
	for e, err := range d.a.History(context.Background(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		told = append(told, e)
	}
	return d, told
}

// doorFaults is what a tale is at fault with.
func (d *door) doorFaults(told []allocator.Event) []string {
	tale := newDoorTale(&d.book)
	for i := range told {
		tale.add(&told[i])
	}
	tale.moved()
	tale.shelves(d.a)
	for _, e := range d.book.orders {
		tale.order(d.a, e)
	}
	return tale.faults
}

// A history that is not what happened is found out, in whatever way it lies.
func TestDoorTaleFindsLies(t *testing.T) {
	d, told := doorScene(t)
	if faults := d.doorFaults(told); len(faults) > 0 {
		t.Fatalf("the true history: %v", faults)
	}
	at := func(name string) int {
		i := slices.IndexFunc(told, func(e allocator.Event) bool { return e.Name == name })
		if i < 0 {
			t.Fatalf("there is no %s", name)
		}
		return i
	}
	for _, name := range []string{"StockReceived", "HoldPlaced", "Collected", "SaleRecorded"} {
		i := at(name)
		for what, lie := range map[string]func() []allocator.Event{
			"left out": func() []allocator.Event { return slices.Delete(slices.Clone(told), i, i+1) },
			"twice":    func() []allocator.Event { return slices.Insert(slices.Clone(told), i, told[i]) },
			"a unit more": func() []allocator.Event {
				lied := slices.Clone(told)
				lied[i].Lines = slices.Clone(told[i].Lines)
				lied[i].Lines[0].Units++
				return lied
			},
			"elsewhere": func() []allocator.Event {
				lied := slices.Clone(told)
				lied[i].Location = "L5"
				return lied
			},
		} {
			lied := lie()
			for k := range lied { // the numbers do not give it away
				lied[k].Sequence = uint64(k + 1)
			}
			if faults := d.doorFaults(lied); len(faults) == 0 {
				t.Errorf("%s %s: nobody sees it", name, what)
			}
		}
	}
	asked := d.book.moves["m"]
	delete(d.book.moves, "m")
	if len(d.doorFaults(told)) == 0 {
		t.Error("a sale that nobody asked for: nobody sees it")
	}
	d.book.moves["m"] = asked
	d.book.moves["never"] = &doorMove{name: "SaleRecorded", made: true}
	if len(d.doorFaults(told)) == 0 {
		t.Error("a sale that was acknowledged and not made: nobody sees it")
	}
}

// An error that a method does not document is found out, as is one without its data,
// and an engine that answers after Close.
func TestDoorJudgesErrors(t *testing.T) {
	plain := func(fact error) error { return fmt.Errorf("allocator: %w", fact) }
	for _, is := range []struct {
		name   string
		err    error
		closed bool
		fault  bool
	}{
		{"Confirm", nil, false, false},
		{"Confirm", plain(allocator.ErrNotFound), false, false},
		{"Confirm", plain(allocator.ErrClosed), true, false},
		{"Stats", nil, true, false},
		{"Confirm", plain(allocator.ErrReturns), false, true},
		{"Confirm", plain(allocator.ErrJournal), false, true},
		{"Confirm", allocator.ErrNotFound, false, true},
		{"Confirm", plain(allocator.ErrEnded), false, true},
		{"Confirm", nil, true, true},
		{"Confirm", plain(allocator.ErrNotFound), true, true},
		{"History", plain(allocator.ErrNoFeed), false, true},
		{"Unheard", nil, false, true},
	} {
		if fault := doorJudge(is.name, is.err, is.closed, true); (fault != "") != is.fault {
			t.Errorf("%s, %v, closed %v: %q", is.name, is.err, is.closed, fault)
		}
	}
}

// What does not move is seen.
func TestDoorGuardSeesHangs(t *testing.T) {
	g := newDoorGuard()
	seen := make(chan struct{})
	first := true
	g.stuck, g.hangs = 1, func() {
		if first {
			first = false
			close(seen)
		}
	}
	g.start()
	<-seen
	g.stop()
}

// Two answers to one order, and a repeat that is refused, are found out.
func TestDoorBookFindsSecondOutcomes(t *testing.T) {
	d, _ := doorScene(t)
	e := d.book.byID["o"]
	first := d.book.first(e)
	if first.text == "" || first.which != 0 {
		t.Fatalf("got %+v", first)
	}
	if again := d.book.answer(e, doorAnswer{0, first.text + "!"}); again != first {
		t.Errorf("got %+v", again)
	}
	if text := doorText(allocator.Allocation{ID: "o", Location: "L3"}, &e.contents[0]); text == first.text {
		t.Error("another answer has the same text")
	}
}
