package allocator_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/clickcollect/clickcollect/allocator"
	"github.com/clickcollect/clickcollect/bench/scaletest"
	"github.com/clickcollect/clickcollect/geo"
)

// doorPair is the engine beside its twin, with one caller.
type doorPair struct {
	t    *testing.T
	a    *allocator.Allocator
	w    *doorTwin
	o    allocator.Options
	draw *rand.Rand
	made int
	sent []string
	ids  []string
	log  []string // the latest calls

	faults []string
	did    map[string]int // calls that did something, by verb
}

func (p *doorPair) fault(format string, args ...any) {
	p.faults = append(p.faults, fmt.Sprintf(format, args...))
}

// twinSKUs are the SKUs of the twin's world; twinPlaces its locations, of which no
// two are equally far from anything.
var (
	twinSKUs   = []string{"a", "b", "c", "d"}
	twinPlaces = []string{"L0", "L1", "L2", "L3", "L4"}
)

// doorParcels are the verbs of a parcel, which Change alone makes.
var doorParcels = map[string]allocator.Action{"pack": allocator.DoPack, "ship": allocator.DoShip, "deliver parcel": allocator.DoDeliver,
	"sent back": allocator.DoReturnToSender, "lose parcel": allocator.DoLose}

// What is done to reservations and to goods, as often as it stands here.
var (
	doorTwinVerbs = []string{"confirm", "confirm", "confirm", "accept", "ready", "ready", "collect", "collect", "cancel", "short pick", "dispatch", "arrive", "return", "extend", "reassign",
		"pack", "ship", "ship", "deliver parcel", "sent back", "lose parcel"}
	doorTwinMoves = []string{"receive", "count", "sell", "adjust", "damage", "send", "deliver", "lose"}
)

// One caller makes calls of which the answer is determined: orders for one location,
// with pickup windows, capacities, channels with protection levels and safety stock,
// everything that becomes of them, and all movements. A twin of plain maps, which looks through
// everything for every answer, says the same: each answer and each refusal, each
// reservation, each shelf and each window, also after a restart.
func TestDoorTwin(t *testing.T) {
	worlds, did := scaletest.Of(200, 12), map[string]int{}
	for seed := *doorSeed; seed < *doorSeed+uint64(worlds) && !t.Failed(); seed++ {
		p := newDoorPair(t, seed)
		p.work(600)
		p.end()
		for i, fault := range p.faults {
			if i < 3 {
				t.Errorf("seed %d: %s", seed, fault)
			}
		}
		for verb, n := range p.did {
			did[verb] += n
		}
	}
	t.Logf("%d calls in %d worlds; of these did something: %v", 600*worlds, worlds, did)
	for _, verb := range append(doorTwinMoves[:len(doorTwinMoves):len(doorTwinMoves)], doorTwinVerbs...) {
		if did[verb] == 0 && !t.Failed() {
			t.Errorf("no %s did anything", verb)
		}
	}
}

