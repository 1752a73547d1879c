package allocator_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clickcollect/clickcollect/allocator"
	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"go.uber.org/goleak"
)

// doorBegin is the time at which every world begins: a Monday morning.
var doorBegin = time.Date(2030, 3, 4, 9, 0, 0, 0, time.UTC)

// door is one world: an engine, or several on one directory, one after the other,
// and the callers that work on it.
type door struct {
	t       *testing.T
	guard   *doorGuard
	seed    uint64
	calls   int // to make in all
	callers int
	lives   int // engines, one after the other

	world   killWorld
	options allocator.Options
	rules   []sourcing.Rules

	Forgets  bool // IDs may be forgotten, so that a repeat may be made anew
	Trims    bool // the history does not begin with the first record
	Odd      bool // functions of the host's panic, block, and call back
	Closes   bool // the engine is closed while callers work
	Long     bool // some IDs are as long as they can be
	Calm     bool // goods are taken at the tills of the first locations only
	Still    bool // the clock stands still
	Late     bool // locations have to accept in time
	Recorded bool // there is a history

	a      *allocator.Allocator
	host   doorHost
	passed atomic.Int64 // milliseconds since doorBegin
	left   atomic.Int64 // calls of this life
	closed atomic.Bool  // Close has returned
	book   doorBook

	mu     sync.Mutex
	called map[string]int
	did    map[string]int // of called, without an error
	faults int
}

// newDoor draws a world.
func newDoor(t *testing.T, seed uint64, calls int) *door {
	draw := doorDraw(seed, 1)
	one := func(in int) bool { return draw.IntN(in) == 0 }
	d := &door{t: t, seed: seed, calls: calls, callers: 1 + draw.IntN(8), lives: 1, called: map[string]int{}, did: map[string]int{}}
	if one(4) {
		d.callers = 1 // whose quotes are kept
	}
	d.Odd, d.Closes, d.Long, d.Calm, d.Still, d.Late = one(2), one(3), one(8), one(2), one(4), one(4)
	d.world = killWorld{Seed: seed, Base: doorBegin.Truncate(24 * time.Hour).Add(48 * time.Hour), Ranked: one(3), Late: d.Late, Evacuates: one(3)}
	o := &d.options
	*o = allocator.Options{Clock: d.now, Holidays: d.holiday, HoldFor: time.Hour, PickupWithin: 24 * time.Hour, RemindBefore: time.Hour, Remember: 1 << 20}
	o.ManualExpiry, o.LiveReads = one(2), one(3)
	if one(2) {
		o.Logger = slog.New(doorLogger{d})
	}
	switch {
	case one(6):
		o.Remember, d.Forgets = 2+draw.IntN(30), true
	case one(12):
		o.RememberFor, d.Forgets = time.Duration(1+draw.IntN(5))*time.Minute, true
	case one(4):
		o.Remember = 1 << 16
	}
	if one(2) {
		d.keeps(draw)
	} else if !one(4) {
		o.FeedBytes = 64 << 20
	}
	d.Recorded = o.Dir != "" || o.FeedBytes != 0
	if d.Long {
		o.MaxIDBytes = 65_535
	}
	for range 3 {
		d.rules = append(d.rules, d.drawRules(draw))
	}
	o.Rules = d.rules[0]
	d.host.draw, d.host.d = doorDraw(seed, 2), d
	d.book.begin()
	return d
}

// keeps gives a world a directory.
func (d *door) keeps(draw *rand.Rand) {
	o := &d.options
	d.lives = 1 + draw.IntN(3)
	o.Dir, o.SnapshotEvery, o.MaxClockGap = d.t.TempDir(), 96<<10, 1000*time.Hour
	o.SegmentBytes = 64 << 10 << draw.IntN(6)
	if draw.IntN(8) > 0 {
		o.Durability = allocator.Written
	}
	if draw.IntN(4) == 0 {
		o.CommitDelay = time.Millisecond
	}
	if draw.IntN(4) == 0 {
		o.RetainBytes, d.Trims = 64<<10, true
	}
}

