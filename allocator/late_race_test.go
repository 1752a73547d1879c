package allocator

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/bench/scaletest"
)

// Orders become late while their verbs and changes of the rules are under way. It
// used to end the process: the queue was read twice without its lock.
func TestLateWhileVerbsAreUnderWay(t *testing.T) {
	rounds := 3000
	if !scaletest.Full() || raced {
		rounds = 300
	}
	var now atomic.Int64
	begin := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	rules := sourcing.Rules{AcceptWithin: time.Millisecond}
	a := shops(t, 4, Options{ManualExpiry: true, Rules: rules,
		Clock: func() time.Time { return begin.Add(time.Duration(now.Add(int64(100 * time.Microsecond)))) }})
	for i := range 4 {
		stocked(t, a, fmt.Sprintf("L%d", i), "tea", 1<<20)
	}
	ctx := context.Background()
	verbs := []func(id string) error{
		func(id string) error { return a.Cancel(ctx, id) },
		func(id string) error { return a.Collect(ctx, id) },
		func(id string) error { return a.Ready(ctx, id, Pickup{}) },
		func(id string) error { return a.ShortPick(ctx, id) },
		func(id string) error { return a.Dispatch(ctx, id, "L3") },
		func(id string) error { return a.Accept(ctx, id) },
		func(id string) error { _, err := a.Reject(ctx, id); return err },
		func(id string) error { return a.Confirm(ctx, id) },
	}
	var callers, keepers sync.WaitGroup
	over := make(chan struct{})
	keep := func(step func()) {
		keepers.Go(func() {
			for {
				select {
				case <-over:
					return
				default:
					step()
				}
			}
		})
	}
	keep(func() {
		if _, err := a.Expire(time.Time{}); err != nil {
			t.Error(err)
		}
	})
	keep(func() { must(t, a.SetRules(sourcing.Rules{}), a.SetRules(rules)) })
	for g := range 8 {
		callers.Go(func() {
			for i := range rounds {
				o := ordered(fmt.Sprintf("o%d-%d", g, i), Line{"tea", 1})
				if _, err := a.Allocate(ctx, o); err != nil {
					t.Error(err)
					return
				}
				if err := a.Confirm(ctx, o.ID); err != nil {
					t.Error(err)
					return
				}
				if err := verbs[(g+i)%len(verbs)](o.ID); !expectedRefusal(err) {
					t.Error(err)
				}
				if err := verbs[i%len(verbs)](o.ID); !expectedRefusal(err) {
					t.Error(err)
				}
			}
		})
	}
	returns(t, "one of the verbs", callers.Wait)
	close(over)
	returns(t, "Expire or SetRules", keepers.Wait)
	audited(t, a)
}

// Rules without a time to accept end the waiting, whatever is under way, and those
// with one begin it for all that is confirmed.
func TestRulesTurnAcceptanceOnAndOff(t *testing.T) {
	var now atomic.Int64
	begin := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	a := shops(t, 3, Options{ManualExpiry: true, Clock: func() time.Time { return begin.Add(time.Duration(now.Load())) }})
	confirmed(t, a, ordered("o", Line{"tea", 1}))
	rules := sourcing.Rules{AcceptWithin: time.Minute}
	must(t, a.SetRules(rules), a.SetRules(sourcing.Rules{}))
	now.Add(int64(time.Hour))
	if due := mustGet(a.Expire(time.Time{})); due.Late != 0 {
		t.Errorf("%d are late by rules that know no such thing", due.Late)
	}
	must(t, a.SetRules(rules))
	if due := mustGet(a.Expire(time.Time{})); due.Late != 0 {
		t.Error("it is late before it began to wait")
	}
	now.Add(int64(time.Minute))
	if due := mustGet(a.Expire(time.Time{})); due.Late != 1 {
		t.Errorf("%d are late", due.Late)
	}
	if got := state(t, a, "o", Confirmed); got.Location != "L1" {
		t.Errorf("it is at %s", got.Location)
	}
}

// The first quota of a channel, which orders are to look for, against what holds all
// changes up for a moment. It used to stop both for good, and all orders with them.
func TestFirstQuotasAgainstSettings(t *testing.T) {
	channels := 600
	if !scaletest.Full() || raced {
		channels = 150
	}
	a := shops(t, 2, Options{})
	stocked(t, a, "L0", "tea", 1<<20)
	ctx := context.Background()
	var quotas, others sync.WaitGroup
	over := make(chan struct{})
	quotas.Go(func() {
		for i := range channels {
			if err := a.SetQuota(ctx, Quota{ID: fmt.Sprint("q", i), Channel: fmt.Sprint("c", i), SKU: "tea", Location: "L0", Units: 1}); err != nil {
				t.Error(err)
			}
		}
	})
	for _, setting := range []func(i int) error{
		func(i int) error {
			return a.SetProtection(ctx, Protection{Channel: "web", SKU: "tea", Units: int64(i % 5)})
		},
		func(i int) error {
			return a.SetBundles(ctx, Bundle{SKU: "set", Parts: []Component{{SKU: "tea", Quantity: int64(i%3 + 1)}}})
		},
		func(i int) error {
			return a.SetShelfLife(ctx, ShelfLife{SKU: "cup", Keeps: time.Duration(i % 3)})
		},
		func(i int) error { return a.SetCapacity(ctx, Capacity{Location: "L1", Orders: int64(i % 4)}) },
		func(i int) error {
			_, err := a.Allocate(ctx, ordered(fmt.Sprint("o", i), Line{"tea", 1}))
			return err
		},
	} {
		others.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-over:
					return
				default:
				}
				if err := setting(i); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	returns(t, "a quota", quotas.Wait)
	close(over)
	returns(t, "a setting or an order", others.Wait)
	n := 0
	for range a.Quotas() {
		n++
	}
	if n != channels || !a.channels.HasQuotas(fmt.Sprint("c", channels-1)) {
		t.Errorf("%d of %d quotas are known", n, channels)
	}
}
