package allocator_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/clickcollect/clickcollect/allocator"
)

// doorDeepest is how deep calls are made inside of calls.
const doorDeepest = 2

// doorCaller is one goroutine that works. What it works on others may work on, too.
type doorCaller struct {
	d     *door
	a     *allocator.Allocator
	draw  *rand.Rand
	kill  killCaller // draws most of the requests
	deep  int
	threw bool // the loop of the walk under way has panicked
	sure  bool // its contexts do not end
	inner bool // works inside of a function of the host's: Close would wait for the call that asks it
}

// doorHosts is the number of the first caller inside of a function of the host's,
// which make few calls each.
const doorHosts = 1000

// caller is the n-th of a life; the IDs it gives out are its own.
func (d *door) caller(n uint64) *doorCaller {
	made := int(n) << 20
	if n >= doorHosts {
		made = 1<<30 + int(n-doorHosts)<<8
	}
	draw := doorDraw(d.seed, uint64(d.world.Life)<<40|(n+100))
	c := &doorCaller{d: d, a: d.a, draw: draw}
	c.kill = killCaller{world: &d.world, a: d.a, draw: draw, number: int(n % killCallers), made: made}
	c.kill.asks = func(_ context.Context, q *killAsk) error { c.run(q); return nil }
	return c
}

func (c *doorCaller) one(in int) bool { return c.draw.IntN(in) == 0 }

// work makes calls until the life's calls are made, and some more of an engine that
// was closed.
func (c *doorCaller) work() {
	for after := 0; c.d.left.Load() > 0 && after < 40; {
		if c.d.closed.Load() {
			after++
		}
		c.step()
	}
}

// step makes a call, with those inside of it.
func (c *doorCaller) step() {
	c.kill.orders, c.kill.sent, c.kill.lent = c.d.book.some(c.draw)
	ctx := context.Background()
	if !c.d.Still {
		c.pass()
	}
	switch at := c.draw.IntN(1000); {
	case at < 230:
		_ = c.kill.order(ctx)
	case at < 480:
		_ = c.kill.goOn(ctx)
	case at < 540:
		_ = c.kill.move(ctx)
	case at < 580:
		c.movement()
	case at < 650:
		_ = c.kill.set(ctx)
	case at < 730:
		c.wild()
	case at < 850:
		c.again()
	case at < 852 && c.d.Closes && !c.inner && c.d.left.Load() < int64(c.d.calls/c.d.lives/2):
		c.closes()
	default:
		names := doorReadNames
		doorReads[names[c.draw.IntN(len(names))]](c)
	}
}

// pass lets time pass.
func (c *doorCaller) pass() {
	switch at := c.draw.IntN(2000); {
	case at < 1:
		c.d.passed.Add(c.draw.Int64N(20 * time.Hour.Milliseconds()))
	case at < 60:
		c.d.passed.Add(c.draw.Int64N(10 * time.Minute.Milliseconds()))
	case at < 300:
		c.d.passed.Add(c.draw.Int64N(2000))
	}
}

// closes closes the engine under the hands of the other callers.
func (c *doorCaller) closes() {
	c.call("Close", c.a.Close)
	c.d.closed.Store(true)
}

// ctx is now and then one that has ended, or that ends soon.
func (c *doorCaller) ctx() (context.Context, context.CancelFunc) {
	at := c.draw.IntN(80)
	if at == 0 && !c.sure {
		return c.untilTick()
	}
	ctx, stop := context.WithCancel(context.Background())
	if at == 1 && !c.sure {
		stop()
	}
	return ctx, stop
}

// untilTick is a context that ends at the next tick.
func (c *doorCaller) untilTick() (context.Context, context.CancelFunc) {
	ctx, stop := context.WithCancel(context.Background())
	tick := c.d.guard.next()
	go func() {
		select {
		case <-tick:
			stop()
		case <-ctx.Done():
		}
	}()
	return ctx, stop
}

// call makes one call and judges what comes out of it. It counts.
func (c *doorCaller) call(name string, f func() error) error {
	d := c.d
	closed, outer := d.closed.Load(), c.threw
	c.threw = false
	value, err := c.guarded(f)
	if value != nil && !c.threw {
		d.fault("%s: panic: %v", name, value)
	}
	c.threw = outer
	d.guard.moved.Add(1)
	d.left.Add(-1)
	d.mu.Lock()
	d.called[name]++
	if err == nil && value == nil {
		d.did[name]++
	}
	d.mu.Unlock()
	if value == nil {
		if fault := doorJudge(name, err, closed, d.Recorded); fault != "" {
			d.fault("%s: %s", name, fault)
		}
	}
	return err
}

