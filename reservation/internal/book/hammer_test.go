package book

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/clickcollect/clickcollect/reservation/internal/book/wheel"
	"github.com/clickcollect/clickcollect/reservation/life"
)

// Orders come, move, end by hand and by time, and are forgotten, from many
// goroutines, while others walk. Those that stay come exactly once in every walk
// of everything, of their location and of their references, and no copy is torn;
// and every order ends exactly once.
func TestBookHammer(t *testing.T) {
	b := New(100)
	b.RememberFor = 50
	const stay, places = 600, 6
	for i := range stay {
		e := stamped(uint64(i), 2)
		e.Deadline = wheel.Never
		e.Refs = Refs{Order: fmt.Sprint("order-", i%10), Customer: "one and all"}
		b.Add(KindOrder, fmt.Sprint("stay-", i), &e, nil, nil)
	}
	var clock atomic.Int64
	var begun, ended, expired atomic.Int64
	stop := make(chan struct{})
	var work sync.WaitGroup
	running := func() bool {
		select {
		case <-stop:
			return false
		default:
			return true
		}
	}
	for g := range 4 {
		work.Go(func() {
			random := rand.New(rand.NewPCG(uint64(g), 3))
			var got Entry
			for i := 0; i < 3000 || running(); i++ {
				hammerOne(t, b, random, clock.Add(1), fmt.Sprint("go-", g, "-", i), &got, &begun, &ended)
			}
		})
	}
	work.Go(func() {
		for running() {
			hammerTime(t, b, clock.Load(), &expired)
		}
	})
	for range 6 {
		hammerWalk(t, b, stay, places)
	}
	close(stop)
	work.Wait()
	now, e := clock.Add(1_000_000), Entry{}
	for shard := range b.shards {
		n, err := b.DueIn(shard, now, 1<<30, &e, &endRule{life.Expired, now})
		if expired.Add(int64(n)); err != nil {
			t.Error(err)
		}
		if next := b.NextDue(shard); next <= now {
			t.Errorf("shard %d: at %d the next is due at %d", shard, now, next)
		}
	}
	if begun.Load() != ended.Load()+expired.Load() {
		t.Errorf("%d orders began, %d were ended and %d expired", begun.Load(), ended.Load(), expired.Load())
	}
	if live, _ := b.Len(); live != stay {
		t.Errorf("%d orders are live, want %d", live, stay)
	}
	if err := soundBook(b); err != nil {
		t.Error(err)
	}
}

// hammerTime ends what is due.
func hammerTime(t *testing.T, b *Book, now int64, expired *atomic.Int64) {
	var e Entry
	for shard := range b.shards {
		if b.NextDue(shard) > now {
			continue
		}
		if _, err := b.DueIn(shard, now, 64, &e, ruleFunc(func(id string, e *Entry) ([]byte, error) {
			if e.State.Ended() || e.Deadline > now {
				t.Errorf("%s ends at %d in state %v, deadline %d", id, now, e.State, e.Deadline)
			}
			expired.Add(1)
			return (&endRule{life.Expired, now}).Apply(id, e)
		})); err != nil {
			t.Error(err)
		}
	}
}

// stamped is an order of which every part follows from its fingerprint.
func stamped(fingerprint uint64, lines int) Entry {
	e := orderOf(fingerprint, lines)
	e.Location = uint32(fingerprint % 6)
	return e
}

// hammerOne begins an order and does something to it.
func hammerOne(t *testing.T, b *Book, random *rand.Rand, now int64, id string, got *Entry, begun, ended *atomic.Int64) {
	e := stamped(1<<20+random.Uint64N(1<<20), 1+random.IntN(1<<(1+random.IntN(7))))
	e.Deadline = now + random.Int64N(1<<(1+random.IntN(16)))
	if random.IntN(2) == 0 {
		e.Refs = Refs{Order: fmt.Sprint("order-", random.IntN(10)), Customer: fmt.Sprint(random.IntN(1000))}
	}
	b.Add(KindOrder, id, &e, nil, nil)
	b.Add(KindMovement, id, &Entry{Fingerprint: 1, Deadline: now}, nil, nil)
	begun.Add(1)
	move := ruleFunc(func(_ string, e *Entry) ([]byte, error) {
		if e.State.Ended() {
			return nil, errEnded
		}
		e.Fingerprint++
		e.Location, e.Distance = uint32(e.Fingerprint%6), float64(e.Fingerprint)/3
		e.Deadline += 1 + int64(e.Fingerprint%5000)
		return nil, nil
	})
	for range random.IntN(3) {
		if _, err := b.Change(KindOrder, id, got, move); err != nil {
			if err != errEnded && err != ErrNotFound {
				t.Error(err)
			}
			return
		}
	}
	if random.IntN(4) == 0 {
		return // It will expire.
	}
	_, err := b.Change(KindOrder, id, got, ruleFunc(func(id string, e *Entry) ([]byte, error) {
		if e.State.Ended() {
			return nil, errEnded
		}
		return (&endRule{life.Collected, now}).Apply(id, e)
	}))
	if err == nil {
		ended.Add(1)
	}
}

func hammerWalk(t *testing.T, b *Book, stay, places int) {
	check := func(seen []int, id string, e *Entry) {
		if e.Fingerprint < uint64(stay) {
			seen[e.Fingerprint]++
			if id != fmt.Sprint("stay-", e.Fingerprint) {
				t.Errorf("%s has content %d", id, e.Fingerprint)
			}
		}
		if uint64(e.Location) != e.Fingerprint%6 || e.Distance != float64(e.Fingerprint)/3 {
			t.Errorf("torn entry %s: %+v", id, e)
		}
	}
	once := func(what string, seen []int) {
		if i := slices.IndexFunc(seen, func(n int) bool { return n != 1 }); i >= 0 {
			t.Errorf("%s: order %d came %d times", what, i, seen[i])
		}
	}
	seen := make([]int, stay)
	for id, e := range b.All() {
		check(seen, id, e)
	}
	once("all", seen)
	clear(seen)
	b.Dump(func(kind Kind, id string, e *Entry) bool {
		if kind == KindOrder {
			check(seen, id, e)
		}
		return true
	})
	once("dump", seen)
	clear(seen)
	for location := range uint32(places) {
		b.At(location, func(id string, e *Entry) bool {
			check(seen, id, e)
			if e.Location != location || e.State.Ended() {
				t.Errorf("%s %v at %d was on the shelf of %d", id, e.State, e.Location, location)
			}
			return true
		})
	}
	once("at", seen)
	clear(seen)
	var e Entry
	for i := range 10 {
		b.Named(ByOrder, fmt.Sprint("order-", i), func(n Name) bool {
			if b.FindPart(n, &e) && e.Fingerprint < uint64(stay) {
				seen[e.Fingerprint]++
			}
			return true
		})
	}
	once("named", seen)
}
