package goods

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/clickcollect/clickcollect/reservation"
	"github.com/clickcollect/clickcollect/reservation/excerpt"
	"github.com/clickcollect/clickcollect/reservation/lock"
)

// MaxLife bounds shelf lives, in milliseconds: 3,660 days.
const MaxLife = 3660 * 24 * 60 * 60 * 1000

// Goods is what is set for all SKUs. Safe for concurrent use.
type Goods struct {
	ledger  *reservation.Ledger
	setting lock.Mutex // one change at a time
	bundles atomic.Pointer[bundles]
	lives   atomic.Pointer[map[string]int64] // by SKU, in milliseconds; nil: none
	lotted  atomic.Bool                      // there are lots of some SKU
	lots    sync.Map                         // lotList by handle of the SKU, made when first needed
}

// Open brings back what a ledger has of goods.
//
// Errors: reservation.ErrCorrupt, reservation.ErrNewer.
func Open(ledger *reservation.Ledger) (*Goods, error) {
	g := &Goods{ledger: ledger}
	given := map[string][]Part{}
	for note := range ledger.Notes(bundleArea) {
		parts, err := takeParts(note.Value)
		if err != nil {
			return nil, fmt.Errorf("note %s: %w", excerpt.Quote(note.Key), err)
		}
		given[note.Key[len(bundleArea):]] = parts
	}
	next, err := newBundles(given, 0)
	if err != nil {
		return nil, fmt.Errorf("bundles: %w: %w", err, reservation.ErrCorrupt)
	}
	g.bundles.Store(next)
	lives := map[string]int64{}
	for note := range ledger.Notes(lifeArea) {
		ms, err := takeLife(note.Value)
		if err != nil {
			return nil, fmt.Errorf("note %s: %w", excerpt.Quote(note.Key), err)
		}
		lives[note.Key[len(lifeArea):]] = ms
	}
	if len(lives) > 0 {
		g.lives.Store(&lives)
	}
	for sku := range uint32(ledger.SKUs()) {
		if _, _, ok := reservation.LotOf(ledger.SKUName(sku)); ok {
			g.lotted.Store(true)
			break
		}
	}
	return g, nil
}

// Change is a change of bundles or of shelf lives that has begun: no other one does
// before End.
type Change struct {
	goods   *Goods
	notes   []reservation.Note
	bundles *bundles
	lives   map[string]int64 // nil: it is one of bundles
}

// Write writes the change down and makes it count. The caller sees to it that no order
// is under way meanwhile, which could otherwise be in the journal behind a change that
// it has not kept to. Errors: as of Ledger.SetNotes; nothing was changed.
func (ch *Change) Write(now int64) (reservation.Ticket, error) {
	t, err := ch.goods.ledger.SetNotes(now, ch.notes...)
	switch {
	case err != nil:
	case ch.lives != nil:
		ch.goods.lives.Store(&ch.lives)
	default:
		ch.goods.bundles.Store(ch.bundles)
	}
	return t, err
}

// End ends the change, written or not.
func (ch *Change) End() { ch.goods.setting.Unlock() }

// Life is how long goods of a SKU must last after they are ready, in milliseconds.
type Life struct {
	SKU    string
	Millis int64 // to MaxLife; 0: none is set
}

// SetLives begins to set how long goods must last, all of them or none; of two for a
// SKU the later counts. End must follow.
func (g *Goods) SetLives(set []Life) *Change {
	g.setting.Lock(lock.Goods)
	next := map[string]int64{}
	if in := g.lives.Load(); in != nil {
		next = maps.Clone(*in)
	}
	notes := make([]reservation.Note, len(set))
	for i, v := range set {
		notes[i] = reservation.Note{Key: lifeArea + v.SKU, Value: appendLife(v.Millis)}
		if delete(next, v.SKU); v.Millis > 0 {
			next[strings.Clone(v.SKU)] = v.Millis
		}
	}
	return &Change{goods: g, notes: notes, lives: next}
}

// Lives walks what SetLives has set, by SKU.
func (g *Goods) Lives() iter.Seq[Life] {
	return func(yield func(Life) bool) {
		lives := g.lives.Load()
		if lives == nil {
			return
		}
		for _, sku := range slices.Sorted(maps.Keys(*lives)) {
			if !yield(Life{sku, (*lives)[sku]}) {
				return
			}
		}
	}
}

// lifeOf is how long goods of a SKU must last after they are ready, in milliseconds.
func (g *Goods) lifeOf(sku string) int64 {
	lives := g.lives.Load()
	if lives == nil {
		return 0
	}
	return (*lives)[sku]
}

// Plain reports whether there are neither bundles nor lots: then a SKU is its one cell.
// It takes no lock.
func (g *Goods) Plain() bool { return g.bundles.Load() == nil && !g.lotted.Load() }

// IsPlain reports whether a SKU is its one cell: no bundle, and without lots.
func (g *Goods) IsPlain(sku string) bool {
	if g.bundles.Load().has(sku) {
		return false
	}
	if !g.lotted.Load() {
		return true
	}
	handle, ok := g.ledger.SKU(sku)
	return !ok || !g.HasLots(handle)
}

// Product is one SKU as customers know it, and the cells its units are taken from, in
// this order, with what an order has to know of it: so that whoever chooses among
// locations asks neither the ledger nor this room.
type Product struct {
	SKU  uint32
	Name string
	Life int64 // how long its units must last after they are ready, in milliseconds
	From []Source
}

// Lasts reports whether units from a cell are good for long enough if the customer has
// them from a time on.
func (p *Product) Lasts(s Source, ready int64) bool {
	return s.Expires == 0 || s.Expires >= ready+p.Life
}

// Source is a cell of a SKU: its own, or that of a quota or a lot of it.
type Source struct {
	SKU     uint32
	Expires int64 // of a lot, the last millisecond at which it is good; 0: never
	Quota   bool  // set aside for the order's channel: protection levels do not count
}

// Product is a SKU with the cells an order may take it from: the quota of its channel,
// if it has one, then lots, the first to expire in front, then what has no date. Lots
// that expired long before now are left out.
func (g *Goods) Product(sku uint32, name string, quota uint32, hasQuota bool, now int64) Product {
	lots := g.lotsOf(sku).since(now)
	from := make([]Source, 0, 2+len(lots))
	if hasQuota {
		from = append(from, Source{SKU: quota, Quota: true})
	}
	from = append(from, lots...)
	return Product{SKU: sku, Name: name, Life: g.lifeOf(name), From: append(from, Source{SKU: sku})}
}
