package reservation

import (
	"math"
	"strings"
	"sync/atomic"

	"github.com/puzpuzpuz/xsync/v3"

	"github.com/clickcollect/clickcollect/reservation/internal/book"
)

// Names of SKUs that no shopper sees have a zero byte: at the beginning, what a
// location has besides goods, a resource, such as a pickup window of which there
// are so many places; after the name of another SKU, a part of that SKU's stock
// with cells of its own, a sub-SKU, such as a lot or what is set aside for a
// channel.
const classMark = "\x00"

// isResource stands for a base in classes.of.
const isResource = math.MaxUint32

// classes says what kind of SKU a handle stands for. Reading takes no lock. Safe
// for concurrent use.
type classes struct {
	some atomic.Bool // there are any but plain ones
	of   *xsync.MapOf[uint32, uint32]
	subs *xsync.MapOf[uint32, []uint32]
}

func newClasses() *classes {
	return &classes{of: xsync.NewMapOf[uint32, uint32](), subs: xsync.NewMapOf[uint32, []uint32]()}
}

// baseName is the name of the SKU that a sub-SKU is a part of.
func baseName(name string) (base string, sub bool) {
	base, _, sub = strings.Cut(name, classMark)
	return base, sub && base != ""
}

// note classes a new SKU. Its base, if it has one, is there.
func (k *classes) note(skus *names, sku uint32, name string) {
	if strings.HasPrefix(name, classMark) {
		k.of.Store(sku, isResource)
		k.some.Store(true)
		return
	}
	base, sub := baseName(name)
	if !sub {
		return
	}
	handle, ok := skus.find(base)
	if !ok {
		return
	}
	k.of.Store(sku, handle)
	all, _ := k.subs.Load(handle)
	k.subs.Store(handle, append(all[:len(all):len(all)], sku))
	k.some.Store(true)
}

func (k *classes) resource(sku uint32) bool {
	if k == nil || !k.some.Load() {
		return false
	}
	base, ok := k.of.Load(sku)
	return ok && base == isResource
}

func (k *classes) base(sku uint32) uint32 {
	if !k.some.Load() {
		return sku
	}
	if base, ok := k.of.Load(sku); ok && base != isResource {
		return base
	}
	return sku
}

// special reports whether a SKU is not a plain one.
func (k *classes) special(sku uint32) bool {
	if !k.some.Load() {
		return false
	}
	_, ok := k.of.Load(sku)
	return ok
}

// any reports whether a line of an entry is of another SKU than a plain one.
func (k *classes) any(e *book.Entry) bool {
	if !k.some.Load() {
		return false
	}
	for i := range e.Lines {
		if _, ok := k.of.Load(e.Lines[i].SKU); ok {
			return true
		}
	}
	return false
}

// firm is how many units of goods are confirmed; of an entry that has no goods, of
// resources.
func (k *classes) firm(e *book.Entry) int64 {
	all, goods, some := int64(0), int64(0), false
	for i := range e.Lines {
		n := int64(e.Lines[i].Confirmed)
		all += n
		if !k.resource(e.Lines[i].SKU) {
			goods, some = goods+n, true
		}
	}
	if !some {
		return all
	}
	return goods
}

// Resource reports whether a SKU stands for something that a location has besides
// goods, and that goes with a reservation: its name begins with a zero byte.
func (l *Ledger) Resource(sku uint32) bool { return l.classes.resource(sku) }

// Base is the SKU of which a sub-SKU is a part, named before the zero byte in its
// name; any other SKU is its own base.
func (l *Ledger) Base(sku uint32) uint32 { return l.classes.base(sku) }

// Subs is the sub-SKUs of a SKU, ascending; nil when it has none, as most. It
// must not be changed.
func (l *Ledger) Subs(sku uint32) []uint32 {
	if !l.classes.some.Load() {
		return nil
	}
	subs, _ := l.classes.subs.Load(sku)
	return subs
}
