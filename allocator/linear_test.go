package allocator

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/anishathalye/porcupine"
)

// desk is what a history is made of: orders of two SKUs at one store.
type desk interface {
	allocate(id string, lines []Line) (held bool, err error)
	cancel(id string, line Line) error // the line as it was ordered
	receive(id, sku string, units int64) error
	available(sku string) (Availability, error)
}

// door is the desk of the real engine.
type door struct{ a *Allocator }

func (d door) allocate(id string, lines []Line) (bool, error) {
	_, err := d.a.Allocate(context.Background(), Order{ID: id, At: "L0", Lines: lines})
	return err == nil, expected(err, ErrNoLocation)
}

func (d door) cancel(id string, line Line) error {
	return d.a.Cancel(context.Background(), id, line)
}

func (d door) receive(id, sku string, units int64) error {
	return d.a.Receive(context.Background(), Receipt{ID: id, Location: "L0", Lines: []Line{{sku, units}}})
}

func (d door) available(sku string) (Availability, error) { return d.a.Available(sku, "L0") }

// deskCall and deskAnswer are a call of a history and what it said.
type deskCall struct {
	verb  string
	sku   int
	units [2]int // by SKU
}

type deskAnswer struct {
	held          bool
	onHand, units int64
}

// deskLevel is the state of the model: units on hand and held of both SKUs.
type deskLevel struct{ onHand, held [2]int }

// deskModel says which answers are right when calls happen one after the other.
// Whoever reads availability may see units of an order in flight as held, never
// more available than there are.
var deskModel = porcupine.Model{
	Init: func() any { return deskLevel{} },
	Step: func(state, input, output any) (bool, any) {
		s, in, out := state.(deskLevel), input.(deskCall), output.(deskAnswer)
		switch in.verb {
		case "allocate":
			fits := true
			for i, units := range in.units {
				fits = fits && s.onHand[i]-s.held[i] >= units
			}
			if fits {
				s.held[0], s.held[1] = s.held[0]+in.units[0], s.held[1]+in.units[1]
			}
			return out.held == fits, s
		case "cancel":
			s.held[in.sku] -= in.units[in.sku]
		case "receive":
			s.onHand[in.sku] += in.units[in.sku]
		default:
			return int(out.onHand) == s.onHand[in.sku] && int(out.units) <= s.onHand[in.sku]-s.held[in.sku], s
		}
		return true, s
	},
	DescribeOperation: func(input, output any) string { return fmt.Sprintf("%+v: %+v", input, output) },
}

// scribe writes down what one goroutine calls, with the times of one clock.
type scribe struct {
	desk   desk
	clock  *atomic.Int64
	client int
	calls  []porcupine.Operation
}

func (s *scribe) note(in deskCall, call func() (deskAnswer, error)) (deskAnswer, error) {
	from := s.clock.Add(1)
	out, err := call()
	s.calls = append(s.calls, porcupine.Operation{ClientId: s.client, Input: in, Call: from, Output: out, Return: s.clock.Add(1)})
	return out, err
}

var deskSKUs = [2]string{"tea", "cup"}

