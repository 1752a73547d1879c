package allocator_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/clickcollect/clickcollect/allocator"
	"github.com/clickcollect/clickcollect/geo"
)

// doorTwin is the door in words of maps and slices, looked through from end to end
// for every answer. It knows orders for one location that nobody reroutes.
type doorTwin struct {
	now       time.Time
	places    []allocator.Location
	shelves   map[doorAt]int64 // on hand
	safety    map[doorAt]int64 // by SKU and location, each may be empty
	levels    map[allocator.Protection]int64
	windows   map[doorVisit]int64 // places
	limits    map[string]allocator.Capacity
	orders    map[string]*twinOrder
	transfers map[string]*twinTransfer
}

type doorAt struct{ sku, at string }

type doorVisit struct {
	at    string
	start time.Time
}

// twinOrder is an order and what became of it.
type twinOrder struct {
	of    allocator.Order
	got   allocator.Allocation
	is    allocator.Reservation
	made  time.Time
	owner string
	hold  time.Time // the hold's deadline, whatever is held
	told  bool      // the reminder
	takes bool      // has, or has used up, its place in a window and its room in a period
	spent bool      // has used them up
	room  twinRoom
}

// twinRoom is what an order takes of a location's capacity in a period.
type twinRoom struct {
	at            string
	per           allocator.Period
	begin         time.Time
	orders, lines int64
}

type twinTransfer struct {
	from, to string
	lines    []allocator.TransferLine
}

func newDoorTwin(places []allocator.Location) *doorTwin {
	return &doorTwin{now: doorBegin, places: places, shelves: map[doorAt]int64{}, safety: map[doorAt]int64{}, levels: map[allocator.Protection]int64{},
		windows: map[doorVisit]int64{}, limits: map[string]allocator.Capacity{}, orders: map[string]*twinOrder{}, transfers: map[string]*twinTransfer{}}
}

func (w *doorTwin) place(id string) *allocator.Location {
	for i := range w.places {
		if w.places[i].ID == id {
			return &w.places[i]
		}
	}
	return nil
}

// sums are lines by SKU, ascending, each once.
func (w *doorTwin) sums(lines []allocator.Line) (out []allocator.Line) {
	units := map[string]int64{}
	for _, l := range lines {
		units[l.SKU] += l.Quantity
	}
	for _, sku := range killSorted(units) {
		out = append(out, allocator.Line{SKU: sku, Quantity: units[sku]})
	}
	return out
}

func (w *doorTwin) knows(lines []allocator.Line) bool {
	return !slices.ContainsFunc(lines, func(l allocator.Line) bool {
		for cell := range w.shelves {
			if cell.sku == l.SKU {
				return false
			}
		}
		return true
	})
}

// available is a SKU's units at a location.
func (w *doorTwin) available(sku, at string) (v allocator.Availability) {
	v.OnHand = w.shelves[doorAt{sku, at}]
	for _, o := range w.orders {
		if l := o.line(sku); l != nil && o.is.Location == at && !o.is.State.OnRoad() {
			v.Held += l.Held + l.Confirmed
		}
	}
	own, is := w.safety[doorAt{sku, at}]
	if !is {
		own = max(w.safety[doorAt{sku, ""}], w.safety[doorAt{"", at}], w.safety[doorAt{"", ""}])
	}
	v.Safety = own
	v.Available = v.OnHand - v.Held - v.Safety
	return v
}

// level is what a channel has to leave of a SKU at a location.
func (w *doorTwin) level(channel, sku, at string) int64 {
	for _, channel := range slices.Compact([]string{channel, ""}) {
		for _, key := range []allocator.Protection{{SKU: sku, Location: at}, {SKU: sku}, {Location: at}, {}} {
			key.Channel = channel
			if units, is := w.levels[key]; is {
				return units
			}
		}
	}
	return 0
}

// window is a pickup window as it is now.
func (w *doorTwin) window(v doorVisit) (places, taken int64) {
	for _, o := range w.orders {
		if o.takes && !v.start.IsZero() && o.of.Window.Equal(v.start) && o.of.At == v.at {
			taken++
		}
	}
	return w.windows[v], taken
}

// begins is when a location could begin the work on an order: now, or in the first
// period with room for it, and what it takes then.
func (w *doorTwin) begins(o *allocator.Order, at string) (time.Time, twinRoom, bool) {
	limit, is := w.limits[at]
	if !is {
		return w.now, twinRoom{}, true
	}
	n, start := int64(len(w.sums(o.Lines))), w.now
	step := []time.Duration{24 * time.Hour, time.Hour, 30 * time.Minute, 15 * time.Minute}[limit.Per]
	for range 366 {
		r := twinRoom{at: at, per: limit.Per, begin: start.Truncate(step)}
		orders, lines := int64(0), int64(0)
		for _, other := range w.orders {
			if x := other.room; other.takes && x.at == at && x.per == r.per && x.begin.Equal(r.begin) {
				orders, lines = orders+x.orders, lines+x.lines
			}
		}
		if (limit.Orders == 0 || orders < limit.Orders) && (limit.Lines == 0 || lines+n <= limit.Lines) {
			r.orders, r.lines = min(limit.Orders, 1), min(limit.Lines, 1)*n
			return start, r, o.Window.IsZero() || !start.After(o.Window)
		}
		start = r.begin.Add(step)
	}
	return start, twinRoom{}, false
}

