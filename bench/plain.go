package bench

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/clickcollect/clickcollect/allocator"
)

// Errors of the two baselines. They stand for the facts the allocator names
// with ErrConflict, ErrNotFound, ErrEnded, ErrUnknownSKU and ErrInvalid.
var (
	errConflict = errors.New("bench: the ID is taken by an order with other content")
	errNotFound = errors.New("bench: no such order, SKU or location")
	errEnded    = errors.New("bench: the order was canceled before")
	errInvalid  = errors.New("bench: invalid order")
)

// plainFirst is how many nearest locations plain looks at first; each further
// attempt looks at four times as many.
const plainFirst = 8

// plain is the baseline of a hurried engineer: one mutex around maps keyed by
// names. Safe for concurrent use, one caller at a time.
type plain struct {
	mu        sync.Mutex
	locations []allocator.Location
	stock     map[plainCell]int64
	orders    map[string]plainOrder
}

type plainCell struct{ sku, location string }

type plainOrder struct {
	order    allocator.Order // with its own copy of the lines
	location string
	canceled bool
}

type plainCandidate struct {
	location *allocator.Location
	metres   float64
}

func (e *plain) Load(w *World) error {
	e.locations = w.Locations
	e.stock = make(map[plainCell]int64)
	e.orders = make(map[string]plainOrder)
	for receipts := range w.Receipts() {
		for _, r := range receipts {
			for _, l := range r.Lines {
				e.stock[plainCell{l.SKU, r.Location}] += l.Quantity
			}
		}
	}
	return nil
}

func (e *plain) Allocate(o *allocator.Order) (string, bool, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if old, ok := e.orders[o.ID]; ok {
		if old.order.Near != o.Near || old.order.MaxDistance != o.MaxDistance || !slices.Equal(old.order.Lines, o.Lines) {
			return "", false, errConflict
		}
		return old.location, true, nil
	}
	wanted := make(map[string]int64, len(o.Lines))
	for _, l := range o.Lines {
		if l.Quantity <= 0 {
			return "", false, fmt.Errorf("%w: quantity %d", errInvalid, l.Quantity)
		}
		wanted[l.SKU] += l.Quantity
	}
	for k, seen := plainFirst, 0; ; k *= 4 {
		candidates := e.nearest(o, k)
		for _, c := range candidates[seen:] {
			if e.take(wanted, c.location.ID) {
				kept := *o
				kept.Lines = slices.Clone(o.Lines)
				e.orders[o.ID] = plainOrder{order: kept, location: c.location.ID}
				return c.location.ID, true, nil
			}
		}
		seen = len(candidates)
		if seen < k {
			return "", false, nil
		}
	}
}

// nearest returns the at most k nearest locations within the order's reach,
// nearest first.
func (e *plain) nearest(o *allocator.Order, k int) []plainCandidate {
	nearest := make([]plainCandidate, 0, min(k, len(e.locations))+1)
	nearer := func(a, b plainCandidate) int { return cmp.Compare(a.metres, b.metres) }
	for i := range e.locations {
		l := &e.locations[i]
		c := plainCandidate{l, haversine(o.Near.Lat, o.Near.Lon, l.Point.Lat, l.Point.Lon)}
		if o.MaxDistance > 0 && c.metres > float64(o.MaxDistance) {
			continue
		}
		if k >= len(e.locations) {
			nearest = append(nearest, c)
			continue
		}
		if len(nearest) == k && c.metres >= nearest[k-1].metres {
			continue
		}
		at, _ := slices.BinarySearchFunc(nearest, c, nearer)
		nearest = slices.Insert(nearest, at, c)
		if len(nearest) > k {
			nearest = nearest[:k]
		}
	}
	if k >= len(e.locations) {
		slices.SortFunc(nearest, nearer)
	}
	return nearest
}

// take holds all of wanted at location or nothing.
func (e *plain) take(wanted map[string]int64, location string) bool {
	for sku, quantity := range wanted {
		if e.stock[plainCell{sku, location}] < quantity {
			return false
		}
	}
	for sku, quantity := range wanted {
		e.stock[plainCell{sku, location}] -= quantity
	}
	return true
}

func (e *plain) Cancel(id string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	o, ok := e.orders[id]
	if !ok {
		return errNotFound
	}
	if o.canceled {
		return errEnded
	}
	for _, l := range o.order.Lines {
		e.stock[plainCell{l.SKU, o.location}] += l.Quantity
	}
	o.canceled = true
	e.orders[id] = o
	return nil
}

func (e *plain) Available(sku, location string) (int64, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.stock[plainCell{sku, location}], nil
}

func (e *plain) Close() error { return nil }

// earthRadius is the mean radius of the earth in metres (IUGG).
const earthRadius = 6371008.8

// haversine returns the great-circle distance in metres between two points
// given in degrees.
func haversine(lat1, lon1, lat2, lon2 float64) float64 {
	const degree = math.Pi / 180
	a := math.Sin((lat2 - lat1) * degree / 2)
	b := math.Sin((lon2 - lon1) * degree / 2)
	h := a*a + math.Cos(lat1*degree)*math.Cos(lat2*degree)*b*b
	return 2 * earthRadius * math.Asin(math.Sqrt(min(1, h)))
}
