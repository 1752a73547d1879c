package geo

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"
)

// market is locations and customers drawn from the same towns.
type market struct {
	index     *Index
	points    []Point
	customers []Point
	kd        *plainTree
}

// markets are drawn when they are first asked for.
var markets = map[int]func() *market{
	100: drawMarket(100), 1000: drawMarket(1000), 10_000: drawMarket(10_000), 100_000: drawMarket(100_000),
}

func drawMarket(n int) func() *market {
	return sync.OnceValue(func() *market {
		r := rand.New(rand.NewPCG(11, uint64(n)))
		t := newTowns(r, 20+n/20)
		m := &market{points: t.points(r, n), customers: t.points(r, 1<<15)}
		var err error
		if m.index, err = NewIndex(m.points, nil); err != nil {
			panic(err)
		}
		m.kd = newPlainTree(m.points)
		return m
	})
}

// measure times run for each customer in turn and reports p50 and p99 of single
// operations, without the cost of reading the clock.
func measure(b *testing.B, customers []Point, run func(p Point)) {
	clock := make([]int64, 2000)
	for i := range clock {
		start := time.Now()
		clock[i] = int64(time.Since(start))
	}
	slices.Sort(clock)
	cost := clock[len(clock)/2]
	samples := make([]int64, 0, 1<<16)
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		start := time.Now()
		run(customers[i&(len(customers)-1)])
		took := int64(time.Since(start)) - cost
		if len(samples) < cap(samples) {
			samples = append(samples, took)
		} else {
			samples[i&(cap(samples)-1)] = took
		}
		i++
	}
	slices.Sort(samples)
	b.ReportMetric(float64(samples[len(samples)/2]), "p50-ns")
	b.ReportMetric(float64(samples[len(samples)*99/100]), "p99-ns")
}

func BenchmarkNearest(b *testing.B) {
	for _, n := range []int{100, 1000, 10_000, 100_000} {
		for _, density := range densities {
			if float64(n)*density < 1 {
				continue
			}
			name := fmt.Sprintf("locations=%d/density=%v%%", n, density*100)
			r := rand.New(rand.NewPCG(12, uint64(n)))
			var mask *bitMask
			m := markets[n]
			b.Run(name+"/impl=geo", func(b *testing.B) {
				m := m()
				mask = drawExactMask(r, n, density)
				var s Search
				measure(b, m.customers, func(p Point) {
					s.Start(m.index, p, mask, 0)
					s.Next()
				})
			})
			b.Run(name+"/impl=kdtree", func(b *testing.B) {
				m := m()
				mask := drawExactMask(r, n, density)
				measure(b, m.customers, func(p Point) { m.kd.nearest(p, mask) })
			})
			if n > 10_000 {
				continue
			}
			b.Run(name+"/impl=brute", func(b *testing.B) {
				m := m()
				mask := drawExactMask(r, n, density)
				measure(b, m.customers, func(p Point) { bruteNearest(m.index, p, mask) })
			})
		}
	}
}

// drawExactMask is drawMask without needless bits, and with no less than one location.
func drawExactMask(r *rand.Rand, n int, density float64) *bitMask {
	m := newBitMask(n)
	m.set(uint32(r.IntN(n)))
	for i := range n {
		if r.Float64() < density {
			m.set(uint32(i))
		}
	}
	return m
}

func BenchmarkNext(b *testing.B) {
	for _, n := range []int{1000, 100_000} {
		for _, results := range []int{2, 10} {
			b.Run(fmt.Sprintf("locations=%d/density=90%%/results=%d", n, results), func(b *testing.B) {
				m := markets[n]()
				mask := drawExactMask(rand.New(rand.NewPCG(13, 0)), n, 0.9)
				var s Search
				measure(b, m.customers, func(p Point) {
					s.Start(m.index, p, mask, 0)
					for range results {
						s.Next()
					}
				})
			})
		}
	}
}

