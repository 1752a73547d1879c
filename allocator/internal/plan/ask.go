package plan

import (
	"time"

	"github.com/clickcollect/clickcollect/allocator/internal/calendar"
	"github.com/clickcollect/clickcollect/allocator/internal/channels"
	"github.com/clickcollect/clickcollect/allocator/internal/cooldown"
	"github.com/clickcollect/clickcollect/allocator/internal/cover"
	"github.com/clickcollect/clickcollect/allocator/internal/goods"
	"github.com/clickcollect/clickcollect/allocator/internal/topology"
	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/geo"
	"github.com/clickcollect/clickcollect/reservation"
)

// View is what an order sees of the engine: the locations and the settings of one
// moment, and by them the stock as it is whenever it is read.
type View struct {
	Catalogue *topology.Catalogue
	Rules     *sourcing.Rules
	Levels    *channels.Levels // protection levels of the order's channel; nil: none
	Calendar  *calendar.Calendar
	Cooling   *cooldown.Cooldowns
}

// Ask is what an order asks for. It is not changed once a plan has it.
type Ask struct {
	Now      int64 // engine time
	Wants    []Want
	Groups   int                 // how many groups of wants are kept together
	Mixed    bool                // some want has substitutes
	Forms    []sourcing.Form     // that occur, ascending
	Requests [3]sourcing.Request // by form
	At       uint32              // the slot of the chosen store, or reservation.Everywhere
	Prefer   []uint32            // slots that come before all others
	Most     int                 // locations
	Partial  bool                // it may be filled in part

	Untraced bool // for benchmarks: nothing is remembered of what was looked at
	Greedy   bool // for tests: splits are not the cheapest
}

// Want is what an order wants of one SKU.
type Want struct {
	Name    string
	Units   int64
	Form    sourcing.Form
	Choices []goods.Product // the SKU, then its substitutes, the best first
	Group   int             // the group it is kept together with, from 1; 0: none
}

// handles appends the cells a want may be filled from.
func (w *Want) handles(into []uint32) []uint32 {
	for i := range w.Choices {
		for _, src := range w.Choices[i].From {
			into = append(into, src.SKU)
		}
	}
	return into
}

// Choice is what an order could have.
type Choice struct {
	Shares  []Share
	Missing []int // wants left out, or filled in part
	Cost    int64
	Bound   int64 // no choice costs less
	Exact   bool  // it is the best of those that were looked at
}

// Share is what one location does for an order.
type Share struct {
	Number, Slot uint32
	Form         sourcing.Form
	Distance     geo.Meters
	Start, Ready time.Time // of the work, and when it is done
	Cost         int64
	Lines        []Taken
}

// Taken is units of one want, of one of its choices.
type Taken struct {
	Want, Choice int
	Units        int64
}

// Work is the memory in which plans work, one after the other.
type Work struct {
	mask     reservation.Mask
	search   geo.Search
	groups   [][]uint32
	solver   cover.Solver
	ranking  ranking
	listed   []uint32
	options  []option
	supplies []supply
	counts   []uint8 // by location number
	plans    uint64
	alike    []likeness // by topology.Face.Alike and form
}

// Plan is one order being decided. After its choices, what it says of them may be asked
// for by many at once.
type Plan struct {
	look
	Choice // the latest

	work   *Work
	number uint64 // of the plans that worked there
	trace  []sighting
	past   bool // Shares are what was reserved, perhaps as another form or at another store than asked for now
}

// New is the plan of an ask, in memory that no other plan uses before its choices have
// ended; nil for one that makes none.
func New(view View, ask *Ask, work *Work) Plan {
	p := Plan{look: look{View: view, Ask: ask, costs: costsOf(view.Rules), soft: len(view.Rules.Soft)}, Choice: Choice{Exact: true}, work: work}
	if work != nil {
		work.plans++
		p.number = work.plans
	}
	return p
}

// costsOf is what splits minimise: in cents, say, if the rules have no costs.
func costsOf(r *sourcing.Rules) sourcing.Costs {
	c := r.Costs
	if c.Parcel|c.Transfer|c.PerKm|c.PerLine == 0 && c.Price == nil {
		c.Parcel, c.Transfer, c.PerKm, c.PerLine = 500, 300, 10, 50
	}
	return c
}

// sighting is a location that was looked at and not taken, and why.
type sighting struct {
	slot     uint32
	form     sourcing.Form
	reason   sourcing.Reason
	distance geo.Meters
	detail   string
}
