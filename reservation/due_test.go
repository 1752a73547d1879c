package reservation

import (
	"fmt"
	"testing"

	"github.com/clickcollect/clickcollect/reservation/history"
)

// A ledger that is opened tells the wheels the last time that its journal has, and
// then the engine's.
func TestOpenTellsTheTime(t *testing.T) {
	const holds, span = 5000, 600_000
	start := int64(106_695<<24 + 1) // where the wheels have turned once
	o := Options{SKUs: 8, Locations: 8, Remember: 8, Written: true, Dir: t.TempDir()}
	open := func() *Ledger {
		l, err := Open(o)
		mustDo(t, err)
		if l.Slots() == 0 {
			_, _, err = l.AddSlot("L", nil, start)
			mustDo(t, err)
		}
		l.Renumber([]uint32{0}, 1, func(*Table) {})
		mustDo(t, l.Fill())
		return l
	}
	l := open()
	received(t, l, "r", 0, "tea", holds)
	var c Claim
	var found Entry
	for i := range holds {
		c.Bind(l, l.Table(), []Line{{SKU: 0, Quantity: 1}})
		h := Hold{ID: fmt.Sprint(i), Now: start, Deadline: start + int64(i)*span/holds}
		if how := c.Reserve(0, &h, &found); how != Done {
			t.Fatal(how, c.Err())
		}
	}
	mustDo(t, l.Close())
	for _, closed := range []int64{0, 60_000} { // ms
		l = open()
		begun := start + closed
		_, err := l.Opened(begun)
		mustDo(t, err)
		due, err := l.Expire(begun + 100)
		mustDo(t, err)
		want := int(closed*holds/span) + 1 // those of the last round have ended
		if closed > 0 {
			want--
		}
		passed, asked := l.state.Book.Worked()
		if most := 3*want + 2*holds*4096/span; due.Expired != want || asked > 0 || passed > most {
			t.Errorf("after %d ms: %d expired, %d timers were moved and %d records read; want %d, at most %d and none", closed, due.Expired, passed, asked, want, most)
		}
		if earliest := start + min(closed, 120); due.Earliest != earliest {
			t.Errorf("the earliest was due at %d, want %d", due.Earliest, earliest)
		}
		mustDo(t, l.Close())
	}
}

// An order of which several things are due comes for each of them in its own
// millisecond: what is held is not ended with the reminder a millisecond before.
func TestEachDeadlineInItsMillisecond(t *testing.T) {
	o := roomy
	o.RemindBefore = 1000
	l := floorOf(t, 1, 1, o)
	tea := received(t, l, "r", 0, "tea", 3)
	reserve(l, "o", 1, 0, units(tea, 3))
	do(t, l, Change{Verb: history.Extended, ID: "o", Deadline: 5001})
	do(t, l, Change{Verb: history.Confirmed, ID: "o", Lines: []Line{units(tea, 2)}})
	do(t, l, Change{Verb: history.Ready, ID: "o", Deadline: 6000})
	for _, c := range []struct {
		now  int64
		want Due
		held uint32
	}{
		{4999, Due{}, 1},
		{5000, Due{Reminded: 1}, 1},
		{5001, Due{Expired: 1, Earliest: 5001}, 0},
		{5999, Due{}, 0},
		{6000, Due{NoShows: 1, Earliest: 6000}, 0},
	} {
		due, err := l.Expire(c.now)
		if mustDo(t, err); due != c.want || line(t, l, "o").Held != int64(c.held) {
			t.Errorf("at %d: %+v and %d held, want %+v and %d", c.now, due, line(t, l, "o").Held, c.want, c.held)
		}
	}
}