// serves reports whether a location could fill an order now.
func (w *doorTwin) serves(o *allocator.Order, l *allocator.Location) bool {
	if _, _, ok := w.begins(o, l.ID); !ok {
		return false
	}
	if o.At != "" && l.ID != o.At || o.At == "" && o.MaxDistance > 0 && geo.Distance(o.Near, l.Point) > o.MaxDistance {
		return false
	}
	if len(o.Kinds) > 0 && !slices.Contains(o.Kinds, l.Kind) || len(o.Kinds) == 0 && l.Kind != allocator.Store && l.Kind != allocator.PickupPoint {
		return false
	}
	if !o.Window.IsZero() {
		if places, taken := w.window(doorVisit{l.ID, o.Window}); taken >= places {
			return false
		}
	}
	for _, line := range w.sums(o.Lines) {
		if w.available(line.SKU, l.ID).Available-line.Quantity < w.level(o.Channel, line.SKU, l.ID) {
			return false
		}
	}
	return true
}

// allocate is Allocate of an order without an error in itself.
func (w *doorTwin) allocate(o allocator.Order) (allocator.Allocation, error) {
	switch old := w.orders[o.ID]; {
	case o.At != "" && w.place(o.At) == nil:
		return allocator.Allocation{}, allocator.ErrUnknownLocation
	case !w.knows(o.Lines):
		return allocator.Allocation{}, allocator.ErrUnknownSKU
	case old != nil && killText(old.of) == killText(o):
		return old.got, nil
	case old != nil:
		return allocator.Allocation{}, allocator.ErrConflict
	}
	var best *allocator.Location
	for i := range w.places {
		l := &w.places[i]
		if w.serves(&o, l) && (best == nil || cmp.Or(cmp.Compare(geo.Distance(o.Near, l.Point), geo.Distance(o.Near, best.Point)), strings.Compare(l.ID, best.ID)) < 0) {
			best = l
		}
	}
	if best == nil {
		return allocator.Allocation{}, allocator.ErrNoLocation
	}
	until := w.now.Add(o.HoldFor)
	n := &twinOrder{of: o, made: w.now, owner: o.Owner, hold: until, takes: true}
	n.got = allocator.Allocation{ID: o.ID, Location: best.ID, Distance: geo.Distance(o.Near, best.Point), HeldUntil: until}
	start, room, _ := w.begins(&o, best.ID)
	n.room = room
	switch {
	case !o.Window.IsZero():
		n.got.Ready = o.Window
	case room.at != "":
		n.got.Ready = start
	}
	n.is = allocator.Reservation{ID: o.ID, Location: best.ID, State: allocator.Held, HeldUntil: until, Channel: o.Channel}
	for _, line := range w.sums(o.Lines) {
		n.is.Lines = append(n.is.Lines, allocator.ReservedLine{SKU: line.SKU, Quantity: line.Quantity, Held: line.Quantity})
	}
	w.orders[o.ID] = n
	return n.got, nil
}

func (o *twinOrder) line(sku string) *allocator.ReservedLine {
	for i := range o.is.Lines {
		if o.is.Lines[i].SKU == sku {
			return &o.is.Lines[i]
		}
	}
	return nil
}

func (o *twinOrder) total(of func(*allocator.ReservedLine) int64) (n int64) {
	for i := range o.is.Lines {
		n += of(&o.is.Lines[i])
	}
	return n
}

func twinHeld(l *allocator.ReservedLine) int64      { return l.Held }
func twinConfirmed(l *allocator.ReservedLine) int64 { return l.Confirmed }
func twinCollected(l *allocator.ReservedLine) int64 { return l.Collected }

// take takes units from one place of a line and what is missing from another.
func twinTake(n int64, first, second *int64) {
	some := min(n, *first)
	*first -= some
	*second -= n - some
}

