package reservation

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/clickcollect/clickcollect/reservation/history"
)

// reserveParts is reserve for several locations.
func (w *ledgerTwin) reserveParts(numbers []int, parts []Part) (int, error) {
	type cell struct{ sku, slot uint32 }
	want, keep := map[cell]int64{}, map[cell]int64{}
	for i := range parts {
		for _, line := range parts[i].Lines {
			c := cell{line.SKU, parts[i].Slot}
			want[c] += line.Quantity
			keep[c] = max(keep[c], line.Keep)
		}
	}
	for c, units := range want {
		if !w.here(c.slot) || w.level(c.sku, c.slot).Available-units < keep[c] {
			return 0, nil
		}
	}
	for i, n := range numbers {
		if w.orders[n] == nil {
			continue
		}
		if i == 0 {
			return Known, nil
		}
		return Failed, ErrConflict
	}
	for i, n := range numbers {
		w.orders[n] = w.hold(n, &parts[i].Hold, parts[i].Lines)
		w.orders[n].parts = max(w.orders[n].parts, len(parts))
	}
	return Done, nil
}

// hold puts an order on the shelf.
func (w *ledgerTwin) hold(number int, h *Hold, lines []Line) *twinOrder {
	o := &twinOrder{number: number, id: h.ID, fingerprint: h.Fingerprint, state: Held, slot: h.Slot, origin: h.Slot, born: h.Now, deadline: h.Deadline,
		distance: h.Distance, promise: h.Promise, order: h.Order, owner: h.Owner, channel: h.Channel, note: string(h.Note), parts: max(int(h.Parts), int(h.Part), 1), part: max(int(h.Part), 1), from: int(h.From),
		form: h.Form, store: h.Store, to: h.Store}
	for _, line := range lines {
		o.lines = append(o.lines, twinLine{sku: line.SKU, quantity: line.Quantity, held: line.Quantity})
	}
	w.shelf = append(w.shelf, o)
	return o
}

// reroute takes units elsewhere.
func (w *ledgerTwin) reroute(number, to int, r *Reroute) (int, error) {
	o := w.orders[number]
	inPlace := r.To.Part == 0
	switch {
	case w.slots[r.To.Slot].gone:
		return Failed, ErrUnknownLocation
	case o == nil:
		return Failed, ErrNotFound
	case !inPlace && w.orders[to] != nil, inPlace && !o.state.Ended() && o.slot == r.To.Slot:
		return Known, nil
	case o.state.Ended() && !r.Missing:
		return Failed, ErrEnded
	case !r.Missing && o.state != Held && o.state != Confirmed && o.state != Accepted:
		return Failed, ErrState
	}
	give, err := o.leaving(r)
	if err != nil {
		return Failed, err
	}
	if inPlace {
		if err := o.whole(give, r.To.Lines); err != nil {
			return Failed, err
		}
	}
	for _, line := range r.To.Lines {
		if !w.here(r.To.Slot) || w.level(line.SKU, r.To.Slot).Available-line.Quantity < line.Keep {
			return 0, nil
		}
	}
	from := o.slot
	if inPlace {
		w.relocate(o, r)
	} else {
		w.orders[to] = w.split(o, to, give, r)
	}
	for _, l := range o.lines {
		w.bring(l.sku, from)
	}
	return Done, nil
}

// leaving is how many units of each line go.
func (o *twinOrder) leaving(r *Reroute) ([]int64, error) {
	give := make([]int64, len(o.lines))
	can := func(l twinLine) int64 {
		if r.Missing {
			return l.missing
		}
		return l.held + l.confirmed
	}
	for i := range o.lines {
		if r.Lines == nil {
			give[i] = can(o.lines[i])
		}
	}
	for _, want := range r.Lines {
		at := slices.IndexFunc(o.lines, func(l twinLine) bool { return l.sku == want.SKU })
		if at < 0 || can(o.lines[at]) < want.Quantity {
			return nil, ErrShortage
		}
		give[at] = want.Quantity
	}
	if slices.Max(give) == 0 {
		return nil, ErrState
	}
	return give, nil
}