// guarded makes a call and says what it panicked with.
func (c *doorCaller) guarded(f func() error) (value any, err error) {
	returned := false
	defer func() {
		if !returned {
			value = recover()
			if value == nil {
				value = "runtime.Goexit"
			}
			if _, ours := value.(doorPanic); !ours {
				value = fmt.Sprintf("%v\n%s", value, doorStack())
			}
		}
	}()
	err = f()
	returned = true
	return nil, err
}

// body is what happens in the loop of a walk: calls, a panic, an end.
func (c *doorCaller) body() bool {
	if c.deep < doorDeepest {
		switch at := c.draw.IntN(60); {
		case at < 1:
			c.threw = true
			panic(doorPanic("the loop of a walk"))
		case at < 5:
			c.deep++
			c.step()
			c.deep--
		}
	}
	return c.draw.IntN(8) > 0
}

// run makes a request that was drawn.
func (c *doorCaller) run(q *killAsk) {
	c.fit(q)
	if q.Verb == "allocate" {
		c.orders(q.Orders)
		return
	}
	c.request(c.d.book.asked(q))
}

// fit makes a request one for this world.
func (c *doorCaller) fit(q *killAsk) {
	d := c.d
	for i := range q.Orders {
		if c.one(3) { // one of two kinds
			c.kill.dress(&q.Orders[i])
		}
		if c.one(80) {
			c.spoilOrder(&q.Orders[i])
		}
		if d.Long && c.one(20) { // some of them too long for what the engine adds
			q.Orders[i].ID += strings.Repeat("x", 65_535-c.draw.IntN(12)-len(q.Orders[i].ID))
		}
		if q.Orders[i].HoldFor > 0 && c.one(2) {
			q.Orders[i].HoldFor = time.Duration(1+c.draw.IntN(int(4*time.Hour/time.Millisecond))) * time.Millisecond
		}
	}
	for i := range q.Counts {
		if !q.Counts[i].AsOf.IsZero() {
			q.Counts[i].AsOf = doorBegin.Add(time.Duration(d.passed.Load()-c.draw.Int64N(500)) * time.Millisecond)
		}
	}
	if q.Verb == "ready" && !q.Pickup.Until.IsZero() {
		q.Pickup.Until = doorBegin.Add(time.Duration(d.passed.Load())*time.Millisecond + time.Duration(1+c.draw.IntN(600))*time.Minute)
	}
	if d.Calm {
		tills := []*string{}
		for i := range q.Sales {
			tills = append(tills, &q.Sales[i].Location)
		}
		for i := range q.Counts {
			tills = append(tills, &q.Counts[i].Location)
		}
		for i := range q.Adjustments {
			tills = append(tills, &q.Adjustments[i].Location)
		}
		for i := range q.Damages {
			tills = append(tills, &q.Damages[i].Location)
		}
		for _, at := range tills {
			*at = killPlaces[c.draw.IntN(3)]
		}
	}
}

// orders makes orders, in a call of each or one of all.
func (c *doorCaller) orders(all []allocator.Order) {
	var entries []*doorOrder
	for i := range all {
		entries = append(entries, c.d.book.ordered(all[i]))
	}
	c.allocate(entries, make([]int, len(entries)))
}

// allocate makes orders by their content: of each, which of its contents.
func (c *doorCaller) allocate(entries []*doorOrder, which []int) {
	var orders []allocator.Order
	var was []doorAnswer
	alone := c.alone() // the order is new, else Quote knows nothing of its ID
	for i, e := range entries {
		orders = append(orders, e.contents[which[i]])
		was, alone = append(was, c.d.book.first(e)), c.d.book.begins(e) && alone
	}
	ctx, stop := c.ctx()
	defer stop()
	if len(orders) > 1 || c.one(12) {
		var out []allocator.Outcome
		_ = c.call("AllocateAll", func() error {
			out = c.a.AllocateAll(ctx, orders...)
			var errs []error
			for i := range out {
				errs = append(errs, out[i].Err)
			}
			return doorFirstOf("Allocate", errs, c.d.Recorded)
		})
		for i := range out {
			c.answered(entries[i], which[i], was[i], out[i].Allocation, out[i].Err)
		}
		return
	}
	var quote string
	if alone = alone && ctx.Err() == nil; alone {
		_ = c.call("Quote", func() error {
			got, err := c.a.Quote(orders[0])
			quote = doorQuote(got, &orders[0], err)
			return err
		})
	}
	var got allocator.Allocation
	var done bool
	err := c.call("Allocate", func() (err error) {
		got, err = c.a.Allocate(ctx, orders[0])
		done = true
		return err
	})
	if done {
		c.answered(entries[0], which[0], was[0], got, err)
	}
	if is := doorQuote(got, &orders[0], err); alone && done && is != quote && !errors.Is(err, context.Canceled) {
		c.d.fault("the quote was\n %s\nand the answer is\n %s\n asked %s", quote, is, killText(orders[0]))
	}
}

