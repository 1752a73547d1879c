package allocator

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/geo"
	"github.com/clickcollect/clickcollect/reservation"
)

// twin is the engine without speed: maps, slices, and a look at every location.
type twin struct {
	within     geo.Meters
	locations  []Location // live, in the order of their first setting
	skus       map[string]bool
	onHand     map[cellName]int64
	held       map[cellName]int64
	orders     map[string]*twinOrder
	movements  map[string]string     // content by ID
	shorts     map[cellName][]string // orders short of their goods, the last to become so last
	everything int64
	bySKU      map[string]int64
	bySlot     map[string]int64
	byPair     map[cellName]int64
	count      Stats
}

type cellName struct{ sku, location string }

type twinOrder struct {
	order    Order
	content  string
	location string
	distance geo.Meters
	state    State
	age      int // how many were made before it
	lines    map[string]*ReservedLine
}

// twinTime is the time that stands still in the twin's world.
var twinTime = time.Date(2026, 3, 29, 0, 30, 0, 0, time.UTC)

// until is the deadline of what is still held.
func (o *twinOrder) until() time.Time {
	if o.state != Held {
		return time.Time{}
	}
	return twinTime.Add(10 * time.Minute)
}

func newTwin(within geo.Meters) *twin {
	return &twin{within: within, skus: map[string]bool{}, onHand: map[cellName]int64{}, held: map[cellName]int64{},
		orders: map[string]*twinOrder{}, movements: map[string]string{}, shorts: map[cellName][]string{},
		bySKU: map[string]int64{}, bySlot: map[string]int64{}, byPair: map[cellName]int64{}}
}

func (w *twin) find(id string) int {
	return slices.IndexFunc(w.locations, func(l Location) bool { return l.ID == id })
}

func (w *twin) level(c cellName) Availability {
	safety, ok := w.byPair[c]
	if !ok {
		safety = max(w.everything, w.bySKU[c.sku], w.bySlot[c.location])
	}
	a := Availability{OnHand: w.onHand[c], Held: w.held[c], Safety: safety}
	a.Available = a.OnHand - a.Held - a.Safety
	return a
}

// summed adds up lines by SKU.
func summed(lines []Line) map[string]int64 {
	sums := map[string]int64{}
	for _, line := range lines {
		sums[line.SKU] += line.Quantity
	}
	return sums
}

// faultOf is the refusal that a list of lines to take deserves by itself.
func (w *twin) faultOf(lines []Line) error {
	if len(lines) == 0 {
		return ErrInvalid
	}
	for _, line := range lines {
		if line.Quantity < 1 || line.SKU == "" {
			return ErrInvalid
		}
	}
	for _, sum := range summed(lines) {
		if sum > reservation.MaxQuantity {
			return ErrOverflow
		}
	}
	return nil
}

func (w *twin) unknown(lines []Line) bool {
	return slices.ContainsFunc(lines, func(line Line) bool { return !w.skus[line.SKU] })
}

func orderContent(o Order) string {
	kinds := slices.Clone(o.Kinds)
	slices.Sort(kinds)
	return fmt.Sprint(o.Near, o.At, o.MaxDistance, slices.Compact(kinds), summed(o.Lines))
}

// ranked is the live locations, nearest first, ties by ID.
func (w *twin) ranked(near geo.Point) []Location {
	all := slices.Clone(w.locations)
	slices.SortFunc(all, func(a, b Location) int {
		return cmp.Or(cmp.Compare(geo.Distance(near, a.Point), geo.Distance(near, b.Point)), cmp.Compare(a.ID, b.ID))
	})
	return all
}

// judge is why a location cannot serve an order, 0 if it can, and the SKUs of
// which it has too little.
func (w *twin) judge(o Order, l Location) (reason sourcing.Reason, missing []string) {
	within := cmp.Or(o.MaxDistance, w.within)
	pointed := o.At == "" || o.Near != geo.Point{}
	switch {
	case pointed && within > 0 && geo.Distance(o.Near, l.Point) > within:
		return sourcing.TooFar, nil
	case len(o.Kinds) > 0 && !slices.Contains(o.Kinds, l.Kind), len(o.Kinds) == 0 && l.Kind != Store && l.Kind != PickupPoint:
		return sourcing.WrongKind, nil
	case o.At == "" && l.Area != nil && !l.Area.Contains(o.Near):
		return sourcing.OutsideArea, nil
	}
	sums := summed(o.Lines)
	for _, line := range o.Lines {
		if w.level(cellName{line.SKU, l.ID}).Available < sums[line.SKU] {
			reason, missing = sourcing.Short, append(missing, line.SKU)
		}
	}
	return reason, missing
}