// play makes calls at random. A line is canceled at a time: the lines of one
// Cancel come back one after the other.
func (s *scribe) play(r *rand.Rand, steps int) error {
	for i := range steps {
		id, sku, units := fmt.Sprintf("%d/%d", s.client, i), r.IntN(2), r.IntN(2)+1
		var err error
		switch n := r.IntN(10); {
		case n < 6:
			err = s.order(r, id)
		case n < 8:
			in := deskCall{verb: "receive", sku: sku}
			in.units[sku] = units
			_, err = s.note(in, func() (deskAnswer, error) { return deskAnswer{}, s.desk.receive(id, deskSKUs[sku], int64(units)) })
		default:
			_, err = s.note(deskCall{verb: "available", sku: sku}, func() (deskAnswer, error) {
				v, err := s.desk.available(deskSKUs[sku])
				return deskAnswer{onHand: v.OnHand, units: v.Available}, err
			})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// order allocates one SKU or both, and sometimes puts lines back.
func (s *scribe) order(r *rand.Rand, id string) error {
	in := deskCall{verb: "allocate"}
	var lines []Line
	for _, sku := range r.Perm(2)[:r.IntN(2)+1] {
		in.units[sku] = r.IntN(2) + 1
		lines = append(lines, Line{deskSKUs[sku], int64(in.units[sku])})
	}
	out, err := s.note(in, func() (deskAnswer, error) {
		held, err := s.desk.allocate(id, lines)
		return deskAnswer{held: held}, err
	})
	if err != nil || !out.held {
		return err
	}
	for sku, units := range in.units {
		if units == 0 || r.IntN(4) == 0 {
			continue
		}
		back := deskCall{verb: "cancel", sku: sku}
		back.units[sku] = units
		if _, err := s.note(back, func() (deskAnswer, error) { return deskAnswer{}, s.desk.cancel(id, Line{deskSKUs[sku], int64(units)}) }); err != nil {
			return err
		}
	}
	return nil
}

// play lets four goroutines play at a desk and judges what they saw.
func play(t *testing.T, d desk, seed uint64) bool {
	t.Helper()
	var clock atomic.Int64
	scribes := make([]*scribe, 4)
	opening := &scribe{desk: d, clock: &clock, client: len(scribes)}
	for sku := range deskSKUs {
		in := deskCall{verb: "receive", sku: sku}
		in.units[sku] = 2
		_, err := opening.note(in, func() (deskAnswer, error) { return deskAnswer{}, d.receive("opening "+deskSKUs[sku], deskSKUs[sku], 2) })
		must(t, err)
	}
	together(len(scribes), func(g int) {
		scribes[g] = &scribe{desk: d, clock: &clock, client: g}
		if err := scribes[g].play(rand.New(rand.NewPCG(seed, uint64(g))), 12); err != nil {
			t.Error(err)
		}
	})
	calls := opening.calls
	for _, s := range scribes {
		calls = append(calls, s.calls...)
	}
	return porcupine.CheckOperations(deskModel, calls)
}

// What concurrent callers see at one store is what they would have seen one
// after the other: all lines or none, and no refusal without a reason (P1, P6).
func TestLinearizable(t *testing.T) {
	for seed := range scaled(2000, 150) {
		if a := street(t, 1, Options{}); !play(t, door{a}, uint64(seed)) {
			t.Fatalf("the history of seed %d has no order in which it is right", seed)
		}
	}
}

// loose is a desk with a bug: fault "check, then act" looks and takes in two
// steps, fault "take, then give back" shows others what it gives back.
type loose struct {
	mu    sync.Mutex
	fault string
	units map[string]*Availability
}

func (d *loose) take(sku string, units int64) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	level := d.units[sku]
	if level.Available < units && d.fault != "check, then act" {
		return false
	}
	level.Available -= units
	return true
}

func (d *loose) allocate(_ string, lines []Line) (bool, error) {
	if d.fault == "check, then act" {
		for _, line := range lines {
			if v, _ := d.available(line.SKU); v.Available < line.Quantity {
				return false, nil
			}
		}
	}
	for i, line := range lines {
		runtime.Gosched()
		if !d.take(line.SKU, line.Quantity) {
			runtime.Gosched()
			for _, back := range lines[:i] {
				d.take(back.SKU, -back.Quantity)
			}
			return false, nil
		}
	}
	return true, nil
}

func (d *loose) cancel(_ string, line Line) error {
	if !d.take(line.SKU, -line.Quantity) {
		return errors.New("nothing to put back")
	}
	return nil
}

func (d *loose) receive(_, sku string, units int64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.units[sku].OnHand += units
	d.units[sku].Available += units
	return nil
}

func (d *loose) available(sku string) (Availability, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return *d.units[sku], nil
}

// Canary: the two classical mistakes do not pass.
func TestLinearizableCanary(t *testing.T) {
	for _, fault := range []string{"check, then act", "take, then give back"} {
		t.Run(fault, func(t *testing.T) {
			for seed := range uint64(2000) {
				d := &loose{fault: fault, units: map[string]*Availability{"tea": {}, "cup": {}}}
				if !play(t, d, seed) {
					return
				}
			}
			t.Error("nobody noticed")
		})
	}
}