// alone tells the callers beside whom nothing happens.
func (c *doorCaller) alone() bool {
	d := c.d
	return d.callers == 1 && d.options.ManualExpiry && !d.Odd && !d.Forgets && !d.closed.Load()
}

// doorQuote is an answer as far as Quote has to say the same, or the refusal.
func doorQuote(g allocator.Allocation, o *allocator.Order, err error) string {
	if err != nil {
		return err.Error()
	}
	k := killAnswerOf(g, o, true)
	k.HeldUntil = time.Time{}
	for i := range k.Parts {
		k.Parts[i].HeldUntil = time.Time{}
	}
	return killText(k) + fmt.Sprint(g.Cost, g.Missing(), g.Substituted())
}

// answered notes what an order was answered; was is the answer that was known when
// the call began.
func (c *doorCaller) answered(e *doorOrder, which int, was doorAnswer, got allocator.Allocation, err error) {
	d := c.d
	if d.Forgets {
		return
	}
	if err == nil {
		text := doorText(got, &e.contents[which])
		if first := d.book.answer(e, doorAnswer{which, text}); first.text != text || first.which != which {
			d.fault("order %.60q has two outcomes:\n content %d, %s\n content %d, %s\n asked %s", e.contents[0].ID, first.which, first.text, which, text, killText(e.contents[which]))
		}
		return
	}
	if was.text != "" && was.which == which && !errors.Is(err, context.Canceled) && !errors.Is(err, allocator.ErrClosed) {
		d.fault("a repeat of order %.60q is refused: %v\n told %s\n asked %s", e.contents[0].ID, err, was.text, killText(e.contents[which]))
	}
}

// request makes a request that is not an order.
func (c *doorCaller) request(r *doorAsk) {
	q := &r.ask
	made := c.d.book.made(r)
	ctx, stop := c.ctx()
	defer stop()
	do := killNamed[q.Verb]
	if do == nil {
		do = killUnnamed[q.Verb]
	}
	returned := false
	err := c.call(doorMethods[q.Verb], func() error {
		err := do(ctx, c.a, q)
		returned = true
		return err
	})
	switch {
	case !returned || killNamed[q.Verb] == nil:
	case err == nil:
		c.d.book.make(r)
	case made && !c.d.Forgets && !errors.Is(err, context.Canceled) && !errors.Is(err, allocator.ErrClosed):
		c.d.fault("a repeat is refused: %v\n asked %s", err, killText(q))
	}
}

// again repeats something, or makes it with another content.
func (c *doorCaller) again() {
	book := &c.d.book
	if c.one(2) {
		if e := book.anOrder(c.draw); e != nil && c.mayRepeat(e) {
			c.allocate([]*doorOrder{e}, []int{max(0, c.draw.IntN(4)-2)})
		}
		return
	}
	r := book.anAsk(c.draw)
	if r == nil {
		return
	}
	if other, ok := doorOther(&r.ask); ok && c.one(3) && book.made(r) && !c.d.Forgets {
		err := c.call(doorMethods[other.Verb], func() error { return killNamed[other.Verb](context.Background(), c.a, &other) })
		if err == nil {
			c.d.fault("an ID is taken twice:\n first  %s\n second %s", killText(r.ask), killText(other))
		}
		return
	}
	c.request(r)
}

// mayRepeat keeps away from repeats of orders that may be forgotten: they are made
// anew.
func (c *doorCaller) mayRepeat(e *doorOrder) bool {
	if !c.d.Forgets {
		return true
	}
	r, err := c.a.Lookup(e.contents[0].ID)
	return err == nil && !r.State.Ended()
}

// wild asks a verb of an order whether it fits its state or not.
func (c *doorCaller) wild() {
	if len(c.kill.orders) == 0 {
		return
	}
	verbs := []string{"confirm", "cancel", "collect", "accept", "ready", "dispatch", "arrive", "short pick", "extend", "reassign", "reject", "reroute"}
	q := killAsk{Verb: c.kill.one(verbs), ID: c.kill.one(c.kill.orders), By: time.Duration(c.draw.IntN(100)) * time.Minute, Token: c.kill.one([]string{"cart", "", "till"}), To: allocator.Owner{Token: "cart"}}
	if c.one(4) {
		q.Part = 1 + c.draw.IntN(3)
	}
	if q.Verb == "dispatch" {
		q.Location = c.kill.one(killPlaces)
	} else if c.one(3) && !slices.Contains([]string{"accept", "ready", "extend", "reassign"}, q.Verb) {
		q.Lines = []allocator.Line{{SKU: c.kill.one(killStocked), Quantity: 1 + c.draw.Int64N(3)}}
	}
	c.request(&doorAsk{ask: q})
}
