package allocator

import (
	"math"

	"github.com/clickcollect/clickcollect/allocator/internal/goods"
	"github.com/clickcollect/clickcollect/allocator/internal/topology"
	"github.com/clickcollect/clickcollect/reservation"
)

// What a call says is digested, so that a repeat of its ID is told from another
// call under the same one. A digest depends on what the call says and on nothing
// that is set or may change, but for the handles of SKUs, which never change.

// Layouts are what no line comes to, so that lines end where another thing begins:
// the lower half of a line is its quantity, below 2^31.
const (
	layoutAt      = 1<<31 + iota // a store
	layoutGeneral                // an order that isGeneral
	layoutLines                  // the terms behind the lines
	layoutPart                   // the number of a part
)

// orderDigest begins the digest of an order with what all of them have besides their
// lines.
func (a *Allocator) orderDigest(o *Order, set topology.KindSet) reservation.Digest {
	return digestReach(a.ledger.Digest(uint64(set)), o)
}

func digestReach(d reservation.Digest, o *Order) reservation.Digest {
	return d.Add(math.Float64bits(o.Near.Lat)).Add(math.Float64bits(o.Near.Lon)).
		Add(math.Float64bits(float64(o.MaxDistance)))
}

// digest goes on with an order of the hot path.
func (w *wants) digest(d reservation.Digest, o *Order) uint64 {
	if o.At != "" {
		d = d.Layout(layoutAt).AddString(o.At)
	}
	for _, line := range w.lines {
		d = d.Add(uint64(line.SKU)<<32 | uint64(line.Quantity))
	}
	if o.hasTerms() {
		d = digestTerms(d.Layout(layoutLines).Add(uint64(len(w.lines))), o)
	}
	return d.Sum()
}

// digestTerms adds what is noted with an order.
func digestTerms(d reservation.Digest, o *Order) reservation.Digest {
	return d.Add(uint64(o.HoldFor)).Add(uint64(millis(o.Promise))).
		AddString(o.Order).AddString(o.Customer).AddString(o.Owner).AddString(o.Channel)
}

// digestGeneral goes on with an order that isGeneral, or of which a SKU has no
// handle. Its lines are as they were given: what a bundle is made of may change from
// one call to its repeat. False: it is no order that was ever held.
func digestGeneral(d reservation.Digest, o *Order) (mark uint64, ok bool) {
	lines, ok := linesOf(o)
	if !ok {
		return 0, false
	}
	d = digestTerms(d.Layout(layoutGeneral), o).AddString(o.At).Layout(uint64(len(lines)))
	for _, l := range lines {
		d = d.AddString(l.SKU).Add(uint64(l.Units)).Add(uint64(l.Way))
	}
	d = d.Layout(uint64(len(o.Substitutes)))
	for _, sku := range sorted(o.Substitutes) {
		d = d.AddString(sku).Add(uint64(len(o.Substitutes[sku])))
		for _, other := range o.Substitutes[sku] {
			d = d.AddString(other)
		}
	}
	d = d.Layout(uint64(len(o.Forms)))
	for _, sku := range sorted(o.Forms) {
		d = d.AddString(sku).Add(uint64(o.Forms[sku]))
	}
	d = d.Layout(uint64(len(o.Together)))
	for _, group := range o.Together {
		d = d.Add(uint64(len(group)))
		for _, sku := range group {
			d = d.AddString(sku)
		}
	}
	d = d.Add(uint64(o.MaxLocations)).Add(uint64(millis(o.NeededBy))).Add(uint64(millis(o.Window))).AddString(o.Payment)
	if o.Partial {
		d = d.Layout(1).Add(1)
	} else {
		d = d.Layout(0)
	}
	for _, list := range [...][]string{o.Groups, o.Prefer, o.Exclude} {
		d = d.Add(uint64(len(list)))
		for _, text := range list {
			d = d.AddString(text)
		}
	}
	return d.Sum(), true
}

// linesOf is the lines of an order, those of the same SKU summed, ascending by SKU
// and bundles as they are; false if they are none that could be held. It asks for no
// limit that is set: those may have been others when the order was held.
func linesOf(o *Order) ([]formLine, bool) {
	out := make([]formLine, 0, len(o.Lines))
	for _, line := range o.Lines {
		if line.Quantity < 1 || line.Quantity > reservation.MaxQuantity {
			return nil, false
		}
		f := o.Form
		if own, ok := o.Forms[line.SKU]; ok {
			f = own
		}
		out = append(out, formLine{SKU: line.SKU, Units: line.Quantity, Way: f})
	}
	out, err := goods.Sum(out)
	return out, err == nil && len(out) > 0
}