// whole tells whether all of an order goes.
func (o *twinOrder) whole(give []int64, lines []Line) error {
	left := map[uint32]int64{}
	for _, line := range lines {
		left[line.SKU] = line.Quantity
	}
	open := map[uint32]int64{}
	var err error
	for i, l := range o.lines {
		if l.collected+l.missing+l.lapsed > 0 {
			return cmp.Or(err, ErrState)
		}
		if l.held+l.confirmed != give[i] {
			err = cmp.Or(err, ErrInvalid)
		}
		if give[i] > 0 {
			open[l.sku] = give[i]
		}
	}
	if err == nil && !maps.Equal(open, left) {
		err = ErrInvalid
	}
	return err
}

func (w *ledgerTwin) relocate(o *twinOrder, r *Reroute) {
	o.slot, o.distance, o.promise = r.To.Slot, r.To.Distance, r.To.Promise
	if len(r.To.Note) > 0 {
		o.note = string(r.To.Note)
	}
	if r.To.Form != Unsaid {
		o.form, o.store, o.to = r.To.Form, r.To.Store, r.To.Store
	}
	if o.state == Accepted {
		o.state = Confirmed
	}
	for i := range o.lines {
		o.lines[i].short = 0
	}
	w.shelve(o)
}

// split makes the new part of what leaves an order.
func (w *ledgerTwin) split(o *twinOrder, to int, give []int64, r *Reroute) *twinOrder {
	h := r.To.Hold
	h.ID, h.Now, h.From = r.ID, r.Now, max(r.Part, 1)
	h.Deadline = cmp.Or(h.Deadline, o.deadline)
	h.Order, h.Owner, h.Channel = cmp.Or(h.Order, o.order), cmp.Or(h.Owner, o.owner), cmp.Or(h.Channel, o.channel)
	if h.Form == Unsaid {
		h.Form, h.Store = o.form, o.store
	}
	part := w.hold(to, &h, r.To.Lines)
	part.sure(w.leave(o, give, r))
	return part
}

// leave takes out of an order what is elsewhere. It returns what of that was
// confirmed, and whether all was.
func (w *ledgerTwin) leave(o *twinOrder, give []int64, r *Reroute) (sure map[uint32]int64, all bool) {
	sure, held := map[uint32]int64{}, int64(0)
	for i := range o.lines {
		l := &o.lines[i]
		n := give[i]
		if r.Missing {
			l.missing -= n
			sure[l.sku] = n
		} else {
			c := min(n, l.confirmed)
			l.confirmed, l.held = l.confirmed-c, l.held-(n-c)
			sure[l.sku] = c
			held += n - c
		}
		l.rerouted += n
		l.short = min(l.short, l.held+l.confirmed)
		if n == 0 {
			delete(sure, l.sku)
		}
	}
	o.parts = max(o.parts, int(r.To.Parts), int(r.To.Part))
	if !o.state.Ended() {
		w.finish(o, &Change{Verb: history.Rerouted, Now: r.Now})
	} else if (o.state == Canceled || o.state == Lost) && o.sum(func(l twinLine) int64 { return l.quantity - l.rerouted }) == 0 {
		o.state = Rerouted
	}
	return sure, held == 0
}

// sure confirms what replaces confirmed units.
func (o *twinOrder) sure(units map[uint32]int64, all bool) {
	total := int64(0)
	for _, n := range units {
		total += n
	}
	if total == 0 {
		return
	}
	for i := range o.lines {
		l := &o.lines[i]
		n := l.quantity
		if replaced, ok := units[l.sku]; ok && !all {
			n = min(n, replaced)
		}
		l.confirmed, l.held = n, l.quantity-n
	}
	if o.sum(func(l twinLine) int64 { return l.confirmed }) > 0 {
		o.state = Confirmed
	}
}

