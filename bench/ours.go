package bench

import (
	"context"
	"errors"
	"os"

	"github.com/clickcollect/clickcollect/allocator"
)

// ours puts package allocator, with zero Options, behind Engine.
type ours struct {
	allocator *allocator.Allocator
}

func (e *ours) Load(w *World) error { return e.load(w, allocator.Options{}) }

func (e *ours) load(w *World, o allocator.Options) error {
	ctx := context.Background()
	a, err := allocator.Open(ctx, o)
	if err != nil {
		return err
	}
	e.allocator = a
	if err := a.SetLocations(ctx, w.Locations...); err != nil {
		return err
	}
	for receipts := range w.Receipts() {
		if err := a.Receive(ctx, receipts...); err != nil {
			return err
		}
	}
	return nil
}

func (e *ours) Allocate(o *allocator.Order) (string, bool, error) {
	got, err := e.allocator.Allocate(context.Background(), *o)
	if err == nil {
		return got.Location, true, nil
	}
	if errors.Is(err, allocator.ErrNoLocation) {
		return "", false, nil
	}
	return "", false, err
}

func (e *ours) Cancel(id string) error {
	return e.allocator.Cancel(context.Background(), id)
}

func (e *ours) Available(sku, location string) (int64, error) {
	a, err := e.allocator.Available(sku, location)
	return a.Available, err
}

func (e *ours) Close() error {
	if e.allocator == nil {
		return nil
	}
	return e.allocator.Close()
}

// lasting is ours with a journal in a directory of its own, and Written, so that it is
// as fast as a run of many orders needs; a restart loses nothing then either.
type lasting struct {
	ours
	dir string
}

func newLasting() Engine { return new(lasting) }

func (e *lasting) options() allocator.Options {
	return allocator.Options{Dir: e.dir, Durability: allocator.Written}
}

func (e *lasting) Load(w *World) (err error) {
	if e.dir, err = os.MkdirTemp("", "ccbench-"); err != nil {
		return err
	}
	return e.load(w, e.options())
}

func (e *lasting) Restart() error {
	if err := e.ours.Close(); err != nil {
		return err
	}
	a, err := allocator.Open(context.Background(), e.options())
	e.allocator = a
	return err
}

func (e *lasting) Close() error {
	return errors.Join(e.ours.Close(), os.RemoveAll(e.dir))
}
