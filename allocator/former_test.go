package allocator

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/bench/scaletest"
)

// formerFile is a directory that was written before digests had a key, by the
// calls of former.
const formerFile = "testdata/former.tar.gz"

// formerNow is the time at which it was written.
var formerNow = time.UnixMilli(1_767_225_600_000)

func formerOptions(dir string) Options {
	return Options{Dir: dir, SegmentBytes: 1 << 16, ManualExpiry: true, Clock: func() time.Time { return formerNow }}
}

// formerOrders are orders of every kind that has a digest of its own, the last one
// over two locations.
func formerOrders() []Order {
	full := ordered("former-terms", Line{"tea", 1}, Line{"cup", 2})
	full.Order, full.Customer, full.Owner, full.Channel = "SO-1", "C-1", "cart", "web"
	full.HoldFor, full.Promise = time.Hour, formerNow.Add(3*time.Hour)
	at := Order{ID: "former-at", At: "L1", Lines: []Line{{"tea", 2}}}
	reach := Order{ID: "former-reach", Near: streetPoint(2), MaxDistance: 5000, Kinds: []Kind{Store, Locker}, Lines: []Line{{"cup", 1}, {"cup", 1}}}
	shipped := Order{ID: "former-shipped", Near: streetPoint(1), Form: sourcing.Ship, Lines: []Line{{"tea", 1}}, Payment: "card",
		Exclude: []string{"L3"}, Prefer: []string{"L2"}, NeededBy: formerNow.Add(48 * time.Hour), Substitutes: map[string][]string{"tea": {"cup"}}}
	split := Order{ID: "former-split", Near: streetPoint(0), MaxLocations: 3, Together: [][]string{{"tea"}}, Lines: []Line{{"hat", 3}, {"tea", 1}}}
	return []Order{ordered("former", Line{"tea", 1}), full, at, reach, shipped, split}
}

// former makes calls of every kind that has an ID. Made again they change nothing,
// and all succeed; what they answer to the orders is returned.
func former(ctx context.Context, a *Allocator) (got []Outcome, err error) {
	tea := []Line{{"tea", 40}, {"cup", 40}}
	err = errors.Join(
		a.Receive(ctx, Receipt{ID: "r0", Location: "L0", Lines: tea}, Receipt{ID: "r1", Location: "L1", Lines: tea},
			Receipt{ID: "r2", Location: "L2", Lines: append(tea[:2:2], Line{"hat", 2})}, Receipt{ID: "r3", Location: "L3", Lines: append(tea[:2:2], Line{"hat", 1})}),
		a.Receive(ctx, Receipt{ID: "lot", Location: "L0", Lines: []Line{{"milk", 4}},
			Lots: map[string]Lot{"milk": {ID: "A17", Expires: time.Date(2031, 1, 2, 0, 0, 0, 0, time.UTC)}}}),
		a.Count(ctx, Count{ID: "count", Location: "L0", AsOf: formerNow.Add(-time.Second), Lines: []Line{{"tea", 39}}}),
		a.Sell(ctx, Sale{ID: "sale", Location: "L0", Lines: []Line{{"cup", 1}}}),
		a.Adjust(ctx, Adjustment{ID: "adjust", Location: "L1", Lines: []Line{{"cup", -1}}}),
		a.WriteOff(ctx, Damage{ID: "damage", Location: "L1", Lines: []Line{{"tea", 1}}}),
		a.Send(ctx, Transfer{ID: "send", From: "L0", To: "L2", Lines: []Line{{"tea", 3}}}),
		a.Deliver(ctx, Delivery{ID: "deliver", Transfer: "send", Lines: []Line{{"tea", 2}}}),
		a.Lose(ctx, Loss{ID: "lose", Transfer: "send"}),
		a.SetQuota(ctx, Quota{ID: "quota", SKU: "cup", Channel: "till", Location: "L3", Units: 5}),
		a.Borrow(ctx, Loan{ID: "loan", SKU: "cup", From: "till", To: "kiosk", Location: "L3", Units: 2}),
		a.GiveBack(ctx, Loan{ID: "back", SKU: "cup", From: "till", To: "kiosk", Location: "L3", Units: 1}))
	got = a.AllocateAll(ctx, formerOrders()...)
	for i := range got {
		err = errors.Join(err, got[i].Err)
	}
	return got, errors.Join(err,
		a.Change(ctx, Change{ID: "c1", Reservation: "former", Do: DoConfirm}, Change{ID: "c2", Reservation: "former", Do: DoReady,
			Pickup: Pickup{Code: "4711", Until: formerNow.Add(time.Hour)}}, Change{ID: "c3", Reservation: "former", Do: DoCollect}),
		a.Return(ctx, Return{ID: "b1", Reservation: "former", Location: "L2", As: Damaged}),
		a.Change(ctx, Change{ID: "c4", Reservation: "former-split", Do: DoConfirm},
			Change{ID: "c5", Reservation: "former-terms", Do: DoCancel, Lines: []Line{{"cup", 1}}}))
}

