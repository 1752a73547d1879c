package allocator

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/clickcollect/clickcollect/reservation"
	"github.com/clickcollect/clickcollect/reservation/lock"
)

// Lot is units of a SKU that came with one expiry date. They are good through
// that day, in UTC. Two lots of a SKU that differ in either field are two.
type Lot struct {
	ID      string    // such as the maker's; 1 to 64 bytes
	Expires time.Time // the day, in UTC; the hour does not count
}

// ShelfLife is how long units of a SKU must be good after they are ready for the
// customer: an order gets none of a lot that expires sooner.
type ShelfLife struct {
	SKU   string        // known or not
	Keeps time.Duration // 0 to 3,660 days, cut to whole milliseconds; 0: until they are ready
}

// The units of a lot have a cell of their own, that of the sub-SKU whose name ends
// in the day of expiry and the lot, "2026-11-30/A17". So the names of a SKU's lots
// ascend by expiry, and the movements of the SKU itself, which the ledger spreads
// over them, go by it too.

const (
	maxLotBytes = 64
	maxShelf    = 3660 * 24 * time.Hour
	// maxStale is how many lots of a SKU that have expired are looked at besides the
	// good ones, so that a refusal can say that what is there is too old.
	maxStale = 8

	dayFormat = time.DateOnly
)

// lotName is a lot in the name of its sub-SKU.
func lotName(lot Lot) string {
	return lot.Expires.UTC().Format(dayFormat) + "/" + lot.ID
}

// takeLot reads what lotName wrote.
func takeLot(name string) (lot Lot, ok bool) {
	day, id, ok := strings.Cut(name, "/")
	expires, err := time.Parse(dayFormat, day)
	return Lot{ID: id, Expires: expires}, ok && err == nil
}

// goodUntil is the last moment of a lot's day, in engine time.
func goodUntil(lot Lot) int64 {
	return millis(lot.Expires.UTC().Truncate(24*time.Hour)) + (24 * time.Hour).Milliseconds() - 1
}

// lotList is the lots of a SKU as an order takes them, the first to expire in
// front, made when the SKU had so many sub-SKUs. It is immutable.
type lotList struct {
	subs int
	all  []source
}

// since leaves lots out that have expired long ago.
func (l lotList) since(now int64) []source {
	at, _ := slices.BinarySearchFunc(l.all, now, func(s source, now int64) int { return cmp.Compare(s.expires, now) })
	return l.all[max(at-maxStale, 0):]
}

// lotsOf is the lots of a SKU. A lot is found from the moment on at which its
// first units can be seen.
func (a *Allocator) lotsOf(sku uint32) lotList {
	if !a.wares.lotted.Load() {
		return lotList{}
	}
	subs := a.ledger.Subs(sku)
	if len(subs) == 0 {
		return lotList{}
	}
	if known, ok := a.wares.lots.Load(sku); ok {
		if l := known.(lotList); l.subs == len(subs) {
			return l
		}
	}
	l := lotList{subs: len(subs)}
	for _, sub := range subs {
		if _, name, ok := reservation.LotOf(a.ledger.SKUName(sub)); ok {
			if lot, ok := takeLot(name); ok {
				l.all = append(l.all, source{sku: sub, expires: goodUntil(lot)})
			}
		}
	}
	slices.SortFunc(l.all, func(x, y source) int {
		return cmp.Or(cmp.Compare(x.expires, y.expires), strings.Compare(a.ledger.SKUName(x.sku), a.ledger.SKUName(y.sku)))
	})
	a.wares.lots.Store(sku, l)
	return l
}

// hasQuotasOf reports whether units of a SKU were ever set aside for a channel.
func (a *Allocator) hasQuotasOf(sku uint32) bool {
	return slices.ContainsFunc(a.ledger.Subs(sku), func(sub uint32) bool {
		_, _, ok := reservation.QuotaOf(a.ledger.SKUName(sub))
		return ok
	})
}

// lotLines checks the lots of a movement and has its lines name them.
func (a *Allocator) lotLines(g *goods, into *reservation.Movement) error {
	if len(g.Lots) == 0 {
		return nil
	}
	for _, sku := range sorted(g.Lots) {
		if err := a.checkLot(fmt.Sprintf("Lots[%s]", quoted(sku)), sku, g.Lots[sku]); err != nil {
			return err
		}
		at := slices.IndexFunc(into.Lines, func(l reservation.MovementLine) bool { return l.SKU == sku })
		if at < 0 {
			return &InvalidError{Field: "Lots", Value: sku, Why: "is not among the lines"}
		}
		if handle, ok := a.ledger.SKU(sku); ok && a.channels.HasQuotasOf(handle) {
			return &InvalidError{Field: fmt.Sprintf("Lots[%s]", quoted(sku)), Value: g.Lots[sku].ID,
				Why: "is of a SKU of which units are set aside for channels: it cannot have lots too"}
		}
		into.Lines[at].SKU = reservation.LotName(sku, lotName(g.Lots[sku]))
	}
	a.wares.lotted.Store(true) // before any of their units can be seen
	return nil
}

