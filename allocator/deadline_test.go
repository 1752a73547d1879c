package allocator

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// A hold ends in the millisecond of its deadline: not one earlier, and by the
// engine's own goroutine not one later. Its goods are there for the next order.
func TestHoldExpiresToTheMillisecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := street(t, 1, Options{HoldFor: 90 * time.Second})
		stocked(t, a, "L0", "tea", 2)
		got := allocated(t, a, ordered("o", Line{"tea", 2}), "L0")
		if want := time.Now().Add(90 * time.Second).UTC(); !got.HeldUntil.Equal(want) {
			t.Fatalf("held until %v, want %v", got.HeldUntil, want)
		}
		short := ordered("p", Line{"tea", 1})
		short.HoldFor = 90*time.Second + time.Millisecond
		time.Sleep(90*time.Second - time.Millisecond)
		synctest.Wait()
		state(t, a, "o", Held)
		as[*NoLocationError](t, second(a.Allocate(t.Context(), short)))
		time.Sleep(time.Millisecond)
		synctest.Wait()
		r := state(t, a, "o", Expired)
		if !r.EndedAt.Equal(got.HeldUntil) || !r.HeldUntil.IsZero() || places(r) != "tea expired 2" {
			t.Errorf("got %+v", r)
		}
		allocated(t, a, short, "L0")
		if s := a.Stats(); s.Expired != 1 || s.ExpiryLag != 0 || s.Held != 1 {
			t.Errorf("stats %+v", s)
		}
		// A deadline before the one that the goroutine sleeps for wakes it.
		early := ordered("q", Line{"tea", 1})
		early.HoldFor = time.Millisecond
		allocated(t, a, early, "L0")
		time.Sleep(time.Millisecond)
		synctest.Wait()
		state(t, a, "q", Expired)
		must(t, a.Close())
	})
}

// Of many holds, some of which end a millisecond after the others, none ends with
// those: neither by the engine's goroutine nor after a restart in between.
func TestHoldsOfTwoMilliseconds(t *testing.T) {
	const orders = 1000
	id := func(i int) string { return fmt.Sprint("o", i) }
	hold := func(t *testing.T, a *Allocator) {
		stocked(t, a, "L0", "tea", orders)
		for i := range orders {
			o := ordered(id(i), Line{"tea", 1})
			o.HoldFor = time.Minute + time.Duration(i%2)*time.Millisecond
			allocated(t, a, o, "L0")
		}
	}
	ended := func(t *testing.T, a *Allocator, want int) {
		t.Helper()
		for i := range orders {
			if i%2 < want {
				state(t, a, id(i), Expired)
			} else {
				state(t, a, id(i), Held)
			}
		}
		if n := orders / 2 * want; a.Stats().Expired != uint64(n) {
			t.Errorf("%d expired, want %d", a.Stats().Expired, n)
		}
	}
	t.Run("goroutine", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			a := street(t, 1, Options{})
			hold(t, a)
			for i, after := range []time.Duration{time.Minute - time.Millisecond, time.Millisecond, time.Millisecond} {
				time.Sleep(after)
				synctest.Wait()
				ended(t, a, i)
			}
			if lag := a.Stats().ExpiryLag; lag != 0 {
				t.Errorf("late by %v", lag)
			}
			must(t, a.Close())
		})
	})
	t.Run("restart", func(t *testing.T) {
		var clock handClock
		o := Options{Dir: t.TempDir(), Durability: Written, Clock: clock.now, ManualExpiry: true}
		a := street(t, 1, o)
		hold(t, a)
		clock.add(time.Minute)
		must(t, a.Close())
		a = opened(t, o)
		due, err := a.Expire(time.Time{})
		if must(t, err); due != (Due{Expired: orders / 2}) {
			t.Errorf("at the deadline of half of them: %+v", due)
		}
		ended(t, a, 1)
		must(t, a.Close())
	})
}