// allocate is what Allocate must answer, and does it.
func (w *twin) allocate(o Order) (Allocation, error) {
	if o.At == "" && o.Near == (geo.Point{}) && w.orders[o.ID] == nil {
		return Allocation{}, ErrInvalid
	}
	if err := w.faultOf(o.Lines); err != nil {
		return Allocation{}, err
	}
	switch {
	case o.At != "" && w.find(o.At) < 0:
		return Allocation{}, ErrUnknownLocation
	case w.unknown(o.Lines):
		return Allocation{}, ErrUnknownSKU
	}
	if old := w.orders[o.ID]; old != nil {
		if old.content != orderContent(o) {
			w.count.Conflicts++
			return Allocation{}, ErrConflict
		}
		w.count.Repeated++
		return Allocation{ID: o.ID, Location: old.location, Distance: old.distance, HeldUntil: twinTime.Add(10 * time.Minute)}, nil
	}
	among := w.ranked(o.Near)
	if o.At != "" {
		among = []Location{w.locations[w.find(o.At)]}
	}
	refusal := &twinRefusal{id: o.ID}
	for _, l := range among {
		distance := geo.Meters(0)
		if o.At == "" || o.Near != (geo.Point{}) {
			distance = geo.Distance(o.Near, l.Point)
		}
		reason, missing := w.judge(o, l)
		if reason == 0 {
			w.hold(o, l.ID, distance)
			return Allocation{ID: o.ID, Location: l.ID, Distance: distance, HeldUntil: twinTime.Add(10 * time.Minute)}, nil
		}
		refusal.add(reason)
		if len(refusal.candidates) < rejections {
			refusal.candidates = append(refusal.candidates, Rejection{Location: l.ID, Distance: distance, Reason: reason})
			refusal.missing = append(refusal.missing, missing)
		}
	}
	w.count.Refused++
	return Allocation{}, refusal
}

func (w *twin) hold(o Order, location string, distance geo.Meters) {
	made := &twinOrder{order: o, content: orderContent(o), location: location, distance: distance, state: Held, age: len(w.orders), lines: map[string]*ReservedLine{}}
	for sku, units := range summed(o.Lines) {
		made.lines[sku] = &ReservedLine{SKU: sku, Quantity: units, Held: units}
		w.held[cellName{sku, location}] += units
	}
	w.orders[o.ID] = made
	w.count.Allocated++
}

// end is what Collect and Cancel must answer, and does it.
func (w *twin) end(id string, to State, lines []Line) error {
	if len(lines) > 0 {
		if err := w.faultOf(lines); err != nil {
			return err
		}
		if w.unknown(lines) {
			return ErrUnknownSKU
		}
	}
	o := w.orders[id]
	switch {
	case o == nil:
		return ErrNotFound
	case o.state != Held:
		return &EndedError{ID: id, State: o.state}
	}
	want := summed(lines)
	if len(lines) == 0 {
		for sku, line := range o.lines {
			want[sku] = line.Held
		}
	}
	for sku, units := range want {
		line := o.lines[sku]
		if line == nil || line.Held < units || to == Collected && line.Held-line.Short < units {
			return ErrShortage
		}
	}
	for sku, units := range want {
		at := cellName{sku, o.location}
		w.held[at] -= units
		o.lines[sku].Held -= units
		if to == Collected {
			w.onHand[at] -= units
			o.lines[sku].Collected += units
		} else {
			o.lines[sku].Canceled += units
		}
		o.lines[sku].Short = min(o.lines[sku].Short, o.lines[sku].Held)
		w.cover(at)
	}
	return w.settle(o, to)
}

// deficit is how many held units have no goods and no order that says so, below
// zero if orders say so of too many.
func (w *twin) deficit(at cellName) int64 {
	units := max(0, w.held[at]-w.onHand[at])
	for _, o := range w.orders {
		if line := o.lines[at.sku]; line != nil && o.location == at.location {
			units -= line.Short
		}
	}
	return units
}

