package reservation

import (
	"fmt"
	"slices"
	"testing"

	"github.com/clickcollect/clickcollect/reservation/history"
	"github.com/clickcollect/clickcollect/reservation/life"
)

// told is what the records of the order say that its state became, in their order.
func (s *shops) told() (told []string) {
	s.t.Helper()
	mustDo(s.t, s.l.queue.Step())
	for _, step := range s.l.History(s.t.Context(), 0, false) {
		mustDo(s.t, step.Err)
		if r := step.Record; r.ID == "o" && r.State != 0 {
			told = append(told, fmt.Sprint(r.Kind.Name(), " ", r.Part, " ", r.State))
		}
	}
	return told
}

// TestOrderStateIsTold: the record with which the state of an order becomes another one
// says so, and no other record does, whether the change is of one part, of all of them,
// or comes by itself when its time does.
func TestOrderStateIsTold(t *testing.T) {
	of := func(part uint8, verb history.Kind) Change { return Change{ID: "o", Part: part, Verb: verb, Now: 1000} }
	ready := func(part uint8) Change {
		c := of(part, history.Ready)
		c.Deadline = 5000
		return c
	}
	sure := []Change{of(0, history.Confirmed)}
	for name, way := range map[string]struct {
		steps []Change
		until int64
		want  []string
	}{
		"part by part": {append(sure, of(1, history.Accepted), ready(1), of(3, history.Accepted), ready(2), ready(3), of(1, history.Collected), of(2, history.Collected), of(3, history.Collected)), 0,
			[]string{"ReservationConfirmed 0 confirmed", "OrderAccepted 1 in progress", "ReadyForPickup 1 partly ready", "ReadyForPickup 3 ready",
				"Collected 1 partly collected", "Collected 3 collected"}},
		"all at once": {append(sure, of(0, history.Accepted), ready(0), of(0, history.Collected)), 0,
			[]string{"ReservationConfirmed 0 confirmed", "OrderAccepted 0 in progress", "ReadyForPickup 0 ready", "Collected 0 collected"}},
		"parts are confirmed": {[]Change{of(2, history.Confirmed), of(1, history.Confirmed), of(3, history.Confirmed), of(2, history.Canceled), of(1, history.Canceled), of(3, history.Canceled)}, 0,
			[]string{"ReservationConfirmed 3 confirmed", "ReservationCanceled 3 canceled"}},
		"it expires":    {nil, 1e9, []string{"HoldExpired 0 expired"}},
		"nobody comes":  {append(sure, ready(1), ready(2), ready(3), of(2, history.Collected)), 1e9, []string{"ReservationConfirmed 0 confirmed", "ReadyForPickup 1 partly ready", "ReadyForPickup 3 ready", "Collected 2 partly collected", "NoShow 3 collected"}},
		"it is shipped": {append(sure, of(1, history.Shipped), of(2, history.Shipped), of(3, history.Shipped), of(2, history.ParcelDelivered), of(0, history.ParcelLost)), 0, []string{"ReservationConfirmed 0 confirmed", "Shipped 1 partly shipped", "Shipped 3 shipped", "Delivered 2 partly delivered", "DeliveryFailed 0 delivered"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShops(t)
			for i := range way.steps {
				if _, _, err := s.l.Do(&way.steps[i]); err != nil {
					t.Fatalf("step %d: %v", i, err)
				}
			}
			if way.until > 0 {
				_, err := s.l.Expire(way.until)
				mustDo(t, err)
			}
			if got := s.told(); !slices.Equal(got, way.want) {
				t.Errorf("told\n%q\nwant\n%q", got, way.want)
			}
			s.sound()
		})
	}
}

// TestOrderStateOfAReroute: units that are taken elsewhere go on in their new part, and
// with them the state of the order.
func TestOrderStateOfAReroute(t *testing.T) {
	s := newShops(t)
	var p Parts
	var found Entry
	for _, c := range []Change{{Verb: history.Confirmed}, {Part: 1, Verb: history.Ready, Deadline: 5000}, {Part: 3, Verb: history.Ready, Deadline: 5000}} {
		c.ID, c.Now = "o", 1000
		_, _, err := s.l.Do(&c)
		mustDo(t, err)
	}
	r := Reroute{ID: "o", Part: 2, Now: 1000, Cause: history.ByStore, To: part("o", 5, 0, units(s.tea, 1))}
	if how := p.Reroute(s.l, &r, &found); how != Done {
		t.Fatal(how, p.Err())
	}
	ready := Change{ID: "o", Part: 5, Verb: history.Ready, Deadline: 5000, Now: 1000}
	_, _, err := s.l.Do(&ready)
	mustDo(t, err)
	want := []string{"ReservationConfirmed 0 confirmed", "ReadyForPickup 1 partly ready", "ReadyForPickup 5 ready"}
	if got := s.told(); !slices.Equal(got, want) {
		t.Errorf("told\n%q\nwant\n%q", got, want)
	}
	s.sound()
}

// TestRecordsSayWhose: every record of a part says of which order and customer it is, on
// which channel it came, and how its goods reach the customer: who is told of it needs no
// other.
func TestRecordsSayWhose(t *testing.T) {
	s := newShops(t)
	var p Parts
	var found Entry
	one := part("o2", 0, 0, units(s.tea, 1))
	one.Order, one.Customer, one.Channel, one.Form, one.Store = "ref", "who", "web", life.Brought, 1
	if how := p.Reserve(s.l, []Part{one}, &found); how != Done {
		t.Fatal(how, p.Err())
	}
	for _, c := range []Change{{Verb: history.Confirmed}, {Verb: history.Accepted}, {Verb: history.Dispatched, Slot: 1}, {Verb: history.Arrived}, {Verb: history.Ready, Deadline: 5000}} {
		c.ID, c.Now = "o2", 1000
		_, _, err := s.l.Do(&c)
		mustDo(t, err)
	}
	_, err := s.l.Expire(1e9)
	mustDo(t, err)
	mustDo(t, s.l.queue.Step())
	n := 0
	for _, step := range s.l.History(t.Context(), 0, false) {
		mustDo(t, step.Err)
		r := step.Record
		if r.ID != "o2" {
			continue
		}
		n++
		if r.Order != "ref" || r.Customer != "who" || r.Channel != "web" || r.Form != life.Brought || r.Store != 1 {
			t.Errorf("%s says order %q, customer %q, channel %q, %v %d", r.Kind.Name(), r.Order, r.Customer, r.Channel, r.Form, r.Store)
		}
	}
	if n != 7 {
		t.Errorf("%d records", n)
	}
}
