package allocator

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/geo"
)

// Close while everybody is at work, from several goroutines at once: each call
// either does its work in full or is ErrClosed, and what was acknowledged is
// there when the directory is opened anew.
func TestCloseDuringDurableTraffic(t *testing.T) {
	o := Options{Dir: t.TempDir(), HoldFor: time.Hour}
	a, err := Open(t.Context(), o)
	must(t, err)
	must(t, a.SetLocations(t.Context(), Location{ID: "L0", Point: streetPoint(0)}))
	stocked(t, a, "L0", "tea", 1<<20)
	ctx := context.Background()
	var acknowledged, canceled sync.Map
	var made atomic.Int64
	busy := make(chan struct{})
	var wait sync.WaitGroup
	closed := func(err error) bool {
		if err != nil && !errors.Is(err, ErrClosed) {
			t.Error(err)
		}
		return err != nil
	}
	for g := range 8 {
		wait.Go(func() {
			for i := 0; ; i++ {
				id := fmt.Sprintf("%d/%d", g, i)
				if _, err := a.Allocate(ctx, ordered(id, Line{"tea", 1})); closed(err) {
					return
				}
				acknowledged.Store(id, nil)
				if made.Add(1) == 200 {
					close(busy)
				}
				if i%3 == 0 {
					if closed(a.Cancel(ctx, id)) {
						canceled.Store(id, "perhaps")
						return
					}
					canceled.Store(id, nil)
				}
				if _, err := a.Available("tea", "L0"); closed(err) {
					return
				}
				if i%16 == 0 && closed(a.Snapshot(ctx)) {
					return
				}
			}
		})
	}
	<-busy
	for range 3 {
		wait.Go(func() {
			if err := a.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	must(t, a.Close())
	a, err = Open(ctx, o)
	must(t, err)
	defer a.Close()
	acknowledged.Range(func(id, _ any) bool {
		want := Held
		if how, ok := canceled.Load(id); ok && how == nil {
			want = Canceled
		} else if ok {
			return true
		}
		state(t, a, id.(string), want)
		return true
	})
}

// A pause lets changes under way end, lets none begin and holds no read up; one
// that waits for the end of a pause goes by its context, and by Close.
func TestPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := street(t, 1, Options{})
		stocked(t, a, "L0", "tea", 9)
		resume := a.gate.Pause()
		var done atomic.Int32
		var wait sync.WaitGroup
		wait.Go(func() {
			allocated(t, a, ordered("o", Line{"tea", 1}), "L0")
			done.Add(1)
		})
		ctx, cancel := context.WithCancel(t.Context())
		wait.Go(func() {
			if err := a.Cancel(ctx, "o"); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
		time.Sleep(time.Hour)
		synctest.Wait()
		if done.Load() != 0 {
			t.Error("a change began in the pause")
		}
		shelf(t, a, "L0", "tea", 9, 0, 0)
		cancel()
		synctest.Wait()
		resume()
		wait.Wait()
		shelf(t, a, "L0", "tea", 9, 1, 0)
		resume = a.gate.Pause()
		wait.Go(func() {
			if err := a.Cancel(t.Context(), "o"); !errors.Is(err, ErrClosed) {
				t.Error(err)
			}
		})
		synctest.Wait()
		must(t, a.Close())
		wait.Wait()
		resume()
	})
}

// A place is read back as it was written, and what was never written is refused.
func TestPlaces(t *testing.T) {
	area, err := geo.NewArea([]geo.Point{{Lat: -10, Lon: 170}, {Lat: -10, Lon: -170}, {Lat: 10, Lon: -170}, {Lat: 10, Lon: 170}},
		[]geo.Point{{Lat: -1, Lon: 179}, {Lat: -1, Lon: -179}, {Lat: 1, Lon: 180}})
	must(t, err)
	for _, l := range []Location{{ID: "a"}, {ID: "b", Kind: Locker, Point: geo.Point{Lat: -90, Lon: 180}, NoReturns: true},
		{ID: "c", Kind: Warehouse, Point: geo.Point{Lat: 1.5, Lon: -0.25}, Area: area}} {
		b := appendPlace(nil, &l)
		got, err := takePlace(l.ID, b)
		must(t, err)
		if again := appendPlace(nil, &got); !bytes.Equal(again, b) || got.ID != l.ID || got.NoReturns != l.NoReturns {
			t.Errorf("%+v was read back as %+v", l, got)
		}
		for i := range b {
			if _, err := takePlace(l.ID, b[:i]); !errors.Is(err, ErrCorrupt) {
				t.Errorf("%d of %d bytes: %v", i, len(b), err)
			}
		}
		if _, err := takePlace(l.ID, append(b, 0)); !errors.Is(err, ErrCorrupt) {
			t.Errorf("a byte too many: %v", err)
		}
		b[0]++
		if _, err := takePlace(l.ID, b); !errors.Is(err, ErrNewer) {
			t.Errorf("a later version: %v", err)
		}
	}
}

// Reading a place never panics, and what it accepts is written the same way.
func FuzzPlace(f *testing.F) {
	f.Add(appendPlace(nil, &Location{Point: geo.Point{Lat: 1, Lon: 2}, NoReturns: true}))
	area, err := geo.NewArea([]geo.Point{{Lat: 1, Lon: 1}, {Lat: 1, Lon: 2}, {Lat: 2, Lon: 2}})
	must(f, err)
	f.Add(appendPlace(nil, &Location{Area: area}))
	f.Add(appendPlace(nil, &Location{Terms: &Terms{Hours: "Mo-Fr 09:00-17:00", Zone: "Europe/Warsaw", Groups: []string{"a"},
		Forms: []sourcing.Form{sourcing.Ship}, Prep: time.Hour, Priority: -1}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		l, err := takePlace("l", b)
		if err != nil {
			return
		}
		first := appendPlace(nil, &l)
		again, err := takePlace("l", first)
		must(t, err)
		if !bytes.Equal(first, appendPlace(nil, &again)) {
			t.Errorf("%x was read and written as %x", b, first)
		}
	})
}

// Every fault of the options of time and disk is told at once.
func TestOptionsOfTimeAndDisk(t *testing.T) {
	_, err := Open(t.Context(), Options{Durability: 7, CommitDelay: time.Hour, SegmentBytes: 100, RetainBytes: -1, FeedBytes: -1,
		HoldFor: 5 * time.Hour, MaxHold: time.Hour, PickupWithin: -1, RememberFor: -1, MaxClockGap: -1})
	const want = `allocator: open: invalid Options.CommitDelay 3600000000000: must be 0 or from 0s to 1s
invalid Options.PickupWithin -1: must be 0 or from 1ms to 876000h0m0s
invalid Options.RememberFor -1: must be 0 or from 1ms to 876000h0m0s
invalid Options.MaxClockGap -1: must be 0 or from 1ms to 876000h0m0s
invalid Options.HoldFor 18000000000000: must not be more than the 1h0m0s of Options.MaxHold
invalid Options.Durability 0x7: must be Synced or Written
invalid Options.SegmentBytes 100: must be 0 or a multiple of 4096 from 65536 to 2^30
invalid Options.RetainBytes -1: must not be negative
invalid Options.FeedBytes -1: must not be negative`
	refused(t, err, ErrInvalid, want)
}