// order picks an order, and gives its parts places in the twin's list.
func (g *game) order(anew int) int {
	i := g.pick(&g.orders, "order", anew)
	lengthen(&g.w.orders, partAt(len(g.orders), 1))
	return i
}

// part picks a part of an order: mostly one that is there.
func (g *game) part(order int) int {
	if all := g.w.partsOf(order); len(all) > 0 && g.n(8) < 7 {
		return all[g.n(len(all))].part
	}
	return 1 + g.n(twinParts)
}

// note is mostly none.
func (g *game) note() []byte {
	if g.n(4) < 3 {
		return nil
	}
	return bytes.Repeat([]byte{byte(g.n(256))}, g.n(40))
}

func (g *game) hold(i int) Hold {
	h := Hold{ID: g.orders[i], Fingerprint: uint64(g.n(3)), Slot: g.slot(), Distance: float64(i), Now: g.now, Deadline: g.now + int64(g.n(10_000)), Note: g.note()}
	if g.n(4) == 3 {
		h.Order, h.Owner, h.Channel, h.Promise = "a shop's", "token", "web", g.now+int64(g.n(10_000))
	}
	switch g.n(6) {
	case 3:
		h.Form = Fetched
	case 4:
		h.Form, h.Store = Brought, g.slot()
	case 5:
		h.Form = Sent
	}
	return h
}

// keeping makes some lines leave something.
func (g *game) keeping(lines []Line) []Line {
	for i := range lines {
		if g.n(8) == 7 {
			lines[i].Keep = int64(g.n(4))
		}
	}
	return lines
}

// parts reserves at several locations at once.
func (g *game) parts() {
	var numbers []int
	var parts []Part
	order, most := g.order(12), 4
	if g.n(4) == 3 {
		most = twinParts
	}
	for range 1 + g.n(most) {
		if lines := slices.Clone(g.keeping(g.some())); len(lines) > 0 {
			parts = append(parts, Part{Hold: g.hold(order), Lines: lines})
		}
	}
	if len(parts) == 0 {
		return
	}
	turn, back := g.n(len(parts)), g.n(2)
	for i := range parts {
		n := (i + turn) % len(parts)
		if back == 1 {
			n = len(parts) - 1 - n
		}
		parts[i].Part = uint8(n + 1)
		parts[i].Parts = uint8(g.n(2) * len(parts)) // else it is seen from the numbers
		numbers = append(numbers, partAt(order, n+1))
	}
	if g.talks {
		g.last = fmt.Sprintf("parts %+v", parts)
	}
	known := g.w.orders[numbers[0]]
	want, wantErr := g.w.reserveParts(numbers, parts)
	got := g.claims.Reserve(g.l, parts, &g.found)
	g.outcome(got, want, wantErr)
	if got == Known && want == Known {
		is(g, "fingerprint", g.found.Fingerprint, known.fingerprint)
	}
	for _, i := range numbers {
		g.look(i)
	}
}

func (g *game) outcome(got, want int, wantErr error) {
	if got >= 0 {
		got = 0 // whichever of the short lines
	}
	is(g, "outcome", got, want)
	var err error
	if got == Failed {
		err = g.claims.Err()
	}
	g.fact(err, wantErr)
}