// shorten makes the youngest orders short of goods that are gone.
func (w *twin) shorten(at cellName) {
	ids := slices.SortedFunc(maps.Keys(w.orders), func(a, b string) int { return w.orders[b].age - w.orders[a].age })
	for _, id := range ids {
		line := w.orders[id].lines[at.sku]
		if line == nil || w.orders[id].location != at.location {
			continue
		}
		if units := min(w.deficit(at), line.Held-line.Short); units > 0 {
			line.Short += units
			w.shorts[at] = append(w.shorts[at], id)
		}
	}
}

// cover is shorten undone, the last to become short first.
func (w *twin) cover(at cellName) {
	for list := w.shorts[at]; len(list) > 0; list = w.shorts[at] {
		line := w.orders[list[len(list)-1]].lines[at.sku]
		if line.Short > 0 {
			line.Short -= min(line.Short, max(0, -w.deficit(at)))
			if line.Short > 0 {
				return
			}
		}
		w.shorts[at] = list[:len(list)-1]
	}
	delete(w.shorts, at)
}

// settle ends an order of which nothing is held any more.
func (w *twin) settle(o *twinOrder, by State) error {
	state := Canceled
	for _, line := range o.lines {
		if line.Held > 0 {
			return nil
		}
		if line.Collected > 0 {
			state = Collected
		}
	}
	o.state = state
	if by == Collected {
		w.count.Collected++
	} else {
		w.count.Canceled++
	}
	return nil
}

// move is what a movement must answer, and does it.
func (w *twin) move(kind string, g moved) error {
	if err := movementFault(kind, g); err != nil {
		return err
	}
	if w.find(g.Location) < 0 {
		return ErrUnknownLocation
	}
	sums := summed(g.Lines)
	content := fmt.Sprint(kind, g.Location, sums)
	if old, ok := w.movements[g.ID]; ok {
		if old != content {
			return ErrConflict
		}
		return nil
	}
	after := map[cellName]int64{}
	var unknown, short, over error
	for sku, units := range sums {
		at := cellName{sku, g.Location}
		change := units
		switch kind {
		case "count":
			change -= w.onHand[at]
		case "till sale":
			change = -units
		}
		after[at] = w.onHand[at] + change
		switch {
		case !w.skus[sku] && (kind == "till sale" || kind == "adjustment" && change < 0):
			unknown = ErrUnknownSKU
		case after[at] < 0:
			short = ErrShortage
		case after[at] > reservation.MaxQuantity:
			over = ErrOverflow
		}
	}
	if fault := cmp.Or(unknown, short, over); fault != nil {
		return fault
	}
	for at := range after {
		w.skus[at.sku] = true
	}
	for at, units := range after {
		if change := units - w.onHand[at]; change < 0 && w.level(at).Available+change < -1<<31 {
			return ErrOverflow
		}
	}
	for at, units := range after {
		change := units - w.onHand[at]
		w.onHand[at] = units
		switch {
		case change < 0:
			w.shorten(at)
		case change > 0:
			w.cover(at)
		}
	}
	w.movements[g.ID] = content
	return nil
}

func movementFault(kind string, g moved) error {
	if g.ID == "" || len(g.Lines) == 0 {
		return ErrInvalid
	}
	sums := map[string]int64{}
	for _, line := range g.Lines {
		_, twice := sums[line.SKU]
		sums[line.SKU] += line.Quantity
		switch {
		case line.SKU == "":
			return ErrInvalid
		case kind == "count" && (line.Quantity < 0 || twice):
			return ErrInvalid
		case kind == "adjustment" && line.Quantity == 0:
			return ErrInvalid
		case kind != "count" && kind != "adjustment" && line.Quantity < 1:
			return ErrInvalid
		case max(line.Quantity, -line.Quantity) > reservation.MaxQuantity || max(sums[line.SKU], -sums[line.SKU]) > reservation.MaxQuantity:
			return ErrOverflow
		}
	}
	return nil
}