// markOf is the digest of a checked order that is planned. One that asks for no more
// than the hot path serves has the same one there, because what is set may change
// from one call to its repeat.
func (a *Allocator) markOf(s *scratch, o *Order, set topology.KindSet) uint64 {
	d := a.orderDigest(o, set)
	if !o.isGeneral() {
		if lines, err := a.resolve(s, o.Lines); err == nil {
			w := wants{lines: lines}
			return w.digest(d, o)
		}
	}
	mark, _ := digestGeneral(d, o)
	return mark
}

// isOf reports whether an order has the content of a reservation. A line's SKU may
// have got its handle since, and the reservation may be from before digests had a
// key.
func (a *Allocator) isOf(s *scratch, o *Order, e *reservation.Entry) bool {
	set := topology.KindSet(0)
	for _, k := range o.Kinds {
		if k >= kinds {
			return false
		}
		set |= 1 << k
	}
	if !inTime(o.Promise) || !inTime(o.NeededBy) || !inTime(o.Window) {
		return false // its milliseconds are those of another time
	}
	first := uint64(set)
	begun := []reservation.Digest{a.ledger.Digest(first)}
	if former, ok := a.ledger.Former(first, e.Since); ok {
		begun = append(begun, former)
	}
	for _, d := range begun {
		d = digestReach(d, o)
		if mark, ok := digestGeneral(d, o); ok && mark == e.Fingerprint {
			return true
		}
		if lines, err := a.resolve(s, o.Lines); err == nil && !o.isGeneral() {
			w := wants{lines: lines}
			if w.digest(d, o) == e.Fingerprint {
				return true
			}
		}
	}
	return false
}

// mark gives a change its digests: also the one as of before digests had a key, and the
// one by the name that former versions gave a part. They go by the lines of the change,
// however many a call may have by now.
func (a *Allocator) mark(s *scratch, c *Change, into *reservation.Change) {
	lines, err := a.resolve(s, c.Lines)
	if len(c.Lines) > 0 && err != nil || !inTime(c.Pickup.Until) || checkPart(c.Part) != nil {
		return // it was never made
	}
	digest := func(d reservation.Digest) uint64 {
		d = d.AddString(c.Location).AddString(c.Pickup.Code).Add(uint64(millis(c.Pickup.Until)))
		if c.Do >= DoPack { // digests of the others are kept as they are
			d = d.AddString(c.Parcel.Carrier).AddString(c.Parcel.Tracking).Add(uint64(c.As))
		}
		return digestLines(d, lines)
	}
	first := uint64(c.Do)
	former, _ := a.ledger.Former(first, 0)
	into.Print = digest(digestName(a.ledger.Digest(first), c.Reservation, c.Part))
	into.Former = digest(digestFormerName(former, c.Reservation, c.Part))
	if c.Part > 0 {
		into.FormerName = digest(digestFormerName(a.ledger.Digest(first), c.Reservation, c.Part))
	}
}

// digestName adds an order, or a part of it.
func digestName(d reservation.Digest, order string, part int) reservation.Digest {
	if part > 0 {
		d = d.Layout(layoutPart).Add(uint64(part))
	}
	return d.AddString(order)
}

// digestFormerName adds the ID that a part had in former versions.
func digestFormerName(d reservation.Digest, order string, part int) reservation.Digest {
	if part > 0 {
		order = formerID(order, part)
	}
	return d.AddString(order)
}

func digestLines(d reservation.Digest, lines []reservation.Line) uint64 {
	for _, line := range lines {
		d = d.Add(uint64(line.SKU)<<32 | uint64(line.Quantity))
	}
	return d.Sum()
}

// returnDigests tells the digests of returns from those of changes. It stays the
// same, because digests are kept.
const returnDigests = 9

// markReturn is mark for a return.
func (a *Allocator) markReturn(s *scratch, r *Return, into *reservation.Change) {
	lines, err := a.resolve(s, r.Lines)
	if len(r.Lines) > 0 && err != nil || checkPart(r.Part) != nil {
		return
	}
	first := uint64(r.As) + returnDigests
	former, _ := a.ledger.Former(first, 0)
	into.Print = digestLines(digestName(a.ledger.Digest(first), r.Reservation, r.Part).AddString(r.Location), lines)
	into.Former = digestLines(digestFormerName(former, r.Reservation, r.Part).AddString(r.Location), lines)
	if r.Part > 0 {
		into.FormerName = digestLines(digestFormerName(a.ledger.Digest(first), r.Reservation, r.Part).AddString(r.Location), lines)
	}
}
