package allocator_test

import (
	"io"
	"time"

	"github.com/clickcollect/clickcollect/allocator"
	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/geo"
)

// hostileNow is the time at which everything happens.
var hostileNow = time.UnixMilli(1_900_000_000_000).UTC()

// hostileArgs are calls of each method that are right, with every field filled in:
// the arguments after the context. Methods that are not here have none.
var hostileArgs = map[string]func() []any{
	"Allocate":       func() []any { return []any{hostileOrder("new")} },
	"AllocateAll":    func() []any { return []any{[]allocator.Order{hostileOrder("new")}} },
	"Quote":          func() []any { return []any{hostileOrder("new")} },
	"Candidates":     func() []any { o := hostileOrder("new"); o.Forms = nil; return []any{o} },
	"Explain":        func() []any { return []any{hostileOrder("new")} },
	"Compare":        func() []any { return []any{hostileRules(), []allocator.Order{hostileOrder("new")}} },
	"SetRules":       func() []any { return []any{hostileRules()} },
	"SetShadow":      func() []any { r := hostileRules(); return []any{&r} },
	"Nearby":         func() []any { o := hostileOrder("new"); o.Forms = nil; return []any{o} },
	"NearbyAll":      func() []any { o := hostileOrder("new"); o.Forms = nil; return []any{3, []allocator.Order{o}} },
	"Confirm":        func() []any { return []any{"held", hostileLines()} },
	"Cancel":         func() []any { return []any{"held", hostileLines()} },
	"Collect":        func() []any { return []any{"ready", hostileLines()} },
	"ShortPick":      func() []any { return []any{"sure", hostileLines()} },
	"Arrive":         func() []any { return []any{"road", hostileLines()} },
	"Reject":         func() []any { return []any{"sure", hostileLines()} },
	"Reroute":        func() []any { return []any{"sure", hostileLines()} },
	"Accept":         func() []any { return []any{"sure"} },
	"Dispatch":       func() []any { return []any{"sure", "L1"} },
	"Ready":          func() []any { return []any{"sure", allocator.Pickup{Code: "4711", Until: hostileNow.Add(time.Hour)}} },
	"Extend":         func() []any { return []any{"held", 2 * time.Hour} },
	"Reassign":       func() []any { return []any{"held", "cart", allocator.Owner{Token: "till", Channel: "till"}} },
	"Lookup":         func() []any { return []any{"held"} },
	"LookupTransfer": func() []any { return []any{"t"} },
	"Available":      func() []any { return []any{"tea", "L0"} },
	"Lots":           func() []any { return []any{"wine", "L0"} },
	"List": func() []any {
		return []any{allocator.Listing{Location: "L0", States: []allocator.State{allocator.Held}, After: "AAAAAAAAAAAAAA", Limit: 3}}
	},
	"RemoveLocation": func() []any { return []any{"empty"} },
	"RerouteFrom":    func() []any { return []any{"L1", func(int, int, allocator.Allocation, error) bool { return false }} },
	"Expire":         func() []any { return []any{hostileNow} },
	"Events":         func() []any { return []any{uint64(1)} },
	"History":        func() []any { return []any{uint64(1)} },
	"Export":         func() []any { return []any{io.Discard, uint64(1)} },
	"Windows":        func() []any { return []any{"L0", hostileNow, hostileNow.Add(2000 * time.Hour)} },
	"Receive": func() []any {
		return []any{[]allocator.Receipt{{ID: "m", Location: "L0", Lines: hostileWine(), Lots: hostileLots()}}}
	},
	"Count": func() []any {
		return []any{[]allocator.Count{{ID: "m", Location: "L0", AsOf: hostileNow, Lines: hostileWine(), Lots: hostileLots()}}}
	},
	"Sell": func() []any {
		return []any{[]allocator.Sale{{ID: "m", Location: "L0", Lines: hostileWine(), Lots: hostileLots()}}}
	},
	"Adjust": func() []any {
		return []any{[]allocator.Adjustment{{ID: "m", Location: "L0", Lines: hostileWine(), Lots: hostileLots()}}}
	},
	"WriteOff": func() []any {
		return []any{[]allocator.Damage{{ID: "m", Location: "L0", Lines: hostileWine(), Lots: hostileLots()}}}
	},
	"Send": func() []any {
		return []any{[]allocator.Transfer{{ID: "t2", From: "L0", To: "L1", Lines: hostileLines()}}}
	},
	"Deliver": func() []any { return []any{[]allocator.Delivery{{ID: "m", Transfer: "t", Lines: hostileLines()}}} },
	"Lose":    func() []any { return []any{[]allocator.Loss{{ID: "m", Transfer: "t", Lines: hostileLines()}}} },
	"Return": func() []any {
		return []any{[]allocator.Return{{ID: "r", Reservation: "done", Part: 1, Location: "L0", Lines: hostileLines()}}}
	},
	"Change": func() []any {
		return []any{[]allocator.Change{{ID: "c", Reservation: "sure", Part: 1, Do: allocator.DoShortPick, Lines: hostileLines()}}}
	},
	"SetQuota": func() []any {
		return []any{[]allocator.Quota{{ID: "m", Channel: "web", SKU: "mate", Location: "L0", Units: 3}}}
	},
	"Borrow": func() []any {
		return []any{[]allocator.Loan{{ID: "m", SKU: "cup", Location: "L0", From: "web", To: "app", Units: 1}}}
	},
	"GiveBack": func() []any {
		return []any{[]allocator.Loan{{ID: "m", SKU: "cup", Location: "L0", From: "web", To: "till", Units: 1}}}
	},
	"SetWindows": func() []any {
		return []any{[]allocator.Window{{Location: "L0", Start: hostileNow.Add(2000 * time.Hour).Truncate(time.Hour), Length: time.Hour, Places: 5}}}
	},
	"SetCapacity": func() []any {
		return []any{[]allocator.Capacity{{Location: "L0", Per: allocator.Hour, Orders: 50, Lines: 500}}}
	},
	"SetProtection": func() []any {
		return []any{[]allocator.Protection{{Channel: "web", SKU: "tea", Location: "L0", Units: 2}}}
	},
	"SetBundles": func() []any {
		return []any{[]allocator.Bundle{{SKU: "set2", Parts: []allocator.Component{{SKU: "tea", Quantity: 1}, {SKU: "set", Quantity: 1}}}}}
	},
	"SetShelfLife":   func() []any { return []any{[]allocator.ShelfLife{{SKU: "wine", Keeps: 24 * time.Hour}}} },
	"SetSafetyStock": func() []any { return []any{[]allocator.SafetyStock{{SKU: "tea", Location: "L0", Units: 1}}} },
	"SetLocations":   func() []any { return []any{[]allocator.Location{hostileLocation("L0", 0)}} },
	"Audit":          nil,
	"Snapshot":       nil,
	"Stats":          nil,
	"Sizes":          nil,
	"Orders":         nil,
	"Stock":          nil,
	"Shadow":         nil,
	"Locations":      nil,
	"Capacities":     nil,
	"Protections":    nil,
	"Quotas":         nil,
	"Loans":          nil,
	"Bundles":        nil,
	"ShelfLives":     nil,
	"Close":          nil, // last of all
}

