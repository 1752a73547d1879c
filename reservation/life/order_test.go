package life

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// aPart is a part as Order is told of it.
type aPart struct {
	state           State
	held, collected int64
	goods           bool
}

func stateOf(parts ...aPart) OrderState {
	var o Order
	for _, p := range parts {
		o.Add(p.state, p.held, p.collected, p.goods)
	}
	return o.State()
}

func withGoods(states ...State) (parts []aPart) {
	for _, s := range states {
		p := aPart{state: s, goods: true}
		switch s {
		case Held:
			p.held = 1
		case Collected, Delivered, Returned:
			p.collected = 1
		}
		parts = append(parts, p)
	}
	return parts
}

func TestOrderStates(t *testing.T) {
	visit := aPart{state: Confirmed}
	for _, c := range []struct {
		parts []aPart
		want  OrderState
	}{
		{nil, 0},
		{withGoods(Held), OrderHeld},
		{withGoods(Confirmed), OrderConfirmed},
		{withGoods(Confirmed, Held), OrderHeld},
		{withGoods(Accepted, Held), OrderHeld},
		{withGoods(Confirmed, Accepted), OrderInProgress},
		{withGoods(Confirmed, InTransit), OrderInProgress},
		{withGoods(Packed), OrderInProgress},
		{withGoods(Ready, InTransit), OrderPartlyReady},
		{withGoods(Ready, Ready), OrderReady},
		{withGoods(Ready, Canceled), OrderReady},
		{withGoods(Ready, Shipped), OrderPartlyShipped},
		{withGoods(Shipped, Lost), OrderShipped},
		{withGoods(Collected, Ready), OrderPartlyCollected},
		{withGoods(Delivered, Shipped), OrderPartlyDelivered},
		{withGoods(Delivered, Collected, Shipped), OrderPartlyCollected},
		{[]aPart{{state: Confirmed, collected: 2, goods: true}}, OrderPartlyCollected},
		{withGoods(Returned, Ready), OrderReady},
		{withGoods(Collected, NoShow, Canceled), OrderCollected},
		{withGoods(Delivered, Lost), OrderDelivered},
		{withGoods(Returned, Canceled), OrderReturned},
		{withGoods(ReturnedToSender, Lost), OrderReturnedToSender},
		{withGoods(Lost, NoShow), OrderLost},
		{withGoods(NoShow, Canceled), OrderNoShow},
		{withGoods(Canceled, Expired), OrderCanceled},
		{withGoods(Expired), OrderExpired},
		{withGoods(Rerouted, Ready), OrderReady},
		{withGoods(Canceled, Rerouted), OrderCanceled},
		{withGoods(Rerouted), 0},
		{append(withGoods(Ready), visit), OrderReady},
		{append([]aPart{visit}, withGoods(Ready)...), OrderReady},
		{[]aPart{visit}, OrderConfirmed},
	} {
		if got := stateOf(c.parts...); got != c.want {
			t.Errorf("%+v is %q, want %q", c.parts, got, c.want)
		}
	}
}

// TestOrderStateLaws: the state does not hang on the order of the parts; it is an end if
// and only if no part with goods is open; and a part that is elsewhere says nothing.
func TestOrderStateLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) aPart {
			return aPart{State(rapid.IntRange(1, states-1).Draw(t, "state")), rapid.Int64Range(0, 1).Draw(t, "held"), rapid.Int64Range(0, 2).Draw(t, "collected"), rapid.IntRange(0, 4).Draw(t, "goods") > 0}
		}), 1, 6).Draw(t, "parts")
		got := stateOf(parts...)
		if other := stateOf(rapid.Permutation(parts).Draw(t, "in another order")...); other != got {
			t.Fatalf("%v, in another order %v", got, other)
		}
		counts := func(p aPart) bool { return p.state != Rerouted && p.goods }
		if !slices.ContainsFunc(parts, counts) {
			return
		}
		open := slices.ContainsFunc(parts, func(p aPart) bool { return counts(p) && !p.state.Ended() })
		if got == 0 || got.Ended() == open {
			t.Fatalf("%v of %+v", got, parts)
		}
		if more := stateOf(append(parts, aPart{Rerouted, 0, 0, true}, aPart{state: Ready})...); more != got {
			t.Fatalf("%v, with parts that say nothing %v", got, more)
		}
	})
}

func TestOrderStateTexts(t *testing.T) {
	for s := OrderState(0); s < orderStates; s++ {
		text, err := s.MarshalText()
		var back OrderState
		if err != nil || back.UnmarshalText(text) != nil || back != s {
			t.Errorf("%d is %q, read as %d: %v", s, text, back, err)
		}
	}
	var s OrderState
	if err := s.UnmarshalText([]byte("ready soon")); err == nil {
		t.Error("a state that there is not is read")
	}
	if got := OrderState(200).String(); got != "OrderState(200)" || OrderState(200).Valid() || OrderState(0).Valid() {
		t.Error(got)
	}
}
