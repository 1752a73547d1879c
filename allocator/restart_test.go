package allocator

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clickcollect/clickcollect/bench/scaletest"
	"github.com/clickcollect/clickcollect/geo"
	"github.com/clickcollect/clickcollect/reservation/log/logtest"
)

// kept is everything a restart must keep, as far as it can be read.
type kept struct {
	Locations    []Location
	Rings        [][][]geo.Point
	Levels       map[string]Availability
	Reservations map[string]Reservation
	Transfers    map[string]TransferState
	Answers      map[string]Allocation
}

var keptOrders = []Order{
	ordered("held", Line{"tea", 2}, Line{"cup", 1}), ordered("half", Line{"tea", 4}), ordered("ready", Line{"tea", 3}),
	ordered("road", Line{"cup", 2}), ordered("there", Line{"cup", 1}), ordered("done", Line{"tea", 3}), ordered("off", Line{"tea", 1}),
	{ID: "terms", Near: streetPoint(0), Lines: []Line{{"tea", 1}}, Order: "SO-1", Customer: "C-1", Owner: "cart", Channel: "web",
		HoldFor: time.Hour, Promise: time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC)},
}

// readKept reads it.
func readKept(t *testing.T, a *Allocator) kept {
	t.Helper()
	k := kept{Locations: slices.Collect(a.Locations()), Levels: map[string]Availability{},
		Reservations: map[string]Reservation{}, Transfers: map[string]TransferState{}, Answers: map[string]Allocation{}}
	for i := range k.Locations {
		if area := k.Locations[i].Area; area != nil {
			k.Rings = append(k.Rings, area.Rings())
			k.Locations[i].Area = nil
		}
		for _, sku := range []string{"tea", "cup", "hat"} {
			level, err := a.Available(sku, k.Locations[i].ID)
			must(t, err)
			k.Levels[sku+" at "+k.Locations[i].ID] = level
		}
	}
	for _, o := range keptOrders {
		r, err := a.Lookup(o.ID)
		must(t, err)
		k.Reservations[o.ID] = r
		k.Answers[o.ID], err = a.Allocate(t.Context(), o)
		must(t, err)
	}
	for _, id := range []string{"t", "u"} {
		x, err := a.LookupTransfer(id)
		must(t, err)
		k.Transfers[id] = x
	}
	return k
}