// Who ends holds by a time earlier than the engine's, after a restart as before it,
// ends what was due by then and no more.
func TestExpireByAnEarlierTime(t *testing.T) {
	for _, restart := range []bool{false, true} {
		var clock handClock
		o := Options{Dir: t.TempDir(), Clock: clock.now, ManualExpiry: true, HoldFor: time.Minute}
		a, err := Open(t.Context(), o)
		must(t, err, a.SetLocations(t.Context(), Location{ID: "L0", Point: streetPoint(0)}))
		stocked(t, a, "L0", "tea", 9)
		first, err := a.Allocate(t.Context(), ordered("first", Line{"tea", 1}))
		must(t, err)
		clock.add(30 * time.Second)
		second, err := a.Allocate(t.Context(), ordered("second", Line{"tea", 1}))
		must(t, err)
		clock.add(time.Hour)
		stocked(t, a, "L0", "cup", 1) // so that the time is recorded
		if restart {
			must(t, a.Close())
			a, err = Open(t.Context(), o)
			must(t, err)
		}
		for _, step := range []struct {
			at      time.Time
			expired int
		}{{first.HeldUntil.Add(-time.Millisecond), 0}, {first.HeldUntil, 1}, {second.HeldUntil.Add(-time.Millisecond), 0}, {second.HeldUntil, 1}, {time.Time{}, 0}} {
			if due := mustGet(a.Expire(step.at)); due.Expired != step.expired {
				t.Errorf("restart %v: %d expired by %v, want %d", restart, due.Expired, step.at, step.expired)
			}
		}
		must(t, a.Close())
	}
}

// The part that is confirmed stays when the rest of the hold expires.
func TestExpiryOfAPart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := street(t, 1, Options{HoldFor: time.Minute})
		stocked(t, a, "L0", "tea", 3)
		allocated(t, a, ordered("o", Line{"tea", 3}), "L0")
		must(t, a.Confirm(t.Context(), "o", Line{"tea", 1}))
		time.Sleep(time.Hour)
		synctest.Wait()
		r := state(t, a, "o", Confirmed)
		if places(r) != "tea confirmed 1 expired 2" || !r.HeldUntil.IsZero() {
			t.Errorf("got %+v", r)
		}
		shelf(t, a, "L0", "tea", 3, 1, 0)
		must(t, a.Close())
	})
}

// The reminder and the no-show come when they are due, once each.
func TestReminderAndNoShow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := street(t, 1, Options{PickupWithin: 48 * time.Hour, RemindBefore: 6 * time.Hour, FeedBytes: 1 << 16})
		stocked(t, a, "L0", "tea", 2)
		allocated(t, a, ordered("o", Line{"tea", 2}), "L0")
		ready := time.Now()
		must(t, a.Confirm(t.Context(), "o"), a.Ready(t.Context(), "o", Pickup{Code: "17"}))
		if r := state(t, a, "o", Ready); !r.PickupUntil.Equal(ready.Add(48 * time.Hour)) {
			t.Errorf("got %+v", r)
		}
		time.Sleep(48*time.Hour - time.Millisecond)
		synctest.Wait()
		state(t, a, "o", Ready)
		time.Sleep(time.Millisecond)
		synctest.Wait()
		if r := state(t, a, "o", NoShow); places(r) != "tea expired 2" || !r.EndedAt.Equal(ready.Add(48*time.Hour)) {
			t.Errorf("got %+v", r)
		}
		shelf(t, a, "L0", "tea", 2, 0, 0)
		at := map[string]time.Time{}
		for e, err := range a.History(t.Context(), 0) {
			must(t, err)
			if _, twice := at[e.Name]; twice && e.Name == "PickupReminderDue" {
				t.Error("reminded twice")
			}
			at[e.Name] = e.Time
		}
		if !at["PickupReminderDue"].Equal(ready.Add(42*time.Hour)) || !at["NoShow"].Equal(ready.Add(48*time.Hour)) {
			t.Errorf("got %v", at)
		}
		as[*EndedError](t, a.Collect(t.Context(), "o"))
		must(t, a.Close())
	})
}

