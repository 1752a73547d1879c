package main

import (
	"fmt"
	"math"
	"sync/atomic"
	"time"

	"github.com/clickcollect/clickcollect/allocator"
	"github.com/clickcollect/clickcollect/allocator/hours"
	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/geo"
)

// What the chain of the second act is like. None of it is in the data: these
// are round figures that a chain of this kind could have.
const (
	storeHours      = "Mo-Sa 08:00-21:00; Su 10:00-18:00; PH off"
	storePrep       = 2 * time.Hour
	storeCutOff     = 18 * time.Hour
	warehouseHours  = "Mo-Sa 06:00-22:00; PH off"
	warehousePrep   = 4 * time.Hour
	warehouseCutOff = 16 * time.Hour
	transferLead    = 24 * time.Hour // to another store
	deliveryLead    = 48 * time.Hour // to a customer's door
)

// chainCosts are in mills, tenths of a cent.
var chainCosts = sourcing.Costs{Parcel: 8000, Transfer: 3000, PerKm: 2, PerLine: 400}

const millsPerDollar = 1000

// orderZone is the zone by whose wall clock the times of the orders are read:
// the file has them without one.
const orderZone = "America/New_York"

// opened gives every site its terms, and also tells how the rules see it.
func opened(all []site) ([]site, []sourcing.Site, error) {
	store, err := hours.Parse(storeHours)
	if err != nil {
		return nil, nil, fmt.Errorf("opening hours of the stores: %w", err)
	}
	warehouse, err := hours.Parse(warehouseHours)
	if err != nil {
		return nil, nil, fmt.Errorf("opening hours of the warehouses: %w", err)
	}
	with, seen := make([]site, len(all)), make([]sourcing.Site, len(all))
	for i, s := range all {
		t := allocator.Terms{Hours: storeHours, Zone: s.zone, Prep: storePrep, CutOff: storeCutOff, Transfer: transferLead, Delivery: deliveryLead}
		schedule := store
		if s.location.Kind == allocator.Warehouse {
			t.Hours, t.Prep, t.CutOff, schedule = warehouseHours, warehousePrep, warehouseCutOff, warehouse
			t.Forms = []sourcing.Form{sourcing.ShipToStore, sourcing.Ship}
		}
		if t.Zone == "" {
			t.Zone = zoneAt(s.location.Point)
		}
		zone, err := time.LoadLocation(t.Zone)
		if err != nil {
			return nil, nil, fmt.Errorf("time zone of %s: %w", s.location.ID, err)
		}
		with[i] = s
		with[i].location.Terms = &t
		seen[i] = sourcing.Site{ID: s.location.ID, Kind: uint8(s.location.Kind), Point: s.location.Point, Forms: t.Forms,
			Calendar: hours.Calendar{Schedule: schedule, Zone: zone},
			Prep:     t.Prep, CutOff: t.CutOff, Transfer: t.Transfer, Delivery: t.Delivery}
	}
	return with, seen, nil
}

// zoneAt is the nautical zone of a point, 15 degrees to the hour, for sites whose
// zone is not known. The names have the sign of POSIX, the other way round.
func zoneAt(p geo.Point) string {
	return fmt.Sprintf("Etc/GMT%+d", -int(math.Round(p.Lon/15)))
}

// simulated is a clock that shows the time of the order under way. Safe for
// concurrent use.
type simulated struct{ ms atomic.Int64 }

func (c *simulated) set(t time.Time) { c.ms.Store(t.UnixMilli()) }

func (c *simulated) now() time.Time { return time.UnixMilli(c.ms.Load()).UTC() }