func BenchmarkStartList(b *testing.B) {
	m := markets[10_000]()
	list := make([]uint32, 48)
	for i := range list {
		list[i] = uint32(i * 200)
	}
	b.Run("locations=10000/listed=48", func(b *testing.B) {
		var s Search
		measure(b, m.customers, func(p Point) {
			s.StartList(m.index, p, list, 0)
			s.Next()
		})
	})
}

func BenchmarkNewIndex(b *testing.B) {
	for _, n := range []int{1000, 10_000, 100_000} {
		b.Run(fmt.Sprintf("locations=%d", n), func(b *testing.B) {
			points := markets[n]().points
			for b.Loop() {
				if _, err := NewIndex(points, nil); err != nil {
					b.Fatal(err)
				}
			}
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			x, err := NewIndex(points, nil)
			if err != nil {
				b.Fatal(err)
			}
			runtime.GC()
			runtime.ReadMemStats(&after)
			b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(n), "B/location")
			b.ReportMetric(float64(len(x.grid.cells))/float64(n), "cells/location")
			runtime.KeepAlive(x)
		})
	}
}

func BenchmarkDistance(b *testing.B) {
	m := markets[1000]()
	i := 0
	for b.Loop() {
		Distance(m.customers[i&1023], m.points[i%1000])
		i++
	}
}

// bruteNearest is the baseline without an index.
func bruteNearest(x *Index, p Point, m *bitMask) (best uint32) {
	v, far := p.vector(), math.Inf(1)
	for n := range x.places {
		if m.has(uint32(n)) {
			if d := chord2(v, x.places[n].at); d < far {
				best, far = uint32(n), d
			}
		}
	}
	return best
}

// plainTree is the baseline that a good engineer writes in a day: a k-d tree on
// unit vectors. It asks the mask about each location that is nearer than the
// best so far.
type plainTree struct {
	nodes []plainNode
	root  int32
}

type plainNode struct {
	at          [3]float64
	number      uint32
	axis        int8
	left, right int32
}

func newPlainTree(points []Point) *plainTree {
	t := &plainTree{}
	items := make([]plainNode, len(points))
	for i, p := range points {
		v := p.vector()
		items[i] = plainNode{at: [3]float64{v.x, v.y, v.z}, number: uint32(i)}
	}
	t.root = t.build(items, 0)
	return t
}

func (t *plainTree) build(items []plainNode, axis int8) int32 {
	if len(items) == 0 {
		return -1
	}
	slices.SortFunc(items, func(a, b plainNode) int {
		if a.at[axis] < b.at[axis] {
			return -1
		} else if a.at[axis] > b.at[axis] {
			return 1
		}
		return 0
	})
	mid := len(items) / 2
	at := int32(len(t.nodes))
	t.nodes = append(t.nodes, items[mid])
	t.nodes[at].axis = axis
	left := t.build(items[:mid], (axis+1)%3)
	right := t.build(items[mid+1:], (axis+1)%3)
	t.nodes[at].left, t.nodes[at].right = left, right
	return at
}

func (t *plainTree) nearest(p Point, m *bitMask) uint32 {
	v := p.vector()
	q := plainQuery{tree: t, at: [3]float64{v.x, v.y, v.z}, mask: m, far: math.Inf(1)}
	q.visit(t.root)
	return q.best
}

type plainQuery struct {
	tree *plainTree
	at   [3]float64
	mask *bitMask
	far  float64
	best uint32
}

func (q *plainQuery) visit(i int32) {
	if i < 0 {
		return
	}
	n := &q.tree.nodes[i]
	dx, dy, dz := q.at[0]-n.at[0], q.at[1]-n.at[1], q.at[2]-n.at[2]
	if d := dx*dx + dy*dy + dz*dz; d < q.far && q.mask.has(n.number) {
		q.far, q.best = d, n.number
	}
	side := q.at[n.axis] - n.at[n.axis]
	near, other := n.left, n.right
	if side > 0 {
		near, other = other, near
	}
	q.visit(near)
	if side*side <= q.far {
		q.visit(other)
	}
}