// live brings about everything that is to be kept. It can be repeated.
func live(t *testing.T, a *Allocator) {
	t.Helper()
	ctx := t.Context()
	area, err := geo.NewArea([]geo.Point{{Lat: 49, Lon: 179}, {Lat: 49, Lon: -179}, {Lat: 51, Lon: -179}, {Lat: 51, Lon: 179}},
		[]geo.Point{{Lat: 49.5, Lon: 179.5}, {Lat: 49.5, Lon: -179.5}, {Lat: 50.5, Lon: 180}})
	must(t, err)
	must(t, a.SetLocations(ctx, Location{ID: "L0", Kind: PickupPoint, Point: streetPoint(0)}, Location{ID: "L1", Point: streetPoint(1), NoReturns: true},
		Location{ID: "far", Point: geo.Point{Lat: 50, Lon: 180}, Area: area}))
	tea := []Line{{"tea", 30}, {"cup", 30}}
	must(t, a.Receive(ctx, Receipt{ID: "r1", Location: "L0", Lines: tea}, Receipt{ID: "r2", Location: "L1", Lines: tea}, Receipt{ID: "r3", Location: "far", Lines: []Line{{"hat", 7}}}))
	must(t, a.SetSafetyStock(ctx, SafetyStock{Units: 1}, SafetyStock{SKU: "tea", Units: 2}, SafetyStock{Location: "L1", Units: 3},
		SafetyStock{SKU: "cup", Location: "L1", Units: 0}))
	must(t, a.Send(ctx, Transfer{"t", "L1", "L0", []Line{{"tea", 5}}}, Transfer{"u", "L1", "far", []Line{{"cup", 2}}}),
		a.Deliver(ctx, Delivery{"d1", "t", []Line{{"tea", 2}}}, Delivery{ID: "d2", Transfer: "u"}), a.Lose(ctx, Loss{"x", "t", []Line{{"tea", 1}}}))
	for i, o := range a.AllocateAll(ctx, keptOrders...) {
		if o.Err != nil {
			t.Fatal(keptOrders[i].ID, o.Err)
		}
	}
	must(t, a.Change(ctx, Change{ID: "c1", Reservation: "half", Do: DoConfirm, Lines: []Line{{"tea", 2}}},
		Change{ID: "c2", Reservation: "half", Do: DoCollect, Lines: []Line{{"tea", 1}}},
		Change{ID: "c3", Reservation: "ready", Do: DoConfirm}, Change{ID: "c4", Reservation: "ready", Do: DoShortPick, Lines: []Line{{"tea", 1}}},
		Change{ID: "c5", Reservation: "ready", Do: DoReady, Pickup: Pickup{Code: "4711"}},
		Change{ID: "c6", Reservation: "road", Do: DoConfirm}, Change{ID: "c7", Reservation: "road", Do: DoDispatch, Location: "L1"},
		Change{ID: "c8", Reservation: "there", Do: DoConfirm}, Change{ID: "c9", Reservation: "there", Do: DoDispatch, Location: "L1"},
		Change{ID: "c10", Reservation: "there", Do: DoArrive},
		Change{ID: "c11", Reservation: "done", Do: DoCollect}, Change{ID: "c12", Reservation: "off", Do: DoCancel}))
	must(t, a.Return(ctx, Return{ID: "b1", Reservation: "done", Location: "far", Lines: []Line{{"tea", 1}}},
		Return{ID: "b2", Reservation: "done", Location: "far", As: Inspect, Lines: []Line{{"tea", 1}}}))
	must(t, a.Count(ctx, Count{ID: "n", Location: "L0", Lines: []Line{{"tea", 6}}}), a.WriteOff(ctx, Damage{ID: "w", Location: "L1", Lines: []Line{{"cup", 1}}}))
}

// A restart keeps everything, with a snapshot or without, as often as one likes;
// and what was done is not done again when it is repeated.
func TestRestartKeepsEverything(t *testing.T) {
	for _, c := range []struct {
		name      string
		o         Options
		snapshots bool
		store     *logtest.Store // of Options.Log
		dirless   bool
	}{{name: "log", store: new(logtest.Store), dirless: true}, {name: "log and snapshots", store: new(logtest.Store), snapshots: true}, {name: "journal"}, {name: "snapshot", snapshots: true}, {name: "written", o: Options{Durability: Written}},
		{name: "small segments", o: Options{SegmentBytes: 64 << 10, CommitDelay: time.Millisecond}, snapshots: true}} {
		t.Run(c.name, func(t *testing.T) {
			var clock handClock
			o := c.o
			o.Clock, o.ManualExpiry = clock.now, true
			if !c.dirless {
				o.Dir = filepath.Join(t.TempDir(), "data")
			}
			open := func() *Allocator {
				if c.store != nil {
					o.Log = c.store.Open("a")
				}
				a, err := Open(t.Context(), o)
				must(t, err)
				return a
			}
			a := open()
			live(t, a)
			extra := Location{ID: "gone", Point: streetPoint(9)}
			must(t, a.SetLocations(t.Context(), extra), a.Receive(t.Context(), Receipt{ID: "g", Location: "gone", Lines: []Line{{"hat", 1}}}),
				a.Count(t.Context(), Count{ID: "g0", Location: "gone", Lines: []Line{{"hat", 0}}}), a.RemoveLocation(t.Context(), "gone"))
			want := readKept(t, a)
			if short := want.Reservations["held"].Lines; len(short) != 2 {
				t.Fatal(short)
			}
			for range 3 {
				if c.snapshots {
					must(t, a.Snapshot(t.Context()))
				}
				must(t, a.Close())
				a = open()
				if got := readKept(t, a); !reflect.DeepEqual(got, want) {
					t.Fatalf("got  %+v\nwant %+v", got, want)
				}
				live(t, a)
				if got := readKept(t, a); !reflect.DeepEqual(got.Levels, want.Levels) || !reflect.DeepEqual(got.Reservations, want.Reservations) {
					t.Fatalf("after a repeat of everything: got  %+v\nwant %+v", got, want)
				}
			}
			s := a.Stats()
			if s.Recovered.Records == 0 && s.Recovered.Snapshot == 0 || s.Journal.Sequence != s.Journal.Durable || s.Short == 0 {
				t.Errorf("stats %+v", s)
			}
			lifeGoesOn(t, a)
			must(t, a.Close())
		})
	}
}

