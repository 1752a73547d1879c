package walk

import (
	"context"
	"time"
)

// Key names the units of a SKU at a location.
type Key struct {
	SKU      string `json:"sku"`
	Location string `json:"location"`
}

// Cell is a SKU's units at a location, in its smallest unit: Available = OnHand − Held −
// Safety. It may be below zero after a count or a till sale. OnHand is of one instant,
// the others are of one instant, and lots and quotas are summed.
type Cell struct {
	Key
	OnHand    int64 `json:"on_hand"`          // physically there, held or not
	Held      int64 `json:"held"`             // taken by reservations and not yet handed over, confirmed ones too
	Safety    int64 `json:"safety,omitempty"` // never sold online
	Available int64 `json:"available"`

	// Shelves is where OnHand is, for a SKU that has lots or quotas; none of a SKU that
	// has neither.
	Shelves []Shelf `json:"shelves,omitempty"`

	// Sequence is a number up to which every event is in OnHand and Shelves; they may be
	// newer.
	Sequence uint64 `json:"sequence"`

	// Unknown says that there is no such SKU, or no such location. Walks never give it.
	Unknown bool `json:"unknown,omitempty"`
}

// Mark tells units of a SKU apart: those of a lot, those set aside for a channel, or,
// with neither, the rest.
type Mark struct {
	Lot     string    `json:"lot,omitempty"`
	Expires time.Time `json:"expires,omitzero"` // of the lot: the day, in UTC
	Channel string    `json:"channel,omitempty"`
}

// Shelf is the units on hand of a SKU at a location that have one Mark.
type Shelf struct {
	Mark
	OnHand int64 `json:"on_hand"`
}

// Apart is how many units of an event's line have one Mark.
type Apart struct {
	Mark
	Units int64 `json:"units"`
}

// ApartLine is the units of a reservation's line that have one Mark, by what became of
// them, as in a reserved line.
type ApartLine struct {
	SKU string `json:"sku"`
	Mark
	Quantity  int64 `json:"quantity"`
	Held      int64 `json:"held,omitempty"`
	Confirmed int64 `json:"confirmed,omitempty"`
	Collected int64 `json:"collected,omitempty"`
	Missing   int64 `json:"missing,omitempty"`
	Expired   int64 `json:"expired,omitempty"`
	Canceled  int64 `json:"canceled,omitempty"`
	Returned  int64 `json:"returned,omitempty"`
	Short     int64 `json:"short,omitempty"`
	Rerouted  int64 `json:"rerouted,omitempty"`
}

// Sums says of what sums are to be made.
type Sums struct {
	SKUs   []string `json:"skus"`             // 1,000 at most
	Groups []string `json:"groups,omitempty"` // of locations, as in Terms.Groups: one sum for each of them; empty: one over all locations
}

// Sum is a SKU's units at several locations together. Each location's are of an instant
// of its own. Available leaves out nothing: what is below zero at one location takes off
// the sum.
type Sum struct {
	SKU       string `json:"sku"`
	Group     string `json:"group,omitempty"`
	Locations int    `json:"locations"` // that have units on hand or held
	OnHand    int64  `json:"on_hand"`
	Held      int64  `json:"held"`      // by reservations, confirmed ones too
	Confirmed int64  `json:"confirmed"` // of the held: for good
	Safety    int64  `json:"safety,omitempty"`
	Available int64  `json:"available"`
	Unknown   bool   `json:"unknown,omitempty"` // there is no such SKU
}

// StockSource is who has the units. In Cells an empty SKU, or location, is any.
type StockSource interface {
	Cells(of Key) Walk[Cell]
	Read(ctx context.Context, keys []Key) ([]Cell, error)
	Sum(ctx context.Context, of Sums) ([]Sum, error)
	AvailableTo(channel, sku, location string) (int64, error)
}

// Stock is the units of an engine.
type Stock struct{ of StockSource }

// NewStock is the units of a source.
func NewStock(of StockSource) Stock { return Stock{of} }

// Walk enumerates the units of every SKU at every location: the cells with units on hand
// or held. A page costs a look at those, and at the cells without on the way.
func (s Stock) Walk() Walk[Cell] { return s.of.Cells(Key{}) }

// At is Walk for the SKUs at one location.
func (s Stock) At(location string) Walk[Cell] { return s.of.Cells(Key{Location: location}) }

// Of is Walk for the locations that have one SKU.
func (s Stock) Of(sku string) Walk[Cell] { return s.of.Cells(Key{SKU: sku}) }

// Read reads many SKUs at many locations in one call, 10,000 at most, in the order in
// which they are asked for. Each is of an instant of its own. What is not known is
// Unknown, and no error.
//
// Errors: *InvalidError, ErrClosed, the error of ctx; ErrJournal: what was read is not
// known to last.
func (s Stock) Read(ctx context.Context, keys ...Key) ([]Cell, error) { return s.of.Read(ctx, keys) }

// Sum adds up SKUs over all locations, or over each of some groups of them, in the order
// in which they are asked for. It costs a look at each cell of the SKUs and, for
// Confirmed, at every reservation there is, once for the call. Errors as with Read.
func (s Stock) Sum(ctx context.Context, of Sums) ([]Sum, error) { return s.of.Sum(ctx, of) }

// AvailableTo is how many units of a SKU an order of a channel could take at a
// location now: those of the channel's quota, and of the ones for everybody as
// many as its protection level does not keep for others; of a bundle, as many as those
// of its parts make. An empty channel is that of orders that name none. Terms of the
// location and rules do not count: Allocator.Nearby asks for these too.
//
// Errors: ErrUnknownLocation, ErrUnknownSKU, ErrClosed, ErrJournal (what was read is
// not known to last).
func (s Stock) AvailableTo(channel, sku, location string) (int64, error) {
	return s.of.AvailableTo(channel, sku, location)
}