// setSafety is what SetSafetyStock must answer to one level, and does it.
func (w *twin) setSafety(v SafetyStock) error {
	switch {
	case v.Units < 0 || v.Units > reservation.MaxQuantity:
		return ErrInvalid
	case v.SKU != "" && !w.skus[v.SKU]:
		return ErrUnknownSKU
	case v.Location != "" && w.find(v.Location) < 0:
		return ErrUnknownLocation
	}
	everything, bySKU, bySlot, byPair := w.everything, maps.Clone(w.bySKU), maps.Clone(w.bySlot), maps.Clone(w.byPair)
	switch {
	case v.SKU == "" && v.Location == "":
		w.everything = v.Units
	case v.SKU == "":
		w.bySlot[v.Location] = v.Units
	case v.Location == "":
		w.bySKU[v.SKU] = v.Units
	default:
		w.byPair[cellName{v.SKU, v.Location}] = v.Units
	}
	for _, l := range w.locations {
		for sku := range w.skus {
			if w.level(cellName{sku, l.ID}).Available < -1<<31 {
				w.everything, w.bySKU, w.bySlot, w.byPair = everything, bySKU, bySlot, byPair
				return ErrOverflow
			}
		}
	}
	return nil
}

// set adds or changes a location.
func (w *twin) set(l Location) {
	if i := w.find(l.ID); i >= 0 {
		w.locations[i] = l
		return
	}
	w.locations = append(w.locations, l)
}

// remove is what RemoveLocation must answer, and does it.
func (w *twin) remove(id string) error {
	i := w.find(id)
	if i < 0 {
		return ErrUnknownLocation
	}
	use := LocationInUseError{Location: id}
	for sku := range w.skus {
		if v := w.level(cellName{sku, id}); v.OnHand != 0 || v.Held != 0 {
			use.SKUs++
			use.OnHand += v.OnHand
			use.Held += v.Held
		}
	}
	if use.SKUs > 0 {
		return &use
	}
	w.locations = slices.Delete(w.locations, i, i+1)
	delete(w.bySlot, id)
	maps.DeleteFunc(w.byPair, func(c cellName, _ int64) bool { return c.location == id })
	return nil
}

// nearby is what a walk must yield, but for the SKU that is short.
func (w *twin) nearby(o Order) ([]Candidate, error) {
	if o.Near == (geo.Point{}) {
		return nil, ErrInvalid
	}
	if err := w.faultOf(o.Lines); err != nil {
		return nil, err
	}
	if w.unknown(o.Lines) {
		return nil, ErrUnknownSKU
	}
	var out []Candidate
	for _, l := range w.ranked(o.Near) {
		reason, _ := w.judge(o, l)
		if reason == sourcing.TooFar || reason == sourcing.WrongKind {
			continue
		}
		c := Candidate{Location: l.ID, Kind: l.Kind, Distance: geo.Distance(o.Near, l.Point), Reason: reason}
		for _, line := range o.Lines {
			c.Available = append(c.Available, max(0, w.level(cellName{line.SKU, l.ID}).Available))
		}
		out = append(out, c)
	}
	return out, nil
}

// twinRefusal is what a *NoLocationError should say. Beside its candidates stand
// the SKUs that are missing there, any of which may be named.
type twinRefusal struct {
	id         string
	counts     ReasonCounts
	candidates []Rejection
	missing    [][]string
}

// matches checks the engine's refusal.
func (r *twinRefusal) matches(got *NoLocationError) bool {
	candidates := got.Candidates()
	if got.ID != r.id || got.Counts() != r.counts || len(candidates) != len(r.candidates) {
		return false
	}
	for i, c := range candidates {
		want := r.candidates[i]
		if slices.Contains(r.missing[i], c.SKU) {
			want.SKU = c.SKU
		}
		if c != want || (c.SKU == "") != (len(r.missing[i]) == 0) {
			return false
		}
	}
	return true
}

func (r *twinRefusal) Error() string { return fmt.Sprintf("%+v", *r) }

func (r *twinRefusal) Is(target error) bool { return target == ErrNoLocation }

func (r *twinRefusal) add(reason sourcing.Reason) {
	switch reason {
	case sourcing.TooFar:
		r.counts.TooFar++
	case sourcing.WrongKind:
		r.counts.Kind++
	case sourcing.OutsideArea:
		r.counts.Area++
	case sourcing.Short:
		r.counts.Short++
	}
}