// lifeGoesOn checks that what was recovered can be gone on with.
func lifeGoesOn(t *testing.T, a *Allocator) {
	t.Helper()
	ctx := t.Context()
	if err := a.Reassign(ctx, "terms", "x", Owner{}); !errors.Is(err, ErrOwner) {
		t.Errorf("reassigned by the wrong owner: %v", err)
	}
	must(t, a.Reassign(ctx, "terms", "cart", Owner{Token: "till"}), a.Arrive(ctx, "road"), a.Collect(ctx, "there"), a.Collect(ctx, "ready"),
		a.Deliver(ctx, Delivery{ID: "rest", Transfer: "t"}))
	if r := state(t, a, "road", Accepted); r.Location != "L1" {
		t.Errorf("got %+v", r)
	}
	other := keptOrders[0]
	other.Lines = []Line{{"tea", 1}}
	if _, err := a.Allocate(ctx, other); !errors.Is(err, ErrConflict) {
		t.Errorf("another order under a known ID: %v", err)
	}
	if err := a.Return(ctx, Return{ID: "b3", Reservation: "done", Location: "L1"}); !errors.Is(err, ErrReturns) {
		t.Errorf("returned where no returns are taken: %v", err)
	}
	abroad := Order{ID: "abroad", Near: geo.Point{Lat: 50, Lon: 178.9}, Lines: []Line{{"hat", 1}}}
	if no := as[*NoLocationError](t, second(a.Allocate(ctx, abroad))); no.Counts().Area != 1 {
		t.Errorf("got %+v", no.Counts())
	}
	abroad.Near.Lon = -179.2
	allocated(t, a, abroad, "far")
}

// Engine time goes on from what was recorded: a wall clock that is behind does not
// take it back, and one that is far ahead moves it on by Options.MaxClockGap each
// time.
func TestEngineTimeOverARestart(t *testing.T) {
	var clock handClock
	o := Options{Dir: t.TempDir(), Clock: clock.now, HoldFor: time.Hour, MaxClockGap: 30 * time.Minute}
	a, err := Open(t.Context(), o)
	must(t, err)
	must(t, a.SetLocations(t.Context(), Location{ID: "L0", Point: streetPoint(0)}))
	stocked(t, a, "L0", "tea", 1)
	first := allocated(t, a, ordered("o", Line{"tea", 1}), "L0")
	for _, c := range []struct {
		gap  time.Duration
		then State
	}{{-10 * 365 * 24 * time.Hour, Held}, {20 * 365 * 24 * time.Hour, Held}, {time.Minute, Expired}} {
		must(t, a.Close())
		clock.add(c.gap)
		a, err = Open(t.Context(), o)
		must(t, err)
		r := state(t, a, "o", c.then)
		if c.then == Expired && r.EndedAt.Before(first.HeldUntil) {
			t.Errorf("expired at %v, before %v", r.EndedAt, first.HeldUntil)
		}
	}
	must(t, a.Close())
}

