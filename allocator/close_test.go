package allocator

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
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