// What the twin does not know of is found out, wherever it is.
func TestDoorTwinSeesFaults(t *testing.T) {
	ctx := context.Background()
	one := []allocator.Line{{SKU: "a", Quantity: 1}}
	for name, behind := range map[string]func(p *doorPair) error{
		"receipt": func(p *doorPair) error {
			return p.a.Receive(ctx, allocator.Receipt{ID: "odd", Location: "L0", Lines: one})
		},
		"order": func(p *doorPair) error {
			_, err := p.a.Allocate(ctx, allocator.Order{ID: "odd", At: "L0", Lines: one})
			return err
		},
		"cancel": func(p *doorPair) error { return p.a.Cancel(ctx, "o") },
		"extend": func(p *doorPair) error { _, err := p.a.Extend(ctx, "o", 9*time.Hour); return err },
		"level": func(p *doorPair) error {
			return p.a.SetProtection(ctx, allocator.Protection{Channel: "web", SKU: "a", Location: "L0", Units: 3})
		},
		"window": func(p *doorPair) error {
			return p.a.SetWindows(ctx, allocator.Window{Location: "L0", Start: p.start(), Length: time.Hour, Places: 77})
		},
	} {
		p := newDoorPair(t, 1)
		p.must("receive", p.a.Receive(ctx, allocator.Receipt{ID: "more", Location: "L0", Lines: []allocator.Line{{SKU: "a", Quantity: 9}}}))
		p.w.shelves[doorAt{"a", "L0"}] += 9
		o := allocator.Order{ID: "o", At: "L0", Lines: one, HoldFor: time.Hour}
		_, none := p.w.allocate(o)
		_, err := p.a.Allocate(ctx, o)
		p.must("allocate", errors.Join(err, none))
		if p.look(); len(p.faults) > 0 {
			t.Fatalf("%s: before it: %v", name, p.faults)
		}
		p.must(name, behind(p))
		if p.look(); len(p.faults) == 0 {
			t.Errorf("%s: nobody sees it", name)
		}
		p.must("close", p.a.Close())
	}
}

// newDoorPair is one world, drawn from a seed.
func newDoorPair(t *testing.T, seed uint64) *doorPair {
	draw := doorDraw(seed, 9)
	p := &doorPair{t: t, draw: draw, did: map[string]int{}}
	var places []allocator.Location
	for i, id := range twinPlaces {
		places = append(places, allocator.Location{ID: id, Point: geo.Point{Lat: 50 + draw.Float64(), Lon: 20 + draw.Float64()}, Kind: allocator.Kind(max(0, i-2)), NoReturns: i == 4})
	}
	p.w = newDoorTwin(places)
	p.o = allocator.Options{Clock: func() time.Time { return p.w.now }, ManualExpiry: true, MaxHold: 10_000 * time.Hour, RemindBefore: time.Hour, Remember: 1 << 20}
	if draw.IntN(3) == 0 {
		p.o.Dir, p.o.Durability, p.o.SegmentBytes, p.o.MaxClockGap = t.TempDir(), allocator.Written, 64<<10, 10_000*time.Hour
	}
	p.open()
	p.must("locations", p.a.SetLocations(t.Context(), places...))
	for _, at := range twinPlaces {
		for _, sku := range twinSKUs {
			line := allocator.Line{SKU: sku, Quantity: 5 + draw.Int64N(60)}
			p.must("receive", p.a.Receive(t.Context(), allocator.Receipt{ID: "first " + at + sku, Location: at, Lines: []allocator.Line{line}}))
			p.w.shelves[doorAt{sku, at}] = line.Quantity
		}
	}
	return p
}

// work makes calls.
func (p *doorPair) work(calls int) {
	for i := 0; i < calls && len(p.faults) == 0; i++ {
		p.step()
		if i%60 == 59 {
			p.look()
		}
	}
	p.look()
}

// end closes the engine, and looks at it again after a restart.
func (p *doorPair) end() {
	if audit, err := p.a.Audit(context.Background()); err != nil || len(audit.Differences) > 0 {
		p.fault("%v, %+v", err, audit.Differences)
	}
	p.must("close", p.a.Close())
	if p.o.Dir != "" && len(p.faults) == 0 {
		p.open()
		p.look()
		p.must("close", p.a.Close())
	}
}

func (p *doorPair) open() {
	var err error
	p.a, err = allocator.Open(p.t.Context(), p.o)
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *doorPair) must(what string, err error) {
	if err != nil {
		p.fault("%s: %v", what, err)
	}
}

func (p *doorPair) one(of ...string) string { return of[p.draw.IntN(len(of))] }

func (p *doorPair) id(kind string) string {
	p.made++
	return fmt.Sprint(kind, p.made)
}

// same compares an error with the twin's.
func (p *doorPair) same(what string, got, want error) bool {
	p.log = append(p.log, fmt.Sprintf("%s: %v", what, got))
	p.log = p.log[max(0, len(p.log)-12):]
	if got == nil && want == nil || want != nil && errors.Is(got, want) {
		return true
	}
	p.fault("%s: got %v, the twin says %v\nbefore: %s", what, got, want, killText(p.log))
	return false
}