// An extension is from now on, never shortens, and is capped.
func TestExtend(t *testing.T) {
	var clock handClock
	a := street(t, 1, Options{Clock: clock.now, ManualExpiry: true, HoldFor: 10 * time.Minute, MaxHold: time.Hour})
	stocked(t, a, "L0", "tea", 1)
	began := clock.now()
	allocated(t, a, ordered("o", Line{"tea", 1}), "L0")
	extend := func(by, want time.Duration) {
		t.Helper()
		until, err := a.Extend(t.Context(), "o", by)
		must(t, err)
		if !until.Equal(began.Add(want)) || !state(t, a, "o", Held).HeldUntil.Equal(until) {
			t.Fatalf("until %v after the beginning, want %v", until.Sub(began), want)
		}
	}
	extend(5*time.Minute, 10*time.Minute)
	extend(30*time.Minute, 30*time.Minute)
	extend(30*time.Minute, 30*time.Minute)
	clock.add(20 * time.Minute)
	extend(40*time.Minute, time.Hour)
	refused(t, second(a.Extend(t.Context(), "o", 40*time.Minute+time.Millisecond)), ErrInvalid,
		`allocator: extend "o": invalid by 2400001000000: must be from 1ms, and not make it a hold of more than the 1h0m0s of Options.MaxHold in all`)
	clock.add(40*time.Minute - time.Millisecond)
	for range 2 {
		due, err := a.Expire(time.Time{})
		if must(t, err); due != (Due{}) {
			t.Fatalf("early: %+v", due)
		}
	}
	clock.add(time.Millisecond)
	due, err := a.Expire(time.Time{})
	if must(t, err); due != (Due{Expired: 1}) {
		t.Fatalf("got %+v", due)
	}
	if _, err := a.Extend(t.Context(), "o", time.Minute); !errors.Is(err, ErrEnded) || as[*EndedError](t, err).State != Expired {
		t.Errorf("extending what has expired: %v", err)
	}
}

// A clock that is set back ends nothing early and revives nothing; one that jumps
// ahead ends what is due by it, and no more than that.
func TestClockBackAndForward(t *testing.T) {
	var clock handClock
	a := street(t, 1, Options{Clock: clock.now, ManualExpiry: true, HoldFor: time.Minute})
	stocked(t, a, "L0", "tea", 3)
	began := clock.now()
	first := allocated(t, a, ordered("a", Line{"tea", 1}), "L0")
	expire := func(now time.Time, want int) {
		t.Helper()
		due, err := a.Expire(now)
		if must(t, err); due.Expired != want {
			t.Fatalf("expired %d, want %d", due.Expired, want)
		}
	}
	clock.add(-365 * 24 * time.Hour)
	later := allocated(t, a, ordered("b", Line{"tea", 1}), "L0")
	if later.HeldUntil != first.HeldUntil {
		t.Errorf("engine time went back: %v, then %v", first.HeldUntil, later.HeldUntil)
	}
	expire(time.Time{}, 0)
	clock.add(59_999 * time.Millisecond) // forward from there
	expire(time.Time{}, 0)
	expire(began.Add(1000*time.Hour), 0) // not by a time that has not come
	clock.add(time.Millisecond)
	expire(began, 0) // nor was anything due then
	expire(time.Time{}, 2)
	clock.add(-time.Hour)
	expire(time.Time{}, 0)
	state(t, a, "a", Expired)
	allocated(t, a, ordered("c", Line{"tea", 3}), "L0")
	clock.add(time.Minute)
	expire(time.Time{}, 1)
}

// With a clock of its own the engine looks every few milliseconds.
func TestExpiryByACustomClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var clock handClock
		a := street(t, 1, Options{Clock: clock.now, HoldFor: time.Minute})
		stocked(t, a, "L0", "tea", 1)
		allocated(t, a, ordered("o", Line{"tea", 1}), "L0")
		time.Sleep(2 * time.Minute) // a look each few milliseconds, which the detector of races makes slow
		synctest.Wait()
		state(t, a, "o", Held)
		clock.add(time.Minute)
		time.Sleep(expiryTick)
		synctest.Wait()
		state(t, a, "o", Expired)
		must(t, a.Close())
	})
}
