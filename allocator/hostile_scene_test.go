package allocator_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/clickcollect/clickcollect/allocator"
	"github.com/clickcollect/clickcollect/allocator/sourcing"
)

// hostileOptions are those of the scene: nothing happens in it by itself.
func hostileOptions(dir string) allocator.Options {
	o := allocator.Options{Dir: dir, Durability: allocator.Written, SegmentBytes: 64 << 10, Clock: func() time.Time { return hostileNow }, ManualExpiry: true,
		HoldFor: time.Hour, Rules: sourcing.Rules{MaxLocations: 3}}
	if dir == "" {
		o.FeedBytes = 1 << 20
	}
	return o
}

// newHostileScene is an engine with one of everything: an order in each state, a
// setting of each kind, a transfer under way.
func newHostileScene(ctx context.Context, dir string) (*allocator.Allocator, error) {
	a, err := allocator.Open(ctx, hostileOptions(dir))
	if err != nil {
		return nil, err
	}
	empty := hostileLocation("empty", 5)
	err = a.SetLocations(ctx, hostileLocation("L0", 0), hostileLocation("L1", 1), hostileLocation("L2", 2), empty)
	for _, at := range []string{"L0", "L1", "L2"} {
		lines := []allocator.Line{{SKU: "tea", Quantity: 50}, {SKU: "cup", Quantity: 50}, {SKU: "mate", Quantity: 50}, {SKU: "wine", Quantity: 20}}
		err = errors.Join(err, a.Receive(ctx, allocator.Receipt{ID: "in-" + at, Location: at, Lines: lines, Lots: hostileLots()}))
	}
	loan := allocator.Loan{ID: "loan", SKU: "cup", Location: "L0", From: "web", To: "till", Units: 2}
	err = errors.Join(err, a.SetBundles(ctx, allocator.Bundle{SKU: "set", Parts: []allocator.Component{{SKU: "tea", Quantity: 1}, {SKU: "mate", Quantity: 1}}}),
		a.SetWindows(ctx, allocator.Window{Location: "L0", Start: hostileWindow, Length: time.Hour, Places: 9}),
		a.SetCapacity(ctx, allocator.Capacity{Location: "L1", Per: allocator.Day, Orders: 100}),
		a.SetProtection(ctx, allocator.Protection{Channel: "app", Units: 1}), a.SetShelfLife(ctx, allocator.ShelfLife{SKU: "wine", Keeps: time.Hour}),
		a.SetSafetyStock(ctx, allocator.SafetyStock{SKU: "mate", Location: "L2", Units: 1}),
		a.SetQuota(ctx, allocator.Quota{ID: "quota", Channel: "web", SKU: "cup", Location: "L0", Units: 9}), a.Borrow(ctx, loan),
		a.Send(ctx, allocator.Transfer{ID: "t", From: "L0", To: "L1", Lines: hostileLines()}))
	for _, id := range []string{"held", "sure", "ready", "road", "done", "gone"} {
		o := allocator.Order{ID: id, Near: killPoint(0), Lines: hostileLines(), Order: "SO", Customer: "C", Owner: "cart", Channel: "web", HoldFor: 2 * time.Hour}
		_, failed := a.Allocate(ctx, o)
		err = errors.Join(err, failed)
	}
	split := allocator.Order{ID: "split", Near: killPoint(0), Lines: []allocator.Line{{SKU: "tea", Quantity: 60}}, Channel: "web", MaxLocations: 3, Form: sourcing.Ship}
	_, failed := a.Allocate(ctx, split)
	err = errors.Join(err, failed)
	for _, id := range []string{"sure", "ready", "road", "done"} {
		err = errors.Join(err, a.Confirm(ctx, id))
	}
	return a, errors.Join(err, a.Ready(ctx, "ready", allocator.Pickup{}), a.Dispatch(ctx, "road", "L1"), a.Collect(ctx, "done"), a.Cancel(ctx, "gone"))
}

// hostileRead is everything that can be read, as text.
func hostileRead(ctx context.Context, a *allocator.Allocator) string {
	var b strings.Builder
	add := func(values ...any) { fmt.Fprintln(&b, values...) }
	skus := []string{"tea", "cup", "mate", "wine", "set", "set2"}
	for l := range a.Locations() {
		add(l.ID, l.Kind, l.Point, l.NoReturns, hostileSays(l.Terms))
		if l.Area != nil {
			add(l.Area.Rings())
		}
		for _, sku := range skus {
			v, err := a.Available(sku, l.ID)
			add(sku, v, err)
			for lot, v := range a.Lots(sku, l.ID) {
				add(lot.ID, lot.Expires.UTC(), v)
			}
		}
		page, err := a.List(ctx, allocator.Listing{Location: l.ID, Limit: 10_000})
		add(hostileSays(page), err)
	}
	for _, q := range []allocator.Listing{{Order: "SO", Limit: 10_000}, {Customer: "C", Limit: 10_000}} {
		page, err := a.List(ctx, q)
		add(hostileSays(page), err)
	}
	for _, id := range []string{"held", "sure", "ready", "road", "done", "gone", "split", "split/1", "split/2", "new", "t", "t2"} {
		for n := range 3 {
			r, err := a.Part(id, n).Lookup()
			add(hostileSays(r), err)
		}
		t, none := a.LookupTransfer(id)
		add(hostileSays(t), none)
	}
	for w := range a.Windows("", time.Time{}, time.Time{}) {
		add(hostileSays(w))
	}
	for c := range a.Capacities() {
		add(hostileSays(c))
	}
	for p := range a.Protections() {
		add(hostileSays(p))
	}
	for q, v := range a.Quotas() {
		add(hostileSays(q), v)
	}
	for l := range a.Loans() {
		add(hostileSays(l))
	}
	for s := range a.Bundles() {
		add(hostileSays(s))
	}
	for s := range a.ShelfLives() {
		add(hostileSays(s))
	}
	s := a.Stats()
	add(s.Locations, s.Held, s.Short)
	return b.String()
}

// hostileSays is a value with its bytes as they are: JSON would mend them.
func hostileSays(v any) string {
	if t, ok := v.(*allocator.Terms); ok && t != nil {
		v = *t
	}
	return fmt.Sprintf("%+v", v)
}
