package book

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// What was due before the time that the wheels are told when a ledger is opened is
// found by whoever ends it by an earlier time, in its own millisecond: as a host may
// that ends holds itself. It used to wait until that time came.
func TestDueBeforeTheWheelsTime(t *testing.T) {
	const start, span, holds = int64(wheelTurn + 1), 5000, 400
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(11, seed))
		b := newKeyedBook(0, fixedKey)
		b.Loosen()
		due := map[int64]int{}
		for i := range holds {
			at := start + r.Int64N(span)
			due[at]++
			holdUntil(b, fmt.Sprint(i), at)
		}
		b.Settle(1, start+r.Int64N(2*span))
		b.Look(start + 3_600_000)
		for now := start - 1; now < start+span; {
			next := now + 1 + r.Int64N(300)
			want := 0
			for at := now + 1; at <= next; at++ {
				want += due[at]
			}
			if n, _, _ := sweep(t, b, next); n != want {
				t.Fatalf("seed %d: %d were due from %d to %d, want %d", seed, n, now+1, next, want)
			}
			if r.IntN(4) == 0 { // one that is late when it is made
				at := next + 1 + r.Int64N(100)
				due[at]++
				holdUntil(b, fmt.Sprint("late", now), at)
			}
			if now = next; r.IntN(8) == 0 {
				b.Look(now + r.Int64N(10_000))
			}
		}
		if err := soundBook(b); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}
