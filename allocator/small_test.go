package allocator_test

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/clickcollect/clickcollect/allocator"
	"github.com/clickcollect/clickcollect/geo"
)

// An engine in which nothing happens takes at most 4 MB of memory and 4 MB of its
// directory, with the defaults, while it is open and after; so does one with ten orders,
// also when it is opened again and again.
func TestEmptyEngineIsSmall(t *testing.T) {
	t.Run("in memory", func(t *testing.T) { small(t, "") })
	t.Run("with a directory", func(t *testing.T) { small(t, t.TempDir()) })
}

func small(t *testing.T, dir string) {
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	check := func(what string) {
		t.Helper()
		if grown := int64(heap() - before); grown > 4_000_000 {
			t.Errorf("%s: %d bytes of memory", what, grown)
		}
		if dir == "" {
			return
		}
		used := int64(0)
		err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return nil // the engine gives a file another name
			}
			if info, err := e.Info(); err == nil {
				used += info.Size()
			}
			return nil
		})
		if err != nil || used > 4_000_000 {
			t.Errorf("%s: %d bytes of the directory, %v", what, used, err)
		}
	}
	for _, what := range []string{"empty", "empty again", "ten orders", "the next day", "the day after"} {
		a, err := allocator.Open(t.Context(), allocator.Options{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		if check(what); what == "ten orders" {
			tenOrders(t, a)
			check(what)
		}
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
		check(what + ", closed")
	}
}

// tenOrders is a shop's day: goods come, ten orders are held, and some are collected.
func tenOrders(t *testing.T, a *allocator.Allocator) {
	t.Helper()
	ctx, at := t.Context(), geo.Point{Lat: 50, Lon: 20}
	err := errors.Join(a.SetLocations(ctx, allocator.Location{ID: "shop", Point: at}),
		a.Receive(ctx, allocator.Receipt{ID: "r", Location: "shop", Lines: []allocator.Line{{SKU: "tea", Quantity: 100}}}))
	for i := range 10 {
		id := fmt.Sprint("order ", i)
		_, allocated := a.Allocate(ctx, allocator.Order{ID: id, Near: at, Lines: []allocator.Line{{SKU: "tea", Quantity: 1}}})
		if err = errors.Join(err, allocated); i%2 == 0 {
			err = errors.Join(err, a.Collect(ctx, id))
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}