// A directory from before digests had a key opens, and every call that it knows is
// answered as the first time, from its snapshot and from its journal; other content
// under the same ID is refused as ever.
func TestFormerDirectory(t *testing.T) {
	for _, from := range []string{"snapshot", "journal"} {
		t.Run(from, func(t *testing.T) {
			dir := scaletest.Unpack(t, formerFile)
			if from == "journal" {
				all, err := filepath.Glob(filepath.Join(dir, "*.snapshot"))
				must(t, err, os.Remove(all[0]))
			}
			for range 2 { // the second time by an owner who has the key already
				a, err := Open(t.Context(), formerOptions(dir))
				must(t, err)
				sequence := a.Stats().Journal.Sequence
				got, err := former(t.Context(), a)
				must(t, err)
				for i, want := range formerAnswers {
					if got := answerText(got[i].Allocation); got != want {
						t.Errorf("got  %s\nwant %s", got, want)
					}
				}
				if now := a.Stats().Journal.Sequence; now != sequence {
					t.Errorf("repeats have written %d records", now-sequence)
				}
				for _, o := range formerOrders() {
					o.Lines = append(o.Lines[:len(o.Lines):len(o.Lines)], Line{"tea", 1})
					if _, err := a.Allocate(t.Context(), o); !errors.Is(err, ErrConflict) {
						t.Errorf("%s with a line more: %v", o.ID, err)
					}
				}
				must(t, a.Close())
			}
		})
	}
}

// formerAnswers are what that version answered to the orders when they were
// repeated: it kept of a planned order neither its cost nor that nobody had been
// told when it is ready.
var formerAnswers = []string{
	`former at L0, 0 m, held until 1767226200000, collect, ready 0, cost 0, lines [], missing [], instead map[]`,
	`former-terms at L0, 0 m, held until 1767229200000, collect, ready 0, cost 0, lines [], missing [], instead map[]`,
	`former-at at L1, 0 m, held until 1767226200000, collect, ready 0, cost 0, lines [], missing [], instead map[]`,
	`former-reach at L2, 0 m, held until 1767226200000, collect, ready 0, cost 0, lines [], missing [], instead map[]`,
	`former-shipped at L2, 1111.9508023347473 m, held until 1767226200000, ship, ready 1767225600000, cost 0, lines [{tea 1}], missing [], instead map[]; former-shipped/1 at L2, 1111.9508023347473 m, held until 1767226200000, ship, ready 1767225600000, cost 0, lines [{tea 1}], missing [], instead map[]`,
	`former-split at L2, 2223.901604670214 m, held until 1767226200000, collect, ready 1767225600000, cost 0, lines [{hat 2} {tea 1} {hat 1}], missing [], instead map[]; former-split/1 at L2, 2223.901604670214 m, held until 1767226200000, collect, ready 1767225600000, cost 0, lines [{hat 2} {tea 1}], missing [], instead map[]; former-split/2 at L3, 3335.852407005362 m, held until 1767226200000, collect, ready 1767225600000, cost 0, lines [{hat 1}], missing [], instead map[]`,
}

// answerText is all that an answer says.
func answerText(g Allocation) string {
	name := g.ID
	if g.why != nil && g.why.number > 0 && g.Part > 0 {
		name = nameOf(g.ID, g.Part)
	}
	text := fmt.Sprintf("%s at %s, %v m, held until %d, %v, ready %d, cost %d, lines %v, missing %v, instead %v", name, g.Location, float64(g.Distance),
		millis(g.HeldUntil), g.Form, millis(g.Ready), g.Cost, g.Lines(), g.Missing(), g.Substituted())
	for _, part := range g.Parts() {
		if g.why != nil && g.why.number == 0 {
			text += "; " + answerText(part)
		}
	}
	return text
}