func (a *Allocator) checkLot(field, sku string, lot Lot) error {
	invalid := func(name string, value any, why string) error {
		return &InvalidError{Field: field + "." + name, Value: value, Why: why}
	}
	switch year := lot.Expires.UTC().Year(); {
	case lot.Expires.IsZero():
		return invalid("Expires", lot.Expires.String(), "must be a day")
	case year < 1971 || year > 9999:
		return invalid("Expires", lot.Expires.String(), "must be in the years 1971 to 9999")
	case len(lot.ID) > maxLotBytes:
		return invalid("ID", lot.ID[:32]+"…", fmt.Sprintf("is %d bytes long, at most %d are allowed", len(lot.ID), maxLotBytes))
	}
	_, known := a.ledger.SKU(reservation.LotName(sku, lotName(lot)))
	return a.checkKnown(field+".ID", lot.ID, known)
}

// SetShelfLife sets how long units of SKUs must be good after they are ready for
// the customer, all of them or none; of two for a SKU the later counts. It matters
// for units of lots: an order gets them only if they are good until its promise and
// that much longer, and says sourcing.TooOld where it would have to take others.
// What is reserved stays reserved. When it returns, no order is still being served
// by the old ones. A call costs as much as there are SKUs with one, so that many
// are set in one.
//
// Errors: *InvalidError, ErrClosed, ErrNoSpace: nothing was changed. ErrJournal, or
// the end of ctx: whether it lasts is unknown; repeat the call.
func (a *Allocator) SetShelfLife(ctx context.Context, set ...ShelfLife) error {
	if err := a.setShelfLife(ctx, set); err != nil {
		return fmt.Errorf("allocator: set shelf life: %w", err)
	}
	return nil
}

func (a *Allocator) setShelfLife(ctx context.Context, set []ShelfLife) error {
	c, err := a.gate.AdmitSetting(ctx)
	if err != nil {
		return err
	}
	defer c.End()
	t, err := a.limitLives(ctx, c.Now(), set)
	if err != nil {
		return err
	}
	return c.Wait(ctx, t)
}

// limitLives is setShelfLife up to the ticket that is to be waited for.
func (a *Allocator) limitLives(ctx context.Context, now int64, set []ShelfLife) (t reservation.Ticket, err error) {
	if err := a.checkBatch("lives", len(set)); err != nil {
		return t, err
	}
	for i, v := range set {
		if err := a.checkSKU(fmt.Sprintf("lives[%d].SKU", i), v.SKU); err != nil {
			return t, err
		}
		if v.Keeps < 0 || v.Keeps > maxShelf {
			return t, &InvalidError{Field: fmt.Sprintf("lives[%d].Keeps", i), Value: v.Keeps, Why: fmt.Sprintf("must be 0 to %v", maxShelf)}
		}
	}
	if len(set) == 0 {
		return t, nil
	}
	a.wares.setting.Lock(lock.Goods)
	defer a.wares.setting.Unlock()
	next := map[string]int64{}
	if in := a.wares.lives.Load(); in != nil {
		next = maps.Clone(*in)
	}
	notes := make([]reservation.Note, len(set))
	for i, v := range set {
		ms := v.Keeps.Milliseconds()
		notes[i] = reservation.Note{Key: lifeArea + v.SKU, Value: appendLife(ms)}
		if delete(next, v.SKU); ms > 0 {
			next[strings.Clone(v.SKU)] = ms
		}
	}
	return a.publishSettings(ctx, now, notes, func() { a.wares.lives.Store(&next) })
}

// ShelfLives walks what SetShelfLife has set, by SKU.
func (a *Allocator) ShelfLives() iter.Seq[ShelfLife] {
	return func(yield func(ShelfLife) bool) {
		c, err := a.gate.Enter()
		if err != nil {
			return
		}
		defer c.End()
		lives := a.wares.lives.Load()
		if c.LeaveSettled() != nil || lives == nil {
			return
		}
		for _, sku := range slices.Sorted(maps.Keys(*lives)) {
			if !yield(ShelfLife{SKU: sku, Keeps: time.Duration((*lives)[sku]) * time.Millisecond}) {
				return
			}
		}
	}
}

// Lots walks the lots of a SKU of which there are units on hand or held at a
// location, expired ones too, the first to expire in front. What each has is of an
// instant of its own. Units without a lot are in Available, together with these;
// safety stock is kept back from those. There are none of an unknown SKU or
// location, after Close, or when what was read is not known to last.
func (a *Allocator) Lots(sku, location string) iter.Seq2[Lot, Availability] {
	return func(yield func(Lot, Availability) bool) {
		c, err := a.gate.Enter()
		if err != nil {
			return
		}
		defer c.End()
		type level struct {
			lot Lot
			is  Availability
		}
		var all []level
		slot, there := a.ledger.Slot(location)
		if handle, ok := a.goodsSKU(sku); ok && there {
			for _, src := range a.lotsOf(handle).all {
				_, name, _ := reservation.LotOf(a.ledger.SKUName(src.sku))
				lot, _ := takeLot(name)
				if is := a.ledger.Available(src.sku, slot); is.OnHand != 0 || is.Held != 0 {
					all = append(all, level{lot, is})
				}
			}
		}
		if c.LeaveSettled() != nil {
			return
		}
		for _, l := range all {
			if !yield(l.lot, l.is) {
				return
			}
		}
	}
}
