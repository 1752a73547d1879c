// Command quickstart holds an order at a store until the customer collects it.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/clickcollect/clickcollect/allocator"
	"github.com/clickcollect/clickcollect/geo"
)

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	a, err := allocator.Open(ctx, allocator.Options{Dir: "collect-data", HoldFor: 2 * time.Hour})
	if err != nil {
		return err
	}
	defer a.Close()

	shop := allocator.Location{ID: "krakow-1", Kind: allocator.Store, Point: geo.Point{Lat: 50.0619, Lon: 19.9368}}
	goods := allocator.Receipt{ID: "GR-77", Location: shop.ID, Lines: []allocator.Line{{SKU: "SKU-42", Quantity: 10}}}
	if err := errors.Join(a.SetLocations(ctx, shop), a.Receive(ctx, goods)); err != nil {
		return err
	}

	got, err := a.Allocate(ctx, allocator.Order{
		ID: "SO-1001", Near: geo.Point{Lat: 50.0540, Lon: 19.9354},
		Lines: []allocator.Line{{SKU: "SKU-42", Quantity: 2}},
	})
	if err != nil {
		return err // errors.Is(err, allocator.ErrNoLocation): nobody can fill it, and the error says why
	}
	// The goods are held until got.HeldUntil. Confirm keeps them, Cancel puts them back.
	fmt.Printf("%s held at %s, %.1f km away\n", got.ID, got.Location, got.Distance/1000)
	err = a.Collect(ctx, got.ID)
	if errors.Is(err, allocator.ErrEnded) {
		fmt.Println("collected before: what is in collect-data outlives the program")
		return nil
	}
	return err
}