// reroute takes an order, or some of it, elsewhere.
func (g *game) reroute() {
	if len(g.orders) == 0 {
		return
	}
	order := g.order(0)
	i := partAt(order, g.part(order))
	if len(g.w.shelf) > 0 && g.n(8) < 7 {
		i = g.w.shelf[g.n(len(g.w.shelf))].number
		order = orderOf(i)
	}
	o := g.w.orders[i]
	r := Reroute{ID: g.orders[order], Part: uint8(i%twinParts + 1), Now: g.now, Cause: history.Offline, Missing: g.n(6) == 5}
	to := -1
	if r.Missing || g.n(2) == 1 {
		part := 2 + g.n(twinParts-1)
		if to = partAt(order, part); to == i {
			return
		}
		r.To.Hold = g.hold(order)
		r.To.Part = uint8(part)
		if g.n(2) == 1 {
			r.To.Deadline = 0
		}
		r.To.Parts = uint8(g.n(3))
	} else {
		r.To.Hold = g.hold(order)
	}
	if g.n(3) == 2 {
		if r.Lines = slices.Clone(g.some()); len(r.Lines) == 0 {
			r.Lines = nil
		}
	}
	r.To.Lines = g.arriving(o, &r)
	if len(r.To.Lines) == 0 {
		return
	}
	if g.talks {
		g.last = fmt.Sprintf("reroute %+v", r)
	}
	want, wantErr := g.w.reroute(i, to, &r)
	got := g.claims.Reroute(g.l, &r, &g.found)
	g.outcome(got, want, wantErr)
	if got == Done && want == Done {
		is(g, "state after", g.found.State, o.state)
	}
	g.look(i)
	if to >= 0 {
		g.look(to)
	}
}

// arriving is mostly what leaves.
func (g *game) arriving(o *twinOrder, r *Reroute) (lines []Line) {
	if o == nil || g.n(8) == 7 {
		return slices.Clone(g.some())
	}
	give, err := o.leaving(r)
	if err != nil {
		return slices.Clone(g.some())
	}
	for i, n := range give {
		if n > 0 {
			lines = append(lines, Line{SKU: o.lines[i].sku, Quantity: n})
		}
	}
	return g.keeping(lines)
}

// notes sets some notes, or reads them.
func (g *game) notes() {
	var set []Note
	for range g.n(4) {
		set = append(set, Note{Key: fmt.Sprint([]string{"a/", "b/"}[g.n(2)], g.n(3)), Value: g.note()})
	}
	if g.talks {
		g.last = fmt.Sprintf("notes %v", set)
	}
	_, err := g.l.SetNotes(g.now, set...)
	g.fact(err, nil)
	for _, n := range set {
		g.w.setNote(n.Key, n.Value)
	}
	g.lookNotes()
}

func (w *ledgerTwin) setNote(key string, value []byte) {
	if w.notes == nil {
		w.notes = map[string]string{}
	}
	if w.notes[key] = string(value); len(value) == 0 {
		delete(w.notes, key)
	}
}

func (g *game) lookNotes() {
	all := map[string]string{}
	last := ""
	for n := range g.l.Notes("") {
		is(g, "notes ascend", last < n.Key, true)
		last, all[n.Key] = n.Key, string(n.Value)
		is(g, "note", string(g.l.Note(n.Key)), string(n.Value))
	}
	if !maps.Equal(all, g.w.notes) && len(all)+len(g.w.notes) > 0 {
		is(g, "notes", fmt.Sprint(all), fmt.Sprint(g.w.notes))
	}
	for n := range g.l.Notes("b/") {
		is(g, "prefix", n.Key[:2], "b/")
	}
}

// lookOrigin compares what an order was at first, and what was noted of it.
func (g *game) lookOrigin(f *Entry, o *twinOrder) {
	is(g, "promise", f.Promise, o.promise)
	is(g, "distance", f.Distance, o.distance)
	is(g, "made", [2]int64{f.Since, int64(f.Origin)}, [2]int64{o.born, int64(o.origin)})
	is(g, "parts and rejections", [2]int{f.Parts, f.Rejects}, [2]int{max(o.parts, 1), min(o.rejects, math.MaxUint8)})
	is(g, "form", f.Form, o.form)
	is(g, "parcel", [2]string{f.Carrier, f.Tracking}, o.parcel)
	if o.form == Brought {
		is(g, "store", f.To, o.store)
	}
	is(g, "part and where it comes from", [2]int{f.Part, f.From}, [2]int{o.part, o.from})
	is(g, "note", string(f.Note), o.note)
}
