package allocator_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clickcollect/clickcollect/allocator"
	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/bench/scaletest"
	"github.com/clickcollect/clickcollect/geo"
)

// The landed directories were written by the calls of landed: the first one when an
// order of several parts was as many reservations as it has parts, with IDs of their
// own, its terms were JSON, and windows, capacities, quotas and lots were SKUs with zero
// bytes in their names; the second one since parts are numbered in their order. A text
// is what is told of a directory. Every later version opens it, tells the same, and
// answers each call that has an ID as the first time.
var landedDirectories = []string{"landed", "landed-parts"}

func landedFile(name string) string { return "testdata/" + name + ".tar.gz" }
func landedText(name string) string { return "testdata/" + name + ".txt" }

var (
	writeLanded = flag.String("write-landed", "", "the directory that TestLandedDirectory makes anew; only for a format that was never released")
	tellText    = flag.String("tell-landed", "", "the directory of which TestLandedDirectory writes down anew what is told; only when that is told in other words")
)

// landedTime is the first instant in it; a Thursday.
var landedTime = time.UnixMilli(1_767_258_000_000).UTC()

type landedClock struct{ now time.Time }

func (c *landedClock) options(dir string) allocator.Options {
	return allocator.Options{Dir: dir, SegmentBytes: 1 << 16, ManualExpiry: true, Clock: func() time.Time { return c.now },
		HoldFor: time.Hour, PickupWithin: 48 * time.Hour, Rules: sourcing.Rules{CoolDown: time.Minute, MaxRejects: 3}}
}

// landedStep is a call and what it is about. Steps that may be repeated have IDs.
type landedStep struct {
	name  string
	named bool
	do    func(ctx context.Context, a *allocator.Allocator) error
}

// landedOrders are the orders, by their IDs, and what happens to each of them.
func landedOrders() []allocator.Order {
	near := geo.Point{Lat: 50.01, Lon: 20}
	order := func(id string, lines ...allocator.Line) allocator.Order {
		return allocator.Order{ID: id, Near: near, Lines: lines}
	}
	tea, both := allocator.Line{SKU: "tea", Quantity: 1}, []allocator.Line{{SKU: "rug", Quantity: 1}, {SKU: "mat", Quantity: 2}}
	split := func(id string) allocator.Order {
		o := order(id, both...)
		o.MaxLocations, o.Order, o.Customer = 2, "SO-"+id, "C-split"
		return o
	}
	brought := func(id string) allocator.Order {
		o := order(id, allocator.Line{SKU: "rug", Quantity: 1})
		o.Form, o.At, o.MaxLocations, o.Customer = sourcing.ShipToStore, "S4", 2, "C-brought"
		return o
	}
	sent := func(id string) allocator.Order {
		o := order(id, allocator.Line{SKU: "cup", Quantity: 2})
		o.Form, o.Payment, o.Exclude, o.NeededBy = sourcing.Ship, "card", []string{"S3"}, landedTime.Add(240*time.Hour)
		return o
	}
	full := order("full", tea, allocator.Line{SKU: "cup", Quantity: 2})
	full.Order, full.Customer, full.Owner, full.Channel, full.HoldFor, full.Promise = "SO-1", "C-1", "cart", "web", 2*time.Hour, landedTime.Add(3*time.Hour)
	windowed := order("windowed", tea)
	windowed.At, windowed.Window = "S0", landedTime.Add(24*time.Hour)
	quota := order("quota", allocator.Line{SKU: "cup", Quantity: 3})
	quota.At, quota.Channel = "S3", "till"
	instead := order("instead", allocator.Line{SKU: "hat", Quantity: 2})
	instead.Substitutes = map[string][]string{"hat": {"cap"}}
	partial := order("partial", allocator.Line{SKU: "hat", Quantity: 1}, allocator.Line{SKU: "cap", Quantity: 90})
	partial.Partial = true
	mixed := order("mixed", allocator.Line{SKU: "tea", Quantity: 1}, allocator.Line{SKU: "cup", Quantity: 1})
	mixed.Forms, mixed.MaxLocations = map[string]sourcing.Form{"cup": sourcing.Ship}, 2
	return []allocator.Order{order("held", tea), order("confirmed", tea), order("collected", tea), order("canceled", tea), order("expired", tea),
		order("no-show", tea), order("ready", tea), order("short", allocator.Line{SKU: "tea", Quantity: 2}), order("rejected", tea), order("returned", tea),
		full, windowed, quota, instead, partial, mixed, order("milk", allocator.Line{SKU: "milk", Quantity: 2}), order("set", allocator.Line{SKU: "set", Quantity: 1}),
		split("split-held"), split("split-confirmed"), split("split-collected"), split("split-canceled"), split("split-half"),
		brought("brought-held"), brought("brought-sent"), brought("brought-here"), brought("brought-collected"),
		sent("sent-held"), sent("sent-confirmed"), sent("sent-collected")}
}

