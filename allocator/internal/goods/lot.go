package goods

import (
	"cmp"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/clickcollect/clickcollect/reservation"
)

// Lot is units of a SKU that came with one expiry date. They are good through that day,
// in UTC.
type Lot struct {
	ID      string
	Expires time.Time // the day, in UTC; the hour does not count
}

// The units of a lot have a cell of their own, that of the sub-SKU whose name ends
// in the day of expiry and the lot, "2026-11-30/A17". So the names of a SKU's lots
// ascend by expiry, and the movements of the SKU itself, which the ledger spreads
// over them, go by it too.

// maxStale is how many lots of a SKU that have expired are looked at besides the
// good ones, so that a refusal can say that what is there is too old.
const maxStale = 8

// LotName is the name of the cells of a lot of a SKU.
func LotName(sku string, lot Lot) string {
	return reservation.LotName(sku, lot.Expires.UTC().Format(time.DateOnly)+"/"+lot.ID)
}

// LotOf reads what LotName wrote; false if it is another name.
func LotOf(name string) (lot Lot, ok bool) {
	_, name, ok = reservation.LotOf(name)
	if !ok {
		return lot, false
	}
	day, id, ok := strings.Cut(name, "/")
	expires, err := time.Parse(time.DateOnly, day)
	return Lot{ID: id, Expires: expires}, ok && err == nil
}

// goodUntil is the last moment of a lot's day, in engine time.
func goodUntil(lot Lot) int64 {
	return lot.Expires.UTC().Truncate(24*time.Hour).UnixMilli() + (24 * time.Hour).Milliseconds() - 1
}

// lotList is the lots of a SKU as an order takes them, the first to expire in
// front, made when the SKU had so many sub-SKUs. It is immutable.
type lotList struct {
	subs int
	all  []Source
}

// since leaves lots out that have expired long ago.
func (l lotList) since(now int64) []Source {
	at, _ := slices.BinarySearchFunc(l.all, now, func(s Source, now int64) int { return cmp.Compare(s.Expires, now) })
	return l.all[max(at-maxStale, 0):]
}

// lotsOf is the lots of a SKU. A lot is found from the moment on at which its
// first units can be seen.
func (g *Goods) lotsOf(sku uint32) lotList {
	if !g.lotted.Load() {
		return lotList{}
	}
	subs := g.ledger.Subs(sku)
	if len(subs) == 0 {
		return lotList{}
	}
	if known, ok := g.lots.Load(sku); ok {
		if l := known.(lotList); l.subs == len(subs) {
			return l
		}
	}
	l := lotList{subs: len(subs)}
	for _, sub := range subs {
		if lot, ok := LotOf(g.ledger.SKUName(sub)); ok {
			l.all = append(l.all, Source{SKU: sub, Expires: goodUntil(lot)})
		}
	}
	slices.SortFunc(l.all, func(x, y Source) int {
		return cmp.Or(cmp.Compare(x.Expires, y.Expires), strings.Compare(g.ledger.SKUName(x.SKU), g.ledger.SKUName(y.SKU)))
	})
	g.lots.Store(sku, l)
	return l
}

// Lots walks the lots of a SKU that there ever were, with the cell of each, the first to
// expire in front.
func (g *Goods) Lots(sku uint32) iter.Seq2[Lot, Source] {
	return func(yield func(Lot, Source) bool) {
		for _, s := range g.lotsOf(sku).all {
			if lot, _ := LotOf(g.ledger.SKUName(s.SKU)); !yield(lot, s) {
				return
			}
		}
	}
}

// HasLots reports whether units of a SKU are told apart by lot.
func (g *Goods) HasLots(sku uint32) bool {
	for _, sub := range g.ledger.Subs(sku) {
		if _, _, quota := reservation.QuotaOf(g.ledger.SKUName(sub)); !quota {
			return true
		}
	}
	return false
}

// ExpectLots has orders look for lots from now on. It is called before any of their
// units can be seen.
func (g *Goods) ExpectLots() { g.lotted.Store(true) }
