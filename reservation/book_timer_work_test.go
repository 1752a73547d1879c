package reservation

import (
	"fmt"
	"testing"

	"github.com/clickcollect/clickcollect/reservation/history"
)

// wheelTurn is the first millisecond of a bucket of every level up to the one of
// 4.7 hours: there the wheels have the most to bring down.
const wheelTurn = 106_695 << 24

// worked adds up what the wheels of a book have done.
func worked(b *book) (passed, asked int) {
	for i := range b.shards {
		passed += b.shards[i].timers.passed
		asked += b.shards[i].timers.asked
	}
	return passed, asked
}

// holdUntil adds a hold to a book.
func holdUntil(b *book, id string, deadline int64) {
	e := orderOf(1, 1)
	e.location, e.origin, e.deadline = 1, 1, deadline
	b.add(kindOrder, id, &e, nil, nil)
}

// sweep ends what is due, and returns how many that were and what the wheels did
// for it.
func sweep(t *testing.T, b *book, now int64) (n, passed, asked int) {
	t.Helper()
	passed, asked = worked(b)
	var e entry
	b.look(now)
	for shard := range b.shards {
		for some := 64; some == 64; n += some {
			var err error
			if some, err = b.dueIn(shard, now, 64, &e, &endRule{Expired, now}); err != nil {
				t.Fatal(err)
			}
		}
	}
	after, askedAfter := worked(b)
	return n, after - passed, askedAfter - asked
}

// A book that was recovered, or that stood idle for long, looks at what is due
// first and at the bucket it lies in, not at all that lives: with 20,000 holds of
// ten minutes, the first tenth of a second costs no more than the 4 seconds around
// it, twice.
func TestFirstDeadlineTouchesWhatIsDue(t *testing.T) {
	const holds, span = 20_000, 600_000
	start := int64(wheelTurn + 1)
	for name, begin := range map[string]func() *book{
		"recovered": func() *book {
			b := newKeyedBook(0, fixedKey)
			b.loosen()
			for i := range holds {
				holdUntil(b, fmt.Sprint(i), start+int64(i)*span/holds)
			}
			b.settle(1, start-1)
			return b
		},
		"idle for a month": func() *book {
			b := newKeyedBook(0, fixedKey)
			b.look(start - 30*86_400_000)
			holdUntil(b, "later", start+86_400_000)
			for now := start - 29*86_400_000; now < start; now += 60_000 {
				b.look(now)
			}
			sweep(t, b, start-1)
			for i := range holds {
				holdUntil(b, fmt.Sprint(i), start+int64(i)*span/holds)
			}
			return b
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := begin()
			n, passed, asked := sweep(t, b, start+100)
			if want := holds/6000 + 1; n != want {
				t.Errorf("%d were due, want %d", n, want)
			}
			if most := 2 * holds * 4096 / span; passed > most || asked > 0 {
				t.Errorf("%d timers were moved and %d records read for %d that were due; at most %d and none", passed, asked, n, most)
			}
			if err := soundBook(b); err != nil {
				t.Error(err)
			}
			// All the way: each comes down the levels once.
			for now := start; now <= start+span; now += 250 {
				some, moved, read := sweep(t, b, now)
				n, passed, asked = n+some, passed+moved, asked+read
			}
			if n != holds || passed > 4*holds || asked > 0 {
				t.Errorf("%d of %d came, %d timers were moved, %d records read", n, holds, passed, asked)
			}
		})
	}
}

// A clock that steps by hours ends what is due by then, and brings down the bucket
// that it comes to, of what waits for days: not all of that.
func TestClockStepTouchesWhatIsDue(t *testing.T) {
	const holds, waiting, days = 5000, 14_000, 7
	start := int64(wheelTurn + 1)
	b := newKeyedBook(0, fixedKey)
	b.look(start - 1)
	for i := range holds {
		holdUntil(b, fmt.Sprint("h", i), start+int64(i)*600_000/holds)
	}
	for i := range waiting {
		holdUntil(b, fmt.Sprint("w", i), start+86_400_000+int64(i)*days*86_400_000/waiting)
	}
	n, passed, asked := sweep(t, b, start+5*3_600_000)
	if n != holds || passed > 4*holds || asked > 0 {
		t.Errorf("%d came, %d timers were moved and %d records read; want %d, at most %d and none", n, passed, asked, holds, 4*holds)
	}
	// A day and an hour on: of seven days' deadlines an hour's have come, and at
	// most the rest of the bucket of 4.7 hours is brought down with them.
	n, passed, asked = sweep(t, b, start+86_400_000+3_600_000)
	if most := 6 * waiting / days / 24; n != waiting/days/24+1 || asked > most || passed > 5*most {
		t.Errorf("%d came, %d timers were moved and %d records read; want %d, at most %d and %d", n, passed, asked, waiting/days/24+1, 5*most, most)
	}
	if err := soundBook(b); err != nil {
		t.Error(err)
	}
}

// Where a bucket of 4.7 hours begins, the holds behind it are moved by what their
// timers say: no record is read for it, however many there are.
func TestLevelTurnsWithoutRecords(t *testing.T) {
	const holds = 10_000
	b := newKeyedBook(0, fixedKey)
	b.look(wheelTurn - 5000)
	for i := range holds {
		holdUntil(b, fmt.Sprint(i), wheelTurn+int64(i)*60)
	}
	n, passed, asked := sweep(t, b, wheelTurn)
	if n != 1 || asked > 0 || passed > 4*holds {
		t.Errorf("%d came, %d timers were moved and %d records read", n, passed, asked)
	}
}

// A ledger that is opened tells the wheels the last time that its journal has, and
// then the engine's.
func TestOpenTellsTheTime(t *testing.T) {
	const holds, span = 5000, 600_000
	start := int64(wheelTurn + 1)
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
		passed, asked := worked(l.book)
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