func (p *doorPair) lines() (lines []allocator.Line) {
	for range 1 + p.draw.IntN(3) {
		lines = append(lines, allocator.Line{SKU: p.one(twinSKUs...), Quantity: 1 + p.draw.Int64N(4)})
	}
	if p.draw.IntN(40) == 0 {
		lines[0].SKU = "never"
	}
	return lines
}

func (p *doorPair) at() string {
	if p.draw.IntN(40) == 0 {
		return "nowhere"
	}
	return p.one(twinPlaces...)
}

func (p *doorPair) step() {
	if p.draw.IntN(3) == 0 {
		p.w.now = p.w.now.Add(time.Duration(p.draw.IntN(60_000)) * time.Millisecond)
	}
	switch at := p.draw.IntN(100); {
	case at < 28 || len(p.ids) == 0:
		p.order()
	case at < 65:
		p.change()
	case at < 85:
		p.move()
	case at < 90:
		p.set()
	default:
		if p.draw.IntN(4) == 0 {
			p.w.now = p.w.now.Add(time.Duration(p.draw.IntN(90)) * time.Minute)
		}
		want := p.w.expire()
		got, err := p.a.Expire(time.Time{})
		if p.same("expire", err, nil) && got != want {
			p.fault("expire: %+v, the twin says %+v\nbefore: %s", got, want, killText(p.log))
		}
	}
}

// order makes an order, a new one or one that was made before.
func (p *doorPair) order() {
	o := allocator.Order{ID: p.id("o"), Near: geo.Point{Lat: 50 + p.draw.Float64(), Lon: 20 + p.draw.Float64()}, Lines: p.lines(),
		HoldFor: time.Duration(1+p.draw.IntN(120)) * time.Minute, Channel: p.one("", "web", "app"), Owner: p.one("", "cart")}
	switch p.draw.IntN(6) {
	case 0:
		o.At = p.at()
	case 1:
		o.At, o.Window = p.one(twinPlaces...), p.start()
	case 2:
		o.MaxDistance = geo.Meters(p.draw.IntN(80_000) + 1)
	case 3:
		o.Kinds = []allocator.Kind{allocator.Kind(p.draw.IntN(3))}
	}
	if len(p.ids) > 0 && p.draw.IntN(5) == 0 {
		o = p.w.orders[p.one(p.ids...)].of
		if p.draw.IntN(3) == 0 {
			o.HoldFor += time.Second
		}
	}
	want, fault := p.w.allocate(o)
	got, err := p.a.Allocate(context.Background(), o)
	if !p.same("allocate "+killText(o), err, fault) || err != nil {
		return
	}
	if got.ID != want.ID || got.Location != want.Location || got.Distance != want.Distance || !got.HeldUntil.Equal(want.HeldUntil) || !got.Ready.Equal(want.Ready) {
		p.fault("order %s: got %s, the twin says %s", killText(o), killText(got), killText(want))
	}
	p.ids = append(p.ids, o.ID)
	p.reservation(o.ID)
}

// start is the start of one of the windows there are: far enough in the future.
func (p *doorPair) start() time.Time {
	return doorBegin.Add(time.Duration(2000+p.draw.IntN(3)) * time.Hour)
}

