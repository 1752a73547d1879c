package bench

import (
	"math/rand/v2"
	"slices"
	"strconv"

	"github.com/clickcollect/clickcollect/allocator"
	"github.com/clickcollect/clickcollect/geo"
)

// poolSize is how many different orders a run has. They are sent over and
// over under new IDs; laid out one after the other, they cost the caller
// little more than a fresh request would.
const poolSize = 1 << 14

// orderPool is the drawn orders, without IDs, and the SKU numbers of their
// lines. It is never written after newOrderPool.
type orderPool struct {
	orders []allocator.Order
	skus   [][]int32
}

// Draw draws the world and the orders of a case, without IDs, as Run sends them over
// and over: for a suite of its own. Only what the case says of the world and of the
// orders counts, not how they are sent.
func Draw(c Config) (*World, []allocator.Order, error) {
	c = c.withDefaults()
	if err := c.validate(); err != nil {
		return nil, nil, err
	}
	w := newWorld(c)
	return w, newOrderPool(w, poolSize).orders, nil
}

// newOrderPool draws n orders for w.
func newOrderPool(w *World, n int) *orderPool {
	c := w.config
	random := rand.New(rand.NewPCG(c.Seed, 2))
	popular, sizes := newZipf(c.SKUs, c.Zipf), newZipf(len(w.towns), 0.8)
	names := make([]string, c.SKUs)
	for i := range names {
		names[i] = skuName(i)
	}
	p := &orderPool{orders: make([]allocator.Order, n), skus: make([][]int32, n)}
	lines := make([]allocator.Line, 0, n*c.MaxLines)
	skus := make([]int32, 0, n*c.MaxLines)
	for i := range p.orders {
		from := len(lines)
		for k := range c.MinLines + random.IntN(c.MaxLines-c.MinLines+1) {
			sku := 0
			switch {
			case c.AbsentSKU && k == 0:
				sku = c.absent()
			case !c.OneSKU:
				sku = popular.draw(random)
			}
			lines = append(lines, allocator.Line{SKU: names[sku], Quantity: int64(1 + random.IntN(c.MaxQuantity))})
			skus = append(skus, int32(sku))
		}
		p.skus[i] = skus[from:len(skus):len(skus)]
		o := &p.orders[i]
		o.Lines = lines[from:len(lines):len(lines)]
		if c.AtSea {
			o.Near = geo.Point{Lat: sea.Lat + random.Float64(), Lon: sea.Lon + random.Float64()}
			o.MaxDistance = 100_000
			continue
		}
		o.Near = w.place(random, sizes)
	}
	if c.InReach > 0 {
		p.limitReach(w, c.InReach)
	}
	return p
}

// limitReach gives each order the maximum distance that spans k locations,
// plus a metre. The customers are first moved to few enough places that brute
// force is quick.
func (p *orderPool) limitReach(w *World, k int) {
	places := make([]geo.Point, 0, 512)
	reach := make([]geo.Meters, 0, 512)
	distances := make([]float64, len(w.Locations))
	for i := range p.orders {
		o := &p.orders[i]
		if i < cap(places) {
			for j, l := range w.Locations {
				distances[j] = haversine(o.Near.Lat, o.Near.Lon, l.Point.Lat, l.Point.Lon)
			}
			slices.Sort(distances)
			places, reach = append(places, o.Near), append(reach, geo.Meters(distances[k-1]+1))
		}
		o.Near, o.MaxDistance = places[i%len(places)], reach[i%len(places)]
	}
}

// idChunk is how many order IDs are cut from one string.
const idChunk = 1 << 12

// idBytes is the length of an ID, all digits.
const idBytes = 12

// idMaker makes order IDs in ascending order for a few bytes each and almost
// no allocation. Not safe for concurrent use.
type idMaker struct {
	next   uint64
	chunks []string // each of idChunk IDs of idBytes
}

// prepare drops the IDs handed out and makes at least n new ones.
func (m *idMaker) prepare(n int) {
	m.chunks = m.chunks[:0]
	for len(m.chunks)*idChunk < n {
		m.grow()
	}
}

func (m *idMaker) grow() {
	b := make([]byte, 0, idChunk*idBytes)
	var digits [20]byte
	for range idChunk {
		number := strconv.AppendUint(digits[:0], m.next, 10)
		m.next++
		for range idBytes - len(number) {
			b = append(b, '0')
		}
		b = append(b, number...)
	}
	m.chunks = append(m.chunks, string(b))
}

// at returns the i-th ID since prepare. It makes more when they run out,
// which a timed pass meets only if it is much faster than the one before.
func (m *idMaker) at(i int) string {
	for i >= len(m.chunks)*idChunk {
		m.grow()
	}
	from := i % idChunk * idBytes
	return m.chunks[i/idChunk][from : from+idBytes]
}