// A directory belongs to one engine at a time, and what is no directory of ours
// is refused by name; nothing is left running.
func TestDirectoriesThatAreRefused(t *testing.T) {
	dir := t.TempDir()
	a, err := Open(t.Context(), Options{Dir: dir})
	must(t, err)
	if _, err := Open(t.Context(), Options{Dir: dir}); !errors.Is(err, ErrLocked) {
		t.Errorf("opened twice: %v", err)
	}
	must(t, a.Close(), a.Close())
	a, err = Open(t.Context(), Options{Dir: dir})
	must(t, err)
	must(t, a.Close())

	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, []byte("tea"), 0o600))
	if _, err := Open(t.Context(), Options{Dir: file}); !errors.As(err, new(*fs.PathError)) {
		t.Errorf("a file as Dir: %v (%T)", err, err)
	}
	foreign := t.TempDir()
	must(t, os.WriteFile(filepath.Join(foreign, "superblock"), make([]byte, 8192), 0o600))
	if _, err := Open(t.Context(), Options{Dir: foreign}); err != nil && !errors.Is(err, ErrForeign) && !errors.Is(err, ErrCorrupt) {
		t.Errorf("another product's Dir: %v", err)
	}
	if os.Getuid() != 0 {
		locked := filepath.Join(t.TempDir(), "locked")
		must(t, os.Mkdir(locked, 0o500))
		if _, err := Open(t.Context(), Options{Dir: locked}); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("a read-only Dir: %v", err)
		}
	}
	if _, err := Open(t.Context(), Options{Dir: "/proc/none/data"}); !errors.As(err, new(*fs.PathError)) {
		t.Errorf("a Dir that cannot be made: %v (%T)", err, err)
	}
}

// The directory goes away under a running engine: what comes back is an error
// that says so, sooner or later, and the process lives.
func TestDirGoneWhileRunning(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	a, err := Open(t.Context(), Options{Dir: dir, SegmentBytes: 64 << 10})
	must(t, err)
	must(t, a.SetLocations(t.Context(), Location{ID: "L0", Point: streetPoint(0)}))
	stocked(t, a, "L0", "tea", 1<<20)
	scaletest.Remove(t, dir)
	if err := a.Snapshot(t.Context()); !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, ErrJournal) {
		t.Errorf("a snapshot into nothing: %v", err)
	}
	for i := 0; err == nil && i < 1<<14; i++ {
		o := ordered(time.Duration(i).String(), Line{"tea", 1})
		o.Order = strings.Repeat("x", 200)
		_, err = a.Allocate(t.Context(), o)
	}
	if !errors.Is(err, ErrNoSpace) && !errors.Is(err, ErrJournal) {
		t.Errorf("got %v", err)
	}
	if err := a.Close(); err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, ErrJournal) {
		t.Errorf("closing: %v", err)
	}
}

// Without LiveReads nothing is read that is not durable; here the engine has a
// history in memory, and all of that is.
func TestReadsWait(t *testing.T) {
	for _, o := range []Options{{FeedBytes: 1 << 20}, {FeedBytes: 1 << 20, LiveReads: true}, {Dir: t.TempDir()}, {Dir: t.TempDir(), LiveReads: true}} {
		a := street(t, 2, o)
		stocked(t, a, "L1", "tea", 3)
		allocated(t, a, ordered("o", Line{"tea", 1}), "L1")
		if r := state(t, a, "o", Held); r.Sequence == 0 || r.Sequence > a.Stats().Journal.Durable {
			t.Errorf("read record %d, durable are %d", r.Sequence, a.Stats().Journal.Durable)
		}
		near, err := a.Nearby(Order{Near: streetPoint(0), Lines: []Line{{"tea", 2}}})
		must(t, err)
		if got := slices.Collect(able(near)); len(got) != 1 {
			t.Errorf("got %+v", got)
		}
	}
}