// landedWorld is the shops and what lies in them.
func landedWorld() []landedStep {
	location := func(n int, kind allocator.Kind, terms *allocator.Terms) allocator.Location {
		return allocator.Location{ID: fmt.Sprint("S", n), Kind: kind, Point: geo.Point{Lat: 50 + float64(n)/100, Lon: 20}, Terms: terms}
	}
	lines := func(of ...any) (all []allocator.Line) {
		for i := 0; i < len(of); i += 2 {
			all = append(all, allocator.Line{SKU: of[i].(string), Quantity: int64(of[i+1].(int))})
		}
		return all
	}
	hours := &allocator.Terms{Hours: "Mo-Su 08:00-20:00", Zone: "Europe/Warsaw", Prep: 30 * time.Minute, Transfer: 24 * time.Hour, Delivery: 48 * time.Hour, Groups: []string{"city"}}
	return []landedStep{
		{"locations", false, func(ctx context.Context, a *allocator.Allocator) error {
			return a.SetLocations(ctx, location(0, allocator.Store, hours), location(1, allocator.Store, hours), location(2, allocator.PickupPoint, nil),
				location(3, allocator.Store, hours), location(4, allocator.Store, hours), location(5, allocator.Warehouse, hours))
		}},
		{"receipts", true, func(ctx context.Context, a *allocator.Allocator) error {
			return a.Receive(ctx, allocator.Receipt{ID: "r0", Location: "S0", Lines: lines("tea", 20, "cup", 4, "rug", 9)},
				allocator.Receipt{ID: "r1", Location: "S1", Lines: lines("tea", 20, "cup", 9, "hat", 1, "cap", 5)},
				allocator.Receipt{ID: "r3", Location: "S3", Lines: lines("tea", 20, "cup", 9, "mat", 12)},
				allocator.Receipt{ID: "r5", Location: "S5", Lines: lines("cup", 40, "rug", 12)},
				allocator.Receipt{ID: "lot", Location: "S1", Lines: lines("milk", 4), Lots: map[string]allocator.Lot{"milk": {ID: "A17", Expires: landedTime.AddDate(0, 1, 0)}}})
		}},
		{"bundles", false, func(ctx context.Context, a *allocator.Allocator) error {
			return a.SetBundles(ctx, allocator.Bundle{SKU: "set", Parts: []allocator.Component{{SKU: "tea", Quantity: 1}, {SKU: "cup", Quantity: 2}}})
		}},
		{"windows", false, func(ctx context.Context, a *allocator.Allocator) error {
			return errors.Join(a.SetWindows(ctx, allocator.Window{Location: "S0", Start: landedTime.Add(24 * time.Hour), Length: time.Hour, Places: 3}),
				a.SetCapacity(ctx, allocator.Capacity{Location: "S1", Per: allocator.Day, Orders: 40, Lines: 90}),
				a.SetSafetyStock(ctx, allocator.SafetyStock{SKU: "cup", Location: "S1", Units: 1}, allocator.SafetyStock{SKU: "cap", Units: 1}),
				a.SetShelfLife(ctx, allocator.ShelfLife{SKU: "milk", Keeps: 72 * time.Hour}),
				a.SetProtection(ctx, allocator.Protection{Channel: "web", SKU: "tea", Units: 2}))
		}},
		{"quotas", true, func(ctx context.Context, a *allocator.Allocator) error {
			return errors.Join(a.SetQuota(ctx, allocator.Quota{ID: "q1", SKU: "cup", Channel: "till", Location: "S3", Units: 5}),
				a.Borrow(ctx, allocator.Loan{ID: "loan", SKU: "cup", From: "till", To: "kiosk", Location: "S3", Units: 2}))
		}},
		{"movements", true, func(ctx context.Context, a *allocator.Allocator) error {
			return errors.Join(a.Count(ctx, allocator.Count{ID: "count", Location: "S3", AsOf: landedTime.Add(-time.Second), Lines: lines("tea", 19)}),
				a.Sell(ctx, allocator.Sale{ID: "sale", Location: "S3", Lines: lines("tea", 1)}),
				a.Send(ctx, allocator.Transfer{ID: "send", From: "S3", To: "S1", Lines: lines("tea", 3)}),
				a.Deliver(ctx, allocator.Delivery{ID: "deliver", Transfer: "send", Lines: lines("tea", 2)}))
		}},
	}
}

