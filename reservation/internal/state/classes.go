package state

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
// ClassMark is that byte.
const ClassMark = "\x00"

// isResource stands for a base in Classes.of.
const isResource = math.MaxUint32

// Classes says what kind of SKU a handle stands for. Reading takes no lock. Safe
// for concurrent use.
type Classes struct {
	some atomic.Bool // there are any but plain ones
	of   *xsync.MapOf[uint32, uint32]
	subs *xsync.MapOf[uint32, []uint32]
}

func newClasses() *Classes {
	return &Classes{of: xsync.NewMapOf[uint32, uint32](), subs: xsync.NewMapOf[uint32, []uint32]()}
}

// BaseName is the name of the SKU that a sub-SKU is a part of.
func BaseName(name string) (base string, sub bool) {
	base, _, sub = strings.Cut(name, ClassMark)
	return base, sub && base != ""
}

// note classes a new SKU. Its base, if it has one, is there.
func (k *Classes) note(skus *Names, sku uint32, name string) {
	if strings.HasPrefix(name, ClassMark) {
		k.of.Store(sku, isResource)
		k.some.Store(true)
		return
	}
	base, sub := BaseName(name)
	if !sub {
		return
	}
	handle, ok := skus.Find(base)
	if !ok {
		return
	}
	k.of.Store(sku, handle)
	all, _ := k.subs.Load(handle)
	k.subs.Store(handle, append(all[:len(all):len(all)], sku))
	k.some.Store(true)
}

// Resource reports whether a SKU is something that a location has besides goods.
func (k *Classes) Resource(sku uint32) bool {
	if k == nil || !k.some.Load() {
		return false
	}
	base, ok := k.of.Load(sku)
	return ok && base == isResource
}

// Base is the SKU of which a sub-SKU is a part; any other is its own.
func (k *Classes) Base(sku uint32) uint32 {
	if !k.some.Load() {
		return sku
	}
	if base, ok := k.of.Load(sku); ok && base != isResource {
		return base
	}
	return sku
}

// Special reports whether a SKU is not a plain one.
func (k *Classes) Special(sku uint32) bool {
	if !k.some.Load() {
		return false
	}
	_, ok := k.of.Load(sku)
	return ok
}

// Any reports whether a line of an entry is of another SKU than a plain one.
func (k *Classes) Any(e *book.Entry) bool {
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

// Firm is how many units of goods are confirmed; of an entry that has no goods, of
// resources.
func (k *Classes) Firm(e *book.Entry) int64 {
	all, goods, some := int64(0), int64(0), false
	for i := range e.Lines {
		n := int64(e.Lines[i].Confirmed)
		all += n
		if !k.Resource(e.Lines[i].SKU) {
			goods, some = goods+n, true
		}
	}
	if !some {
		return all
	}
	return goods
}

// Subs is the sub-SKUs of a SKU, ascending; nil when it has none, as most. It must
// not be changed.
func (k *Classes) Subs(sku uint32) []uint32 {
	if !k.some.Load() {
		return nil
	}
	subs, _ := k.subs.Load(sku)
	return subs
}