// settle ends an order when nothing of it is held or confirmed any more. used tells
// that the last goods have used its place up.
func (w *doorTwin) settle(o *twinOrder, as allocator.State, used bool) {
	r := &o.is
	held, sure := o.total(twinHeld), o.total(twinConfirmed)
	if held == 0 {
		r.HeldUntil = time.Time{}
	}
	switch {
	case sure > 0:
		return
	case held > 0:
		if r.State == allocator.Ready {
			r.State, r.PickupUntil = allocator.Held, time.Time{}
		}
		return
	case o.total(twinCollected) > 0 && as != allocator.Delivered:
		as = allocator.Collected
	}
	r.State, r.PickupUntil, r.EndedAt = as, time.Time{}, w.now
	o.takes = o.takes && (used || o.spent)
}

// short is the orders with units of a SKU at a location, those that are made short
// last in front: confirmed ones, then the oldest.
func (w *doorTwin) short(cell doorAt) (all []*twinOrder) {
	for _, id := range killSorted(w.orders) {
		if o := w.orders[id]; o.line(cell.sku) != nil && o.is.Location == cell.at && !o.is.State.OnRoad() {
			all = append(all, o)
		}
	}
	slices.SortStableFunc(all, func(x, y *twinOrder) int {
		sure := func(o *twinOrder) int { return -int(min(o.line(cell.sku).Confirmed, 1)) }
		return cmp.Or(cmp.Compare(sure(x), sure(y)), x.made.Compare(y.made), strings.Compare(x.of.ID, y.of.ID))
	})
	return all
}

// balance makes orders short of what is not on hand, or covers them.
func (w *doorTwin) balance(cell doorAt) {
	v := w.available(cell.sku, cell.at)
	deficit := max(0, v.Held-v.OnHand)
	all := w.short(cell)
	for _, o := range all {
		l := o.line(cell.sku)
		l.Short = min(l.Short, l.Held+l.Confirmed)
		deficit -= l.Short
	}
	for _, o := range all { // covered: those made short last in front
		l := o.line(cell.sku)
		n := min(l.Short, max(0, -deficit))
		l.Short -= n
		deficit += n
	}
	slices.Reverse(all)
	for _, o := range all {
		l := o.line(cell.sku)
		n := min(l.Held+l.Confirmed-l.Short, max(0, deficit))
		l.Short += n
		deficit -= n
	}
}

// move changes the units on hand, all lines or none.
func (w *doorTwin) move(at string, lines []allocator.Line, change func(there, units int64) int64) error {
	switch {
	case w.place(at) == nil:
		return allocator.ErrUnknownLocation
	case !w.knows(lines):
		return allocator.ErrUnknownSKU
	}
	lines = w.sums(lines)
	for _, l := range lines {
		if change(w.shelves[doorAt{l.SKU, at}], l.Quantity) < 0 {
			return allocator.ErrShortage
		}
	}
	for _, l := range lines {
		cell := doorAt{l.SKU, at}
		w.shelves[cell] = change(w.shelves[cell], l.Quantity)
		w.balance(cell)
	}
	return nil
}

// send is Send.
func (w *doorTwin) send(t allocator.Transfer) error {
	lines := w.sums(t.Lines)
	for _, l := range lines {
		if w.place(t.From) != nil && w.knows(lines) && w.available(l.SKU, t.From).Available < l.Quantity {
			return allocator.ErrShortage
		}
	}
	if err := w.move(t.From, lines, func(there, units int64) int64 { return there - units }); err != nil {
		return err
	}
	n := &twinTransfer{from: t.From, to: t.To}
	for _, l := range lines {
		n.lines = append(n.lines, allocator.TransferLine{SKU: l.SKU, Quantity: l.Quantity, OnTheWay: l.Quantity})
	}
	w.transfers[t.ID] = n
	return nil
}

// arrives is Deliver and Lose, of all that is on its way or of lines.
func (w *doorTwin) arrives(id string, lines []allocator.Line, lost bool) error {
	t := w.transfers[id]
	left := int64(0)
	if t != nil {
		for _, l := range t.lines {
			left += l.OnTheWay
		}
	}
	switch {
	case t == nil:
		return allocator.ErrNotFound
	case left == 0:
		return allocator.ErrEnded
	}
	want := map[string]int64{}
	for _, l := range w.sums(lines) {
		want[l.SKU] = l.Quantity
	}
	for i := range t.lines {
		if lines == nil && t.lines[i].OnTheWay > 0 {
			want[t.lines[i].SKU] = t.lines[i].OnTheWay
		}
		if want[t.lines[i].SKU] > t.lines[i].OnTheWay {
			return allocator.ErrShortage
		}
	}
	for i := range t.lines {
		l, n := &t.lines[i], want[t.lines[i].SKU]
		l.OnTheWay -= n
		if lost {
			l.Lost += n
			continue
		}
		l.Delivered += n
		w.shelves[doorAt{l.SKU, t.to}] += n
		w.balance(doorAt{l.SKU, t.to})
	}
	return nil
}

func (o *twinOrder) String() string { return fmt.Sprintf("%s %+v", o.of.ID, o.is) }