// landedLife is what happens to the orders, step by step.
func landedLife(clock *landedClock) []landedStep {
	call := func(f func(ctx context.Context, a *allocator.Allocator) error) landedStep {
		return landedStep{"life", false, f}
	}
	change := func(list ...allocator.Change) landedStep {
		return landedStep{"changes from " + list[0].ID, true, func(ctx context.Context, a *allocator.Allocator) error { return a.Change(ctx, list...) }}
	}
	later := func(by time.Duration) landedStep {
		return call(func(ctx context.Context, a *allocator.Allocator) error {
			clock.now = clock.now.Add(by)
			_, err := a.Expire(clock.now)
			return err
		})
	}
	var confirm []allocator.Change
	for i, id := range []string{"confirmed", "collected", "no-show", "ready", "short", "rejected", "returned", "full", "windowed", "quota", "milk", "set",
		"split-confirmed", "split-collected", "split-half", "brought-sent", "brought-here", "brought-collected", "sent-confirmed", "sent-collected"} {
		c := allocator.Change{ID: fmt.Sprint("confirm-", i), Reservation: id, Do: allocator.DoConfirm}
		if id == "split-half" {
			c.Part = 2
		}
		confirm = append(confirm, c)
	}
	road := func(ids ...string) (list []allocator.Change) {
		for _, id := range ids {
			list = append(list, allocator.Change{ID: "go-" + id, Reservation: id, Do: allocator.DoDispatch, Location: "S4"})
		}
		return list
	}
	until := allocator.Pickup{Code: "4711", Until: landedTime.Add(72 * time.Hour)}
	return []landedStep{
		change(confirm...),
		change(allocator.Change{ID: "cancel", Reservation: "canceled", Do: allocator.DoCancel}, allocator.Change{ID: "cancel-split", Reservation: "split-canceled", Do: allocator.DoCancel}),
		change(allocator.Change{ID: "short", Reservation: "short", Do: allocator.DoShortPick, Lines: []allocator.Line{{SKU: "tea", Quantity: 1}}}),
		change(allocator.Change{ID: "reject", Reservation: "rejected", Do: allocator.DoReject}),
		change(road("brought-sent", "brought-here", "brought-collected")...),
		call(func(ctx context.Context, a *allocator.Allocator) error {
			return errors.Join(a.Arrive(ctx, "brought-here"), a.Arrive(ctx, "brought-collected"))
		}),
		change(allocator.Change{ID: "ready-1", Reservation: "ready", Do: allocator.DoReady, Pickup: until}, allocator.Change{ID: "ready-2", Reservation: "no-show", Do: allocator.DoReady, Pickup: allocator.Pickup{Until: landedTime.Add(30 * time.Minute)}},
			allocator.Change{ID: "ready-3", Reservation: "brought-collected", Do: allocator.DoReady, Pickup: until}),
		change(allocator.Change{ID: "collect-1", Reservation: "collected", Do: allocator.DoCollect}, allocator.Change{ID: "collect-2", Reservation: "split-collected", Part: 1, Do: allocator.DoCollect}, allocator.Change{ID: "collect-6", Reservation: "split-collected", Part: 2, Do: allocator.DoCollect},
			allocator.Change{ID: "collect-3", Reservation: "brought-collected", Do: allocator.DoCollect}, allocator.Change{ID: "collect-4", Reservation: "sent-collected", Do: allocator.DoCollect},
			allocator.Change{ID: "collect-5", Reservation: "returned", Do: allocator.DoCollect}),
		{"return", true, func(ctx context.Context, a *allocator.Allocator) error {
			return a.Return(ctx, allocator.Return{ID: "return", Reservation: "returned", Location: "S3", As: allocator.Damaged})
		}},
		call(func(ctx context.Context, a *allocator.Allocator) error {
			var err error
			for _, id := range []string{"held", "split-held", "brought-held", "sent-held", "instead", "partial", "mixed"} {
				_, extended := a.Extend(ctx, id, 100*time.Minute)
				err = errors.Join(err, extended)
			}
			return err
		}),
		later(90 * time.Minute),
	}
}

