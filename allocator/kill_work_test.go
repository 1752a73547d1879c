package allocator_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clickcollect/clickcollect/allocator"
	"github.com/clickcollect/clickcollect/allocator/sourcing"
)

// killVariable names the world in the environment of the process that is killed.
const killVariable = "CLICKCOLLECT_KILL_WORLD"

// TestKillWorker is the process that is killed. It does nothing unless it was
// started as that, and then works without an end.
func TestKillWorker(t *testing.T) {
	text := os.Getenv(killVariable)
	if text == "" {
		t.Skip("is started by TestKillLoop")
	}
	var w killWorld
	if err := json.Unmarshal([]byte(text), &w); err != nil {
		t.Fatal(err)
	}
	// What says that the parent is gone is the error of a write.
	if err := w.work(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "kill worker:", err)
		os.Exit(1)
	}
}

// work goes on where the side log says that the process before it stopped.
func (w *killWorld) work(ctx context.Context) error {
	lines, err := readKillLog(w.Log)
	if err != nil {
		return err
	}
	log, err := openKillLog(w.Log, os.Stdout)
	if err != nil {
		return err
	}
	a, err := allocator.Open(ctx, w.options())
	if err != nil {
		return err
	}
	return w.workOn(ctx, a, log, lines, 0)
}

// workOn lets all callers work, each for so many steps, or without an end.
func (w *killWorld) workOn(ctx context.Context, a *allocator.Allocator, log *killLog, before []killLine, steps int) error {
	draw := rand.New(rand.NewPCG(w.Seed, uint64(w.Life)))
	var n atomic.Int64
	n.Store(int64(w.Life) << 32)
	first := killCaller{world: w, a: a, log: log, draw: draw, n: &n}
	if !slices.ContainsFunc(before, func(l killLine) bool { return l.Ask != nil && l.Ask.Verb == "bundles" }) { // the last of the first asks
		for _, q := range w.firstAsks(rand.New(rand.NewPCG(w.Seed, 3))) {
			if err := first.ask(ctx, &q); err != nil {
				return err
			}
		}
	}
	var callers sync.WaitGroup
	failed := make(chan error, killCallers+1)
	for i := range killCallers {
		c := &killCaller{world: w, a: a, log: log, number: i, n: &n, draw: rand.New(rand.NewPCG(w.Seed, uint64(w.Life)<<8+uint64(i)+1))}
		c.adopt(before)
		callers.Go(func() { failed <- c.live(ctx, steps) })
	}
	callers.Go(func() {
		for range max(steps/20, 1) {
			if err := a.Snapshot(ctx); err != nil {
				failed <- err
				return
			}
		}
	})
	callers.Wait()
	close(failed)
	for e := range failed {
		if e != nil {
			return e
		}
	}
	return nil
}

// killCaller is one goroutine that works. It alone changes its orders, and the
// settings of its locations.
type killCaller struct {
	world  *killWorld
	a      *allocator.Allocator
	log    *killLog
	number int
	draw   *rand.Rand
	n      *atomic.Int64
	orders []string // that are not over yet
	made   int      // IDs given out
	sent   []string // transfers
	lent   []allocator.Loan
	asks   func(context.Context, *killAsk) error // makes a request in another way than by the side log; nil: ask does
}

// adopt goes on with the latest orders of the caller's from earlier lives.
func (c *killCaller) adopt(before []killLine) {
	for _, line := range before {
		if line.Ask == nil || line.Ask.Verb != "allocate" {
			continue
		}
		for _, o := range line.Ask.Orders {
			if strings.HasSuffix(o.ID, fmt.Sprintf("-by-%d", c.number)) {
				c.orders = append(c.orders, o.ID)
			}
		}
	}
	c.orders = c.orders[max(0, len(c.orders)-20):]
}

// id is a new one. Some are made of another one's and a number, as document numbers
// are, and as former versions named parts.
func (c *killCaller) id(kind string) string {
	c.made++
	id := fmt.Sprintf("%s-%d-%d-by-%d", kind, c.world.Life, c.made, c.number)
	if c.made%4 == 0 {
		id = fmt.Sprintf("%s-%d-%d-by-%d/%d", kind, c.world.Life, c.made-1-c.made/4%3, c.number, 1+c.made/4%3)
	}
	return id
}