// change makes a verb of a reservation.
func (p *doorPair) change() {
	ctx, a := context.Background(), p.a
	c := doorChange{verb: p.one(doorTwinVerbs...),
		id: p.ids[max(0, len(p.ids)-1-p.draw.IntN(12))]}
	for range p.draw.IntN(3) * 10 { // mostly one that fits
		if o := p.w.orders[c.id]; o.is.State.Ended() && c.verb != "return" || !o.fits(c) {
			c.verb, c.id = p.one(doorTwinVerbs...), p.ids[max(0, len(p.ids)-1-p.draw.IntN(30))]
		}
	}
	if p.draw.IntN(30) == 0 {
		c.id = "nobody"
	}
	if p.draw.IntN(3) == 0 && p.w.orders[c.id] != nil && c.verb != "accept" && c.verb != "ready" && c.verb != "dispatch" && c.verb != "extend" && c.verb != "reassign" && doorParcels[c.verb] == 0 {
		for _, l := range p.w.orders[c.id].is.Lines {
			if len(c.lines) == 0 || p.draw.IntN(2) == 0 {
				c.lines = append(c.lines, allocator.Line{SKU: l.SKU, Quantity: 1 + p.draw.Int64N(max(1, l.Quantity))})
			}
		}
		if p.draw.IntN(30) == 0 {
			c.lines = p.lines()
		}
	}
	var err error
	switch c.verb {
	case "confirm":
		err = a.Confirm(ctx, c.id, c.lines...)
	case "accept":
		err = a.Accept(ctx, c.id)
	case "ready":
		c.until = p.w.now.Add(time.Duration(1+p.draw.IntN(180)) * time.Minute)
		err = a.Ready(ctx, c.id, allocator.Pickup{Until: c.until})
	case "collect":
		err = a.Collect(ctx, c.id, c.lines...)
	case "cancel":
		err = a.Cancel(ctx, c.id, c.lines...)
	case "short pick":
		err = a.ShortPick(ctx, c.id, c.lines...)
	case "dispatch":
		c.at = p.at()
		err = a.Dispatch(ctx, c.id, c.at)
	case "arrive":
		err = a.Arrive(ctx, c.id, c.lines...)
	case "pack", "ship", "deliver parcel", "sent back", "lose parcel":
		if c.verb == "ship" {
			c.parcel = allocator.Parcel{Carrier: p.one("", "DHL"), Tracking: p.one("", "JJD1")}
		}
		if c.verb == "sent back" {
			if c.as = allocator.Disposition(p.draw.IntN(3)); p.draw.IntN(2) == 0 {
				c.at = p.at()
			}
		}
		err = a.Change(ctx, allocator.Change{ID: p.id("c"), Reservation: c.id, Do: doorParcels[c.verb], Parcel: c.parcel, Location: c.at, As: c.as})
	case "return":
		c.at, c.as = p.at(), allocator.Disposition(p.draw.IntN(3))
		err = a.Return(ctx, allocator.Return{ID: p.id("r"), Reservation: c.id, Location: c.at, As: c.as, Lines: c.lines})
	case "extend":
		c.by = time.Duration(1+p.draw.IntN(90)) * time.Minute
		_, err = a.Extend(ctx, c.id, c.by)
	case "reassign":
		c.token, c.to = p.one("", "cart", "till"), allocator.Owner{Token: p.one("", "cart", "till"), Channel: p.one("", "web", "app")}
		err = a.Reassign(ctx, c.id, c.token, c.to)
	}
	want := p.w.change(c)
	if p.same(fmt.Sprintf("%+v", c), err, want) && err == nil {
		p.did[c.verb]++
	}
	p.reservation(c.id)
}

// reservation compares a reservation.
func (p *doorPair) reservation(id string) {
	o := p.w.orders[id]
	r, err := p.a.Lookup(id)
	if o == nil {
		if !errors.Is(err, allocator.ErrNotFound) {
			p.fault("%s: %v", id, err)
		}
		return
	}
	want := o.is
	if err != nil || r.Location != want.Location || r.To != want.To || r.State != want.State || r.Parcel != want.Parcel || r.Channel != want.Channel ||
		!r.HeldUntil.Equal(want.HeldUntil) || !r.PickupUntil.Equal(want.PickupUntil) || !r.EndedAt.Equal(want.EndedAt) || killText(r.Lines) != killText(want.Lines) {
		p.fault("got %s, %v\nthe twin says %s\nbefore: %s", killText(r), err, killText(want), killText(p.log))
	}
}