func TestLandedDirectory(t *testing.T) {
	if *writeLanded != "" {
		makeLanded(t, *writeLanded)
	}
	for _, name := range landedDirectories {
		for _, from := range []string{"snapshot", "journal"} {
			t.Run(name+", "+from, func(t *testing.T) { opensLanded(t, name, from) })
		}
	}
}

// opensLanded opens a directory, from its snapshot or from its journal alone.
func opensLanded(t *testing.T, name, from string) {
	want, err := os.ReadFile(landedText(name))
	if err != nil {
		t.Fatal(err)
	}
	dir := scaletest.Unpack(t, landedFile(name))
	if from == "journal" {
		snapshots, err := filepath.Glob(filepath.Join(dir, "*.snapshot"))
		if err = errors.Join(err, os.Remove(snapshots[0])); err != nil || len(snapshots) != 1 {
			t.Fatal(snapshots, err)
		}
	}
	clock := &landedClock{now: landedTime.Add(90 * time.Minute)}
	for range 2 { // the second time what the first one has written
		a, err := allocator.Open(t.Context(), clock.options(dir))
		if err != nil {
			t.Fatal(err)
		}
		got := tellLanded(t, a)
		if *tellText == name && from == "snapshot" {
			want = []byte(got)
			if err := os.WriteFile(landedText(name), want, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if got != string(want) {
			t.Errorf("the directory tells otherwise:\n%s", firstDifference(got, string(want)))
		}
		repeatLanded(t, a, clock)
		if got := tellLanded(t, a); got != string(want) {
			t.Errorf("repeats have changed it:\n%s", firstDifference(got, string(want)))
		}
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// repeatLanded makes every call that has an ID again.
func repeatLanded(t *testing.T, a *allocator.Allocator, clock *landedClock) {
	t.Helper()
	for _, step := range slices.Concat(landedWorld(), landedLife(clock)) {
		if step.named {
			if err := step.do(t.Context(), a); err != nil {
				t.Errorf("%s, repeated: %v", step.name, err)
			}
		}
	}
}

// tellLanded is all that the door tells of the directory.
func tellLanded(t *testing.T, a *allocator.Allocator) string {
	t.Helper()
	var text strings.Builder
	tell := func(what string, v any) {
		line, err := json.Marshal(v)
		if err != nil {
			t.Fatal(what, err)
		}
		fmt.Fprintf(&text, "%s: %s\n", what, line)
	}
	for _, o := range landedOrders() {
		r, err := a.Lookup(o.ID)
		tell("order "+o.ID, r)
		for _, n := range r.Parts {
			p, failed := a.Part(o.ID, n).Lookup()
			err = errors.Join(err, failed)
			tell(fmt.Sprintf("part %d of %s", n, o.ID), p)
		}
		again, failed := a.Allocate(t.Context(), o)
		if err := errors.Join(err, failed); err != nil {
			t.Errorf("%s: %v", o.ID, err)
		}
		tell("again "+o.ID, again)
		for i, part := range again.Parts() {
			tell(fmt.Sprintf("answer %s, part %d", o.ID, i+1), []any{part, part.Lines(), part.Missing(), part.Substituted()})
		}
	}
	for n := range 6 {
		place := fmt.Sprint("S", n)
		for _, sku := range []string{"tea", "cup", "rug", "mat", "hat", "cap", "milk"} {
			if v, err := a.Available(sku, place); err == nil {
				tell("stock of "+sku+" at "+place, v)
			}
		}
		page, err := a.List(t.Context(), allocator.Listing{Location: place})
		var ids []string
		for _, r := range page.Reservations {
			ids = append(ids, fmt.Sprintf("%s, part %d", r.ID, r.Part))
		}
		tell("pick list of "+place, []any{ids, err == nil})
		for w := range a.Windows(place, landedTime, landedTime.AddDate(0, 0, 7)) {
			tell("window", w)
		}
	}
	for q, v := range a.Quotas() {
		tell("quota", []any{q, v})
	}
	tell("settings", []any{slices.Collect(a.Bundles()), slices.Collect(a.Capacities()), slices.Collect(a.Protections()), slices.Collect(a.Loans()), slices.Collect(a.ShelfLives())})
	for e, err := range a.Events(t.Context(), 1) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Name != "Opened" { // once more by each owner
			tell("event", e)
		}
		if e.Sequence == a.Stats().Journal.Durable {
			break
		}
	}
	report, err := a.Audit(t.Context())
	if err != nil || len(report.Differences) > 0 {
		t.Errorf("audit: %v %v", report.Differences, err)
	}
	return text.String()
}

// firstDifference is the first line in which two texts differ.
func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			return fmt.Sprintf("line %d\ngot  %s\nwant %s", i+1, g[i], w[i])
		}
	}
	return fmt.Sprintf("%d lines, want %d", len(g), len(w))
}

// makeLanded writes the directory and its text.
func makeLanded(t *testing.T, name string) {
	dir, clock := t.TempDir(), &landedClock{now: landedTime}
	a, err := allocator.Open(t.Context(), clock.options(dir))
	if err != nil {
		t.Fatal(err)
	}
	run := func(steps []landedStep) {
		for _, step := range steps {
			if err := step.do(t.Context(), a); err != nil {
				t.Fatalf("%s: %v", step.name, err)
			}
		}
	}
	run(landedWorld())
	for i, got := range a.AllocateAll(t.Context(), landedOrders()...) {
		if got.Err != nil {
			t.Fatalf("%s: %v", landedOrders()[i].ID, got.Err)
		}
	}
	life := landedLife(clock)
	run(life[:4])
	if err := a.Snapshot(t.Context()); err != nil { // so one half is in the snapshot and one behind it
		t.Fatal(err)
	}
	run(life[4:])
	text := tellLanded(t, a)
	if err := errors.Join(a.Close(), os.WriteFile(landedText(name), []byte(text), 0o600), os.WriteFile(landedFile(name), scaletest.Pack(t, dir), 0o600)); err != nil {
		t.Fatal(err)
	}
}
