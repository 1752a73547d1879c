package stock

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// noSafety is the safety stock of worlds that have none.
func noSafety(_, _ uint32) int64 { return 0 }

// unannounced is what a test gives Renumber when nobody but the stock itself
// hands out tables.
func unannounced(*Table) {}

// identity is the numbering in which number and slot are the same.
func identity(n int) []uint32 {
	order := make([]uint32, n)
	for i := range order {
		order[i] = uint32(i)
	}
	return order
}

// shuffled is identity in a random order.
func shuffled(rng *rand.Rand, n int) []uint32 {
	order := identity(n)
	rng.Shuffle(n, func(i, j int) { order[i], order[j] = order[j], order[i] })
	return order
}

// newWorld is a stock over n locations numbered by their slots, with room for
// spare more.
func newWorld(skus, n, spare int) *Stock {
	s := New(skus, noSafety)
	s.Renumber(identity(n), n, spare, unannounced)
	return s
}

// everyNth is the slots 0, step, 2·step ... below n.
func everyNth(n, step int) []uint32 {
	var slots []uint32
	for slot := 0; slot < n; slot += step {
		slots = append(slots, uint32(slot))
	}
	return slots
}

// shapeCase is a row of one shape: its SKU is stocked at every step-th of n
// locations.
type shapeCase struct {
	name    string
	n, step int
	shape   shape
}

// shapeCases has every shape, with and without summaries, on both sides of
// 65,536 numbers and of 4,096.
var shapeCases = []shapeCase{
	{"tiny", 40, 1, sparse},
	{"tinyInMany", 9_000, 300, sparse},
	{"sparse", 9_000, 20, sparse},
	{"sparseCuts", 140_001, 700, sparse},
	{"mid", 9_000, 5, mid},
	{"midSmall", 130, 2, mid},
	{"midCuts", 140_001, 9, mid},
	{"dense", 9_000, 1, dense},
	{"denseSmall", 64, 1, dense},
	{"denseCuts", 140_001, 1, dense},
}

// world is a stock whose SKUs 0 to skus-1 all have rows of the case's shape.
func (c shapeCase) world(t testing.TB, skus int) *Stock {
	t.Helper()
	s := newWorld(skus, c.n, 0)
	for sku := range uint32(skus) {
		s.Ensure(sku, everyNth(c.n, c.step)...)
		if got := s.Table().row(sku).shape; got != c.shape {
			t.Fatalf("%s: shape %d, want %d", c.name, got, c.shape)
		}
	}
	return s
}

// wordLevels is the three levels of words a tree search reads.
type wordLevels interface {
	Word(level, word int) uint64
}

// walk lists what a tree search over the words finds. It may only be asked of
// queries whose plan is not a list.
func walk(q wordLevels, span int) []uint32 {
	var found []uint32
	for w2 := range words(words(words(span))) {
		for b2 := range uint32(64) {
			if q.Word(2, w2)>>b2&1 == 0 {
				continue
			}
			w1 := w2<<6 + int(b2)
			for b1 := range uint32(64) {
				if q.Word(1, w1)>>b1&1 == 0 {
					continue
				}
				w0 := w1<<6 + int(b1)
				for m, b0 := q.Word(0, w0), uint32(0); b0 < 64; b0++ {
					if m>>b0&1 != 0 {
						found = append(found, uint32(w0)<<6+b0)
					}
				}
			}
		}
	}
	return found
}

// sees reports whether the search of a started query finds a number, in the list
// or along the path of summary bits above it, as planned.
func sees(q *Query, number uint32) bool {
	if q.Plan(true) {
		return slices.Contains(q.Numbers(), number)
	}
	return shown(q, number)
}

// shown reports whether every bit on the path to a number is set.
func shown(q wordLevels, number uint32) bool {
	return q.Word(2, int(number>>18))>>(number>>12&63)&1 != 0 &&
		q.Word(1, int(number>>12))>>(number>>6&63)&1 != 0 &&
		q.Word(0, int(number>>6))>>(number&63)&1 != 0
}

// checkBits compares every availability bit of the current rows with the cells.
// Nobody may change the stock meanwhile.
func checkBits(t fataler, s *Stock) {
	t.Helper()
	for r := range s.Table().each {
		listedCells := int32(0)
		for n, pos := range r.each {
			w, _ := r.load(pos)
			switch {
			case w.state == busy || w.state == moved:
				t.Fatalf("sku %d number %d: cell left in state %d", r.sku, n, w.state)
			case w.reachable() > 0 && w.state != listed:
				t.Fatalf("sku %d number %d: stock hidden: %d available and %d pending in an unlisted cell", r.sku, n, w.available, w.pending)
			case w.state == unlisted:
				continue
			}
			listedCells++
			if r.present(n>>6)>>(n&63)&1 == 0 || !r.isListed(n) || r.listedOf(n>>6, 1<<(n&63)) == 0 {
				t.Fatalf("sku %d number %d: stock hidden: a listed cell without its bit", r.sku, n)
			}
			if r.sum1 != nil && (r.sum1[n>>12].Load()>>(n>>6&63)&1 == 0 || r.sum2[n>>18].Load()>>(n>>12&63)&1 == 0) {
				t.Fatalf("sku %d number %d: stock hidden: a summary bit above a listed cell is missing", r.sku, n)
			}
		}
		if got := r.listedNow.Load(); got != listedCells {
			t.Fatalf("sku %d: counts %d listed cells, has %d", r.sku, got, listedCells)
		}
	}
}

// fataler is what testing.TB and rapid.T have in common here.
type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}
