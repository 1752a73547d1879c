package life

import (
	"slices"
	"testing"
)

// TestParcel walks every path of a parcel: from which states it is packed and shipped,
// what becomes of its units then, and what is possible of one that is packed, or has
// left.
func TestParcel(t *testing.T) {
	confirmed := Line{Quantity: 3, Confirmed: 2, Missing: 1}
	half := Line{Quantity: 3, Confirmed: 2, Collected: 1}
	sent := &Way{Form: Sent}
	for _, c := range []struct {
		v    Verb
		s    State
		l    Line
		next State
		then Line
		e    Effect
	}{
		{Pack, Confirmed, confirmed, Packed, confirmed, Effect{}},
		{Pack, Accepted, confirmed, Packed, confirmed, Effect{}},
		{Ship, Confirmed, confirmed, Shipped, confirmed, Effect{OnHand: -2}},
		{Ship, Packed, confirmed, Shipped, confirmed, Effect{OnHand: -2}},
		{Cancel, Packed, confirmed, Canceled, Line{Quantity: 3, Missing: 1}, Effect{Free: 2}},
		{ShortPick, Packed, confirmed, Canceled, Line{Quantity: 3, Missing: 3}, Effect{OnHand: -2}},
		{Deliver, Shipped, confirmed, Delivered, Line{Quantity: 3, Missing: 1, Collected: 2}, Effect{}},
		{Lose, Shipped, confirmed, Lost, Line{Quantity: 3, Missing: 3}, Effect{}},
		{Lose, Shipped, half, Collected, Line{Quantity: 3, Collected: 1, Missing: 2}, Effect{}},
		{SendBack, Shipped, confirmed, ReturnedToSender, Line{Quantity: 3, Missing: 1}, Effect{Free: 2, OnHand: 2}},
		{TurnBack, Shipped, confirmed, ReturnedToSender, Line{Quantity: 3, Missing: 1}, Effect{}},
	} {
		r, l := Of(c.v), c.l
		if why := r.Check(sent, c.s, []Line{l}, 2, false); why != 0 {
			t.Errorf("%v of one that is %v is refused by %d", c.v, c.s, why)
		}
		e := r.Goods.Apply(&l, 2)
		if next, _, _ := r.State(c.s, []Line{l}, int64(l.Confirmed)); next != c.next || l != c.then || e != c.e {
			t.Errorf("%v of one that is %v: %v with %+v, %+v; want %v with %+v, %+v", c.v, c.s, next, l, e, c.next, c.then, c.e)
		}
	}
	possible := func(s State) (all []Verb) {
		for _, v := range Verbs() {
			if Of(v).Check(sent, s, []Line{{Quantity: 2, Confirmed: 1, Missing: 1}}, 1, false) == 0 {
				all = append(all, v)
			}
		}
		return all
	}
	for s, want := range map[State][]Verb{
		Packed:  {Reassign, ShortPick, Cancel, Lack, Cover, ReplaceMissing, GiveUp, Ship},
		Shipped: {Reassign, Lack, Cover, ReplaceMissing, GiveUp, Deliver, Lose, SendBack, TurnBack},
		Lost:    {ReplaceMissing, GiveUp},
	} {
		if got := possible(s); !slices.Equal(got, want) {
			t.Errorf("of one that is %v: %v, want %v", s, got, want)
		}
	}
	held := Line{Quantity: 2, Confirmed: 1, Held: 1}
	for _, v := range []Verb{Pack, Ship} {
		if Of(v).Check(sent, Confirmed, []Line{held}, 1, false) != ByState {
			t.Errorf("%v passes with a unit that is only held", v)
		}
	}
}

// TestStatesAreTold: every state is live or has ended, is in the sets that it must be
// in, and has a number that is stored.
func TestStatesAreTold(t *testing.T) {
	over := []State{Collected, Canceled, Expired, NoShow, Returned, Rerouted, Delivered, Lost, ReturnedToSender}
	for s := Held; s < states; s++ {
		if s.Ended() != slices.Contains(over, s) || Live.Has(s) == s.Ended() || s.OnRoad() != (s == InTransit || s == Shipped) || SetOf(s) != 1<<s {
			t.Errorf("%v: ended %v, live %v, on the road %v", s, s.Ended(), Live.Has(s), s.OnRoad())
		}
		l := Line{Quantity: 3}
		if l.Imply(s); !Sound(s, []Line{l}) {
			t.Errorf("%v implies %+v", s, l)
		}
	}
	for s, number := range map[State]uint8{Held: 1, Rerouted: 11, Packed: 12, Shipped: 13, Delivered: 14, Lost: 15, ReturnedToSender: 16} {
		if uint8(s) != number {
			t.Errorf("%v is stored as %d, not as %d", s, s, number)
		}
	}
	if State(0).Ended() || State(states).Ended() || State(255).Ended() || SetOf(0, states, 255) != 0 {
		t.Error("what is no state has ended")
	}
}
