package book

import (
	"fmt"
	"testing"

	"github.com/clickcollect/clickcollect/reservation/life"
)

// wheelTurn is the first millisecond of a bucket of every level up to the one of
// 4.7 hours: there the wheels have the most to bring down.
const wheelTurn = 106_695 << 24

// holdUntil adds a hold to a book.
func holdUntil(b *Book, id string, deadline int64) {
	e := orderOf(1, 1)
	e.Location, e.Origin, e.Deadline = 1, 1, deadline
	b.Add(KindOrder, id, &e, nil, nil)
}

// sweep ends what is due, and returns how many that were and what the wheels did
// for it.
func sweep(t *testing.T, b *Book, now int64) (n, passed, asked int) {
	t.Helper()
	passed, asked = b.Worked()
	var e Entry
	b.Look(now)
	for shard := range b.shards {
		for some := 64; some == 64; n += some {
			var err error
			if some, err = b.DueIn(shard, now, 64, &e, &endRule{life.Expired, now}); err != nil {
				t.Fatal(err)
			}
		}
	}
	after, askedAfter := b.Worked()
	return n, after - passed, askedAfter - asked
}

// A book that was recovered, or that stood idle for long, looks at what is due
// first and at the bucket it lies in, not at all that lives: with 20,000 holds of
// ten minutes, the first tenth of a second costs no more than the 4 seconds around
// it, twice.
func TestFirstDeadlineTouchesWhatIsDue(t *testing.T) {
	const holds, span = 20_000, 600_000
	start := int64(wheelTurn + 1)
	for name, begin := range map[string]func() *Book{
		"recovered": func() *Book {
			b := newKeyedBook(0, fixedKey)
			b.Loosen()
			for i := range holds {
				holdUntil(b, fmt.Sprint(i), start+int64(i)*span/holds)
			}
			b.Settle(1, start-1)
			return b
		},
		"idle for a month": func() *Book {
			b := newKeyedBook(0, fixedKey)
			b.Look(start - 30*86_400_000)
			holdUntil(b, "later", start+86_400_000)
			for now := start - 29*86_400_000; now < start; now += 60_000 {
				b.Look(now)
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
	b.Look(start - 1)
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
	b.Look(wheelTurn - 5000)
	for i := range holds {
		holdUntil(b, fmt.Sprint(i), wheelTurn+int64(i)*60)
	}
	n, passed, asked := sweep(t, b, wheelTurn)
	if n != 1 || asked > 0 || passed > 4*holds {
		t.Errorf("%d came, %d timers were moved and %d records read", n, passed, asked)
	}
}
