package reservation

import (
	"errors"
	"strings"
	"testing"

	"github.com/clickcollect/clickcollect/reservation/history"
)

// Former versions gave a part of an order an ID that was longer than its length
// could say, and recorded it: such a directory is refused by name, from the journal
// and from a snapshot. Nothing that is too long gets there any more.
func TestTooLong(t *testing.T) {
	long := strings.Repeat("x", MaxIDBytes) + "/2"
	held := history.Record{Kind: history.Held, Time: 5, ID: "o", Deadline: 99, Lines: []history.Line{{Units: 1}}}
	for name, of := range map[string]func() []history.Record{
		"part":  func() []history.Record { r := held; r.ID = long; return []history.Record{r} },
		"order": func() []history.Record { r := held; r.Order = long; return []history.Record{r} },
		"movement": func() []history.Record {
			return []history.Record{{Kind: history.Moved, Time: 5, Cause: history.Received, ID: long, Lines: []history.Line{{Units: 1, OnHand: 1}}}}
		},
		"change": func() []history.Record {
			return []history.Record{held, {Kind: history.Confirmed, Time: 6, ID: "o", Change: long, Lines: held.Lines}}
		},
		"owner": func() []history.Record {
			return []history.Record{held, {Kind: history.Reassigned, Time: 6, ID: "o", Owner: long}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := Options{SKUs: 10, Locations: 10, Remember: 10, Dir: t.TempDir()}
			l, err := Open(o)
			mustDo(t, err)
			_, _, err = l.AddSlot("L", nil, 1)
			mustDo(t, err)
			_, err = l.addSKU("tea", 1)
			mustDo(t, err)
			for _, r := range of() {
				_, err := l.append(&r)
				mustDo(t, err)
			}
			mustDo(t, l.Close())
			_, err = Open(o)
			var broken *InvariantError
			if !errors.As(err, &broken) {
				t.Fatalf("opened with %v", err)
			}
		})
	}
}

// What is too long is refused by the book itself, before the journal and before any
// unit is taken, however it came past those who check it.
func TestTooLongIsRefused(t *testing.T) {
	long := strings.Repeat("x", MaxIDBytes) + "/2"
	l := floorOf(t, 2, 0, Options{SKUs: 10, Locations: 10, Remember: 10, FeedBytes: 1 << 20})
	_, err := l.Move(&Movement{ID: "r", Cause: history.Received, Slot: 0, Now: 1, Lines: []MovementLine{{"tea", 9}}})
	mustDo(t, err)
	tea, _ := l.SKU("tea")
	last := l.queue.Last()
	refused := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, ErrInvalid) || l.queue.Last() != last || l.Available(tea, 0) != (Availability{OnHand: 9, Available: 9}) {
			t.Errorf("%s: %v; %d records, %+v", what, err, l.queue.Last()-last, l.Available(tea, 0))
		}
	}
	var c Claim
	var found Entry
	for what, h := range map[string]Hold{"an ID": {ID: long}, "an order": {ID: "o", Order: long}, "a customer": {ID: "o", Customer: long}} {
		h.Now, h.Deadline = 2, 9
		if c.Start(l, l.Table(), []Line{{SKU: tea, Quantity: 1}}, nil); c.Reserve(l.Table().Space.Number(0), &h, &found) != Failed {
			t.Errorf("%s was held", what)
		}
		refused(what, c.Err())
	}
	var p Parts
	if p.Reserve(l, []Part{{Hold: Hold{ID: "o", Now: 2, Deadline: 9}, Lines: []Line{{SKU: tea, Quantity: 1}}},
		{Hold: Hold{ID: "o", Part: 2, Order: long, Now: 2, Deadline: 9}, Lines: []Line{{SKU: tea, Quantity: 1}}}}, &found) != Failed {
		t.Error("a part was held")
	}
	refused("a part", p.Err())
	_, err = l.Move(&Movement{ID: long, Cause: history.Sold, Slot: 0, Now: 2, Lines: []MovementLine{{"tea", 1}}})
	refused("a movement", err)
	if c.Start(l, l.Table(), []Line{{SKU: tea, Quantity: 1}}, nil); c.Reserve(l.Table().Space.Number(0), &Hold{ID: "o", Now: 2, Deadline: 9}, &found) != Done {
		t.Fatal(c.Err())
	}
	_, _, err = l.Do(&Change{Verb: history.Reassigned, ID: "o", Now: 3, Owner: long})
	if !errors.Is(err, ErrInvalid) || l.queue.Last() != last+1 {
		t.Errorf("an owner: %v", err)
	}
	_, _, err = l.Do(&Change{Verb: history.Confirmed, ID: "o", ID2: long, Now: 3})
	if !errors.Is(err, ErrInvalid) || l.queue.Last() != last+1 {
		t.Errorf("a change: %v", err)
	}
}