func hostileLines() []allocator.Line {
	return []allocator.Line{{SKU: "tea", Quantity: 1}, {SKU: "cup", Quantity: 1}}
}

func hostileWine() []allocator.Line {
	return []allocator.Line{{SKU: "wine", Quantity: 1}, {SKU: "cup", Quantity: 1}}
}

func hostileLots() map[string]allocator.Lot {
	return map[string]allocator.Lot{"wine": {ID: "lot", Expires: hostileNow.Add(900 * time.Hour)}}
}

func hostileRules() sourcing.Rules {
	return sourcing.Rules{Hard: []sourcing.Filter{sourcing.Within(9e5)}, Soft: []sourcing.Filter{sourcing.InGroups("cold")}, Keys: sourcing.Keys(sourcing.ByPriority, sourcing.ByDistance),
		Costs:        sourcing.Costs{Parcel: 400, Transfer: 100, PerKm: 2, PerLine: 1, Price: func(string, int64, *sourcing.Site) int64 { return 1 }},
		MaxLocations: 3, CoolDown: time.Minute, MaxRejects: 3, AcceptWithin: time.Hour, Panicked: func(string, any) {}}
}

// hostileOrder has everything an order can have, and can be filled.
func hostileOrder(id string) allocator.Order {
	return allocator.Order{ID: id, Near: killPoint(0), At: "L0", Lines: append(hostileLines(), allocator.Line{SKU: "set", Quantity: 1}), MaxDistance: 9e5,
		Kinds: []allocator.Kind{allocator.Store}, Order: "SO", Customer: "C", Owner: "cart", Channel: "web", HoldFor: time.Hour, Promise: hostileNow.Add(990 * time.Hour),
		Form: sourcing.Collect, Forms: map[string]sourcing.Form{"cup": sourcing.Ship}, MaxLocations: 3, Partial: true, Together: [][]string{{"tea", "set"}},
		Substitutes: map[string][]string{"tea": {"mate"}}, Payment: "card", Groups: []string{"cold"}, Prefer: []string{"L1"}, Exclude: []string{"L2"},
		NeededBy: hostileNow.Add(1500 * time.Hour), Window: hostileWindow}
}

// hostileWindow is the start of a window that L0 has.
var hostileWindow = hostileNow.Add(1000 * time.Hour).Truncate(time.Hour)

func hostileLocation(id string, i int) allocator.Location {
	return allocator.Location{ID: id, Point: killPoint(i), Area: hostileAreaOf(), Terms: &allocator.Terms{Groups: []string{"cold"}, Priority: 1,
		Forms: []sourcing.Form{sourcing.Collect, sourcing.ShipToStore, sourcing.Ship}, Payments: []string{"card"}, Channels: []string{"web"},
		Hours: "Mo-Su 08:00-20:00", Zone: "Europe/Warsaw", Prep: time.Hour, CutOff: 18 * time.Hour, Transfer: time.Hour, Delivery: time.Hour}}
}

func hostileAreaOf() *geo.Area {
	area, err := geo.NewArea([]geo.Point{{Lat: 45, Lon: 15}, {Lat: 45, Lon: 25}, {Lat: 55, Lon: 25}, {Lat: 55, Lon: 15}})
	if err != nil {
		panic(err)
	}
	return area
}