// drawRules are rules whose functions belong to a host that may be odd.
func (d *door) drawRules(draw *rand.Rand) sourcing.Rules {
	one := func(in int) bool { return draw.IntN(in) == 0 }
	r := sourcing.Rules{Costs: sourcing.Costs{Parcel: 450, Transfer: 120, PerKm: 3, PerLine: 10}}
	if one(2) {
		return sourcing.Rules{} // most orders take the hot path
	}
	if one(2) {
		r.Hard = append(r.Hard, sourcing.Filter{Name: "odd", Pass: func(*sourcing.Candidate) bool { d.host.odd("filter"); return true }})
	}
	if one(3) {
		r.Soft = append(r.Soft, sourcing.Within(30_000), sourcing.InGroups("cold").Not())
	}
	if d.world.Ranked || one(4) {
		r.Keys = append(sourcing.Keys(sourcing.ByPriority), sourcing.ByDistance.In(20_000), sourcing.Keys(sourcing.ByLeft)[0])
	}
	if one(3) {
		r.Keys = append(r.Keys, sourcing.Key{Name: "odd", Compare: func(*sourcing.Candidate, *sourcing.Candidate) int { d.host.odd("key"); return 0 }})
	}
	if one(3) {
		r.Costs.Price = func(string, int64, *sourcing.Site) int64 { d.host.odd("price"); return 7 }
	}
	r.Panicked = func(string, any) { d.host.odd("panicked") }
	r.MaxLocations = draw.IntN(4)
	if one(2) {
		r.CoolDown, r.MaxRejects = time.Duration(1+draw.IntN(90))*time.Second, draw.IntN(5)
	}
	if d.Late {
		r.AcceptWithin = time.Duration(1+draw.IntN(20)) * time.Minute
	}
	return r
}

// String is the world in words.
func (d *door) String() string {
	o := d.options
	return fmt.Sprintf("seed %d: %d callers, %d calls, %d lives, directory %v, durability %d, remember %d/%v, history %v trims %v, manual %v, live reads %v, "+
		"odd %v, closes %v, long %v, calm %v, still %v, late %v, ranked %v, evacuates %v", d.seed, d.callers, d.calls, d.lives, o.Dir != "", o.Durability,
		o.Remember, o.RememberFor, d.Recorded, d.Trims, o.ManualExpiry, o.LiveReads, d.Odd, d.Closes, d.Long, d.Calm, d.Still, d.Late, d.world.Ranked, d.world.Evacuates)
}

func (d *door) fault(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.faults++; d.faults <= 8 {
		d.t.Errorf("%v\n"+format, append([]any{d}, args...)...)
	}
}

// run lets each life of the world pass.
func (d *door) run() {
	d.guard.what.Store(d.String())
	leaks := goleak.IgnoreCurrent()
	for life := range d.lives {
		d.world.Life = life
		if !d.live(d.calls / d.lives) {
			return
		}
		if err := doorLeaks(leaks); err != nil {
			d.fault("after Close: %v", err)
		}
		if d.faults > 0 {
			return
		}
	}
}

// doorLeaks is the goroutines that are left, and do not end however long one waits.
func doorLeaks(known goleak.Option) error {
	for begun := time.Now(); ; {
		err := goleak.Find(known) // it waits a moment itself
		if err == nil || time.Since(begun) > doorStuck {
			return err
		}
	}
}

// live is one life: callers work, then the books are looked at, the engine is
// closed, and opened again if there is a directory, and looked at again.
func (d *door) live(calls int) bool {
	if !d.open() {
		return false
	}
	d.left.Store(int64(calls))
	if d.world.Life == 0 {
		c := d.caller(0)
		c.sure = true
		for _, q := range d.firstAsks() {
			c.run(&q)
		}
		for _, name := range killSorted(doorReads) {
			doorReads[name](c)
		}
	}
	var all sync.WaitGroup
	for i := range d.callers {
		c := d.caller(uint64(i + 1))
		all.Go(c.work)
	}
	d.host.on.Store(d.Odd)
	all.Wait()
	d.host.on.Store(false)
	if d.closed.Load() {
		d.afterClose()
		if d.options.Dir == "" {
			return true
		}
		if !d.open() {
			return false
		}
	}
	d.look("before Close")
	before := d.read()
	_ = d.caller(0).call("Close", d.a.Close)
	d.afterClose()
	if d.options.Dir == "" || d.faults > 0 {
		return d.faults == 0
	}
	if !d.open() {
		return false
	}
	d.look("after a restart")
	if after := d.read(); after != before && !d.Late {
		d.fault("after a restart: %s", hostileDifference(after, before))
	}
	if err := d.a.Close(); err != nil {
		d.fault("Close: %v", err)
	}
	return d.faults == 0
}

func (d *door) open() bool {
	a, err := allocator.Open(context.Background(), d.options)
	if err != nil {
		d.fault("Open: %v", err)
		return false
	}
	d.a = a
	d.closed.Store(false)
	return true
}

// firstAsks are what a world begins with: places, some with hours that speak of
// holidays, goods, and bundles.
func (d *door) firstAsks() []killAsk {
	draw := doorDraw(d.seed, 3)
	asks := d.world.firstAsks(draw)
	for i := range asks[0].Locations {
		if terms := asks[0].Locations[i].Terms; terms != nil && terms.Hours != "" && draw.IntN(2) == 0 {
			terms.Hours = "Mo-Su 08:00-20:00; PH off"
		}
	}
	if draw.IntN(3) == 0 { // goods are scarce
		for i := range asks[1].Receipts {
			for k := range asks[1].Receipts[i].Lines {
				asks[1].Receipts[i].Lines[k].Quantity = 1 + draw.Int64N(12)
			}
		}
	}
	return asks
}