// ask makes a request between its two lines in the side log. Then it reads the
// orders that the request was about.
func (c *killCaller) ask(ctx context.Context, q *killAsk) error {
	if c.asks != nil {
		return c.asks(ctx, q)
	}
	n := c.n.Add(1)
	if err := c.log.write(killLine{N: n, Ask: q}); err != nil {
		return err
	}
	told := q.do(ctx, c.a)
	if err := c.log.write(killLine{N: n, Told: &told}); err != nil {
		return err
	}
	return killReads(c.a, c.log, n, q.touches())
}

// killReads writes down how orders stand.
func killReads(a *allocator.Allocator, log *killLog, n int64, orders []string) error {
	for _, id := range orders {
		r, err := a.Lookup(id)
		if errors.Is(err, allocator.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		if err := log.write(killLine{N: n, Read: &r}); err != nil {
			return err
		}
	}
	return nil
}

func (c *killCaller) live(ctx context.Context, steps int) error {
	for step := 0; steps == 0 || step < steps; step++ {
		var err error
		switch at := c.draw.IntN(100); {
		case at < 34 || len(c.orders) == 0:
			err = c.order(ctx)
		case at < 80:
			err = c.goOn(ctx)
		case at < 91:
			err = c.move(ctx)
		default:
			err = c.set(ctx)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *killCaller) one(of []string) string { return of[c.draw.IntN(len(of))] }

// order makes one order, or several in one call.
func (c *killCaller) order(ctx context.Context) error {
	q := killAsk{Verb: "allocate"}
	for range 1 + max(0, c.draw.IntN(6)-3) {
		o := allocator.Order{ID: c.id("o"), Near: killPoint(c.draw.IntN(len(killPlaces)))}
		for range 1 + c.draw.IntN(3) {
			o.Lines = append(o.Lines, allocator.Line{SKU: c.one(killPlainSKU), Quantity: 1 + c.draw.Int64N(3)})
		}
		c.dress(&o)
		q.Orders = append(q.Orders, o)
		c.orders = append(c.orders, o.ID)
	}
	return c.ask(ctx, &q)
}

// dress makes an order one of a kind.
func (c *killCaller) dress(o *allocator.Order) {
	if c.draw.IntN(3) == 0 {
		o.Order, o.Customer, o.Owner = "SO-"+o.ID, "C-"+fmt.Sprint(c.draw.IntN(9)), "cart"
	}
	switch c.draw.IntN(20) {
	case 0:
		o.HoldFor = 5 * time.Millisecond
	case 1, 2, 3:
		o.HoldFor = 2 * time.Hour
	}
	store := killPlaces[c.draw.IntN(6)]
	switch c.draw.IntN(14) {
	case 0, 1: // plain
	case 2, 3:
		o.MaxLocations, o.Form = 3, sourcing.Ship
		o.Lines = append(o.Lines, allocator.Line{SKU: c.one(killSubSKU), Quantity: 50 + c.draw.Int64N(600)})
	case 4:
		o.At, o.Form, o.MaxLocations = store, sourcing.ShipToStore, 2+c.draw.IntN(2)
	case 5:
		o.At, o.Window = store, c.world.Base.Add(time.Duration(c.draw.IntN(4))*time.Hour)
	case 6:
		o.Lines = append(o.Lines, allocator.Line{SKU: c.one(killBundle), Quantity: 1 + c.draw.Int64N(2)})
	case 7:
		o.Lines = append(o.Lines, allocator.Line{SKU: c.one(killLotSKU), Quantity: 1 + c.draw.Int64N(4)})
	case 8:
		o.Lines = append(o.Lines, allocator.Line{SKU: killSubSKU[0], Quantity: 1 + c.draw.Int64N(400)})
		o.Substitutes = map[string][]string{killSubSKU[0]: {c.one([]string{killSubSKU[1], killNowSKU[0]}), c.one(killPlainSKU)}}
	case 9, 10:
		o.Channel = c.one(killChannels)
		o.Lines = append(o.Lines, allocator.Line{SKU: c.one(killQuotaSKU), Quantity: 1 + c.draw.Int64N(3)})
	case 11:
		o.Partial, o.MaxLocations = true, 2
		o.Lines = append(o.Lines, allocator.Line{SKU: c.one(killSubSKU), Quantity: 300 + c.draw.Int64N(900)})
		o.Together = [][]string{{o.Lines[0].SKU, o.Lines[len(o.Lines)-1].SKU}}
	case 12:
		o.At, o.MaxLocations = store, 3
		o.Lines = append(o.Lines, allocator.Line{SKU: killSubSKU[1], Quantity: 1})
		o.Forms = map[string]sourcing.Form{killSubSKU[1]: sourcing.Ship}
	case 13:
		o.Groups, o.Payment = []string{"cold", "big"}, "prepaid"
		o.Prefer, o.Exclude = []string{store}, []string{c.one(killPlaces)}
		o.NeededBy, o.Promise = c.world.Base.Add(96*time.Hour), c.world.Base.Add(90*time.Hour)
	}
}

// goOn takes one order a step further, or several in one call.
func (c *killCaller) goOn(ctx context.Context) error {
	if c.draw.IntN(3) == 0 {
		q := killAsk{Verb: "change"}
		seen := map[string]bool{}
		for range min(1+c.draw.IntN(4), len(c.orders)) {
			if len(c.orders) == 0 {
				return nil
			}
			id := c.one(c.orders)
			if q1 := c.step(id); q1 != nil && !seen[id] {
				seen[id] = true
				if change, ok := c.change(q1); ok {
					q.Changes = append(q.Changes, change)
				}
			}
		}
		if len(q.Changes) > 0 {
			return c.ask(ctx, &q)
		}
	}
	if len(c.orders) > 0 {
		if q := c.step(c.one(c.orders)); q != nil {
			return c.ask(ctx, q)
		}
	}
	return nil
}

// change is a request of one reservation as a change with an ID, if it can be one.
func (c *killCaller) change(q *killAsk) (allocator.Change, bool) {
	if q.Verb == "change" {
		return q.Changes[0], true
	}
	do, ok := map[string]allocator.Action{"confirm": allocator.DoConfirm, "accept": allocator.DoAccept, "dispatch": allocator.DoDispatch,
		"arrive": allocator.DoArrive, "ready": allocator.DoReady, "short pick": allocator.DoShortPick, "collect": allocator.DoCollect,
		"cancel": allocator.DoCancel, "reject": allocator.DoReject}[q.Verb]
	return allocator.Change{ID: c.id("c"), Reservation: q.ID, Part: q.Part, Do: do, Lines: q.Lines, Location: q.Location, Pickup: q.Pickup}, ok
}

// drop forgets an order that is over.
func (c *killCaller) drop(id string) *killAsk {
	for i := range c.orders {
		if c.orders[i] == id {
			c.orders = append(c.orders[:i], c.orders[i+1:]...)
			break
		}
	}
	return nil
}

// step is the next request of an order's life; nil: there is none. Of an order
// whose parts stand alike the order may be named; else each part is.
func (c *killCaller) step(id string) *killAsk {
	r, err := c.a.Lookup(id)
	if err != nil {
		return c.drop(id)
	}
	target := r
	alike := true
	if len(r.Parts) > 1 {
		var live []allocator.Reservation
		for _, n := range r.Parts {
			if p, err := c.a.Part(id, n).Lookup(); err == nil {
				if alike = alike && (p.State == r.State); !p.State.Ended() || p.State == allocator.Collected || p.State == allocator.Delivered {
					live = append(live, p)
				}
			}
		}
		if len(live) == 0 {
			return c.drop(id)
		}
		target = live[c.draw.IntN(len(live))]
	}
	q := c.next(&target)
	if q == nil {
		return c.drop(id)
	}
	if q.ID, q.Part = id, target.Part; len(r.Parts) > 1 && (alike || c.draw.IntN(4) == 0) && len(q.Lines) == 0 && q.Verb != "reject" && c.draw.IntN(3) > 0 {
		q.Part = 0
	}
	for i := range q.Returns {
		q.Returns[i].Reservation, q.Returns[i].Part = q.ID, q.Part
		if len(q.Returns[i].Lines) > 0 {
			q.Returns[i].Part = target.Part
		}
	}
	for i := range q.Changes {
		q.Changes[i].Reservation, q.Changes[i].Part = q.ID, q.Part
	}
	if len(q.Returns)+len(q.Changes) > 0 {
		q.ID, q.Part = "", 0
	}
	return q
}
