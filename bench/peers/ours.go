package peers

import (
	"context"
	"errors"

	"github.com/clickcollect/clickcollect/allocator"
	"github.com/clickcollect/clickcollect/bench"
)

// ours puts package allocator behind bench.Engine, with its journal in dir.
type ours struct {
	options   allocator.Options
	allocator *allocator.Allocator
}

// durable are the options that open the door on a directory.
func durable(dir string) allocator.Options {
	return allocator.Options{Dir: dir}
}

func (e *ours) Load(w *bench.World) error {
	ctx := context.Background()
	a, err := allocator.Open(ctx, e.options)
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
