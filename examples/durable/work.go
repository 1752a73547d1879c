package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/clickcollect/clickcollect/allocator"
	"github.com/clickcollect/clickcollect/geo"
)

const (
	shops = 8
	goods = 12
	stock = 500 // units of each SKU that come to each shop in a round
)

func shopID(i int) string { return fmt.Sprintf("shop-%d", i) }

func skuOf(i int) string { return fmt.Sprintf("SKU-%02d", i) }

func orderID(round, caller, n int) string { return fmt.Sprintf("SO-%d-%d-%d", round, caller, n) }

// options are small enough that snapshots and changes of segment happen many
// times in a short life, so that the kill meets them.
func options(p plan) allocator.Options {
	return allocator.Options{Dir: p.dir, SegmentBytes: 128 << 10, SnapshotEvery: 256 << 10, RetainBytes: 1 << 20, Remember: 1 << 22}
}

// stages is what becomes of an order: how many of the steps it goes through.
// Both sides know it from the order's number.
func stages(n int) int { return n%4 + 1 }

// The steps of an order's life here.
const (
	held = iota + 1
	confirmed
	ready
	collected
)

// work is the process that is killed. It writes a line for each change that was
// acknowledged: the order's ID and how far it is.
func work(ctx context.Context, p plan, round int, out io.Writer) error {
	a, err := allocator.Open(ctx, options(p))
	if err != nil {
		return err
	}
	defer a.Close()
	if err := deliver(ctx, a, round); err != nil {
		return err
	}
	said := make(chan string, 1024)
	var callers, teller sync.WaitGroup
	teller.Go(func() { tell(out, said) })
	failed := make(chan error, p.callers)
	for caller := range p.callers {
		callers.Go(func() { failed <- live(ctx, a, p.lie, round, caller, said) })
	}
	callers.Wait()
	close(said)
	teller.Wait()
	close(failed)
	for e := range failed {
		err = errors.Join(err, e)
	}
	return err
}

// deliver sets the shops and brings this round's goods.
func deliver(ctx context.Context, a *allocator.Allocator, round int) error {
	var places []allocator.Location
	var receipts []allocator.Receipt
	for i := range shops {
		places = append(places, allocator.Location{ID: shopID(i), Point: geo.Point{Lat: 48 + float64(i)/2, Lon: 11}})
		r := allocator.Receipt{ID: fmt.Sprintf("GR-%d-%d", round, i), Location: shopID(i)}
		for k := range goods {
			r.Lines = append(r.Lines, allocator.Line{SKU: skuOf(k), Quantity: stock})
		}
		receipts = append(receipts, r)
	}
	if err := a.SetLocations(ctx, places...); err != nil {
		return err
	}
	return a.Receive(ctx, receipts...)
}

// tell writes what was acknowledged as soon as there is nothing more to write
// with it.
func tell(out io.Writer, said <-chan string) {
	w := bufio.NewWriter(out)
	for line := range said {
		w.WriteString(line)
		if len(said) == 0 {
			w.Flush()
		}
	}
	w.Flush()
}

// live places orders and takes each through its stages until the goods run out.
func live(ctx context.Context, a *allocator.Allocator, lie bool, round, caller int, said chan<- string) error {
	for n := 0; ; n++ {
		id := orderID(round, caller, n)
		o := allocator.Order{ID: id, Near: geo.Point{Lat: 48 + float64((n+caller)%shops)/2, Lon: 11}, Lines: linesOf(caller, n)}
		if lie {
			said <- fmt.Sprintf("%s %d\n", id, held)
		}
		_, err := a.Allocate(ctx, o)
		if errors.Is(err, allocator.ErrNoLocation) {
			return nil
		}
		for stage := held; err == nil; stage++ {
			said <- fmt.Sprintf("%s %d\n", id, stage)
			if stage == stages(n) {
				break
			}
			switch stage + 1 {
			case confirmed:
				err = a.Confirm(ctx, id)
			case ready:
				err = a.Ready(ctx, id, allocator.Pickup{Code: "4711"})
			case collected:
				err = a.Collect(ctx, id)
			}
		}
		if err != nil {
			return err
		}
	}
}

// linesOf is what an order wants: the same for the one who places it and the one
// who looks for it afterwards.
func linesOf(caller, n int) []allocator.Line {
	lines := make([]allocator.Line, 1+n%3)
	for i := range lines {
		lines[i] = allocator.Line{SKU: skuOf((caller + n + 5*i) % goods), Quantity: int64(1 + (n+i)%2)}
	}
	return lines
}
