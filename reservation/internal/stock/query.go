package stock

import (
	"math"
	"math/bits"
)

// Filter restricts a search to some numbers, with the same two summary levels
// as the rows. It is immutable.
type Filter struct {
	levels [3][]uint64
	count  int
}

// Filter returns the filter that passes the numbers for which pass is true, out
// of the first n.
func (t *Table) Filter(n int, pass func(number uint32) bool) *Filter {
	f := &Filter{}
	for level, size := 0, n; level < 3; level++ {
		size = words(size)
		f.levels[level] = make([]uint64, size)
	}
	for number := range uint32(n) {
		if pass(number) {
			f.count++
			f.levels[0][number>>6] |= 1 << (number & 63)
			f.levels[1][number>>12] |= 1 << (number >> 6 & 63)
			f.levels[2][number>>18] |= 1 << (number >> 12 & 63)
		}
	}
	return f
}

// Count is how many numbers pass.
func (f *Filter) Count() int { return f.count }

// Query is one order's search and claim: which locations have something of
// every line, and the atomic taking of all lines at one of them. The zero value
// is ready; a Query is reused, and used by one goroutine at a time.
//
// Bound: the plan reads the lines' summaries once; a list holds at most the
// listed locations of the rarest line.
type Query struct {
	stock  *Stock
	table  *Table
	filter *Filter
	lines  []claimLine // ascending SKUs, no SKU twice
	rare   []*row      // the lines' rows, the rarest first
	counts []int32
	list   []uint32
	// cursors is where each of rare's sparse rows stands in its keys while
	// Numbers goes through the words in ascending order.
	cursors []int
	budget  int     // words a search may still read
	share   float64 // of all locations, how many can be expected to have every line
}

// Start begins a query over a table for lines with ascending, distinct SKUs;
// filter nil lets every location pass. It returns the index of the first line
// that is stocked nowhere, or -1.
func (q *Query) Start(s *Stock, t *Table, lines []Line, filter *Filter) int {
	q.stock, q.table, q.filter = s, t, filter
	q.lines, q.rare, q.counts = room(q.lines, len(lines)), q.rare[:0], q.counts[:0]
	q.budget = math.MaxInt
	total := float64(t.Space.used.Load())
	q.share = 1
	if filter != nil {
		q.share = float64(filter.count) / total
	}
	for i := range lines {
		r := t.row(lines[i].SKU)
		if r == nil {
			q.lines = q.lines[:i]
			return i
		}
		q.lines[i].Line, q.lines[i].row = lines[i], r
		n := r.listedNow.Load()
		if n <= 0 {
			q.lines = q.lines[:i+1]
			return i
		}
		q.share *= float64(n) / total
		at := len(q.rare)
		q.rare, q.counts = append(q.rare, r), append(q.counts, n)
		for ; at > 0 && q.counts[at-1] > n; at-- {
			q.rare[at], q.counts[at] = q.rare[at-1], q.counts[at-1]
		}
		q.rare[at], q.counts[at] = r, n
	}
	return -1
}

// Reset drops what the query refers to.
func (q *Query) Reset() {
	clear(q.lines)
	clear(q.rare)
	q.table, q.filter = nil, nil
	q.lines, q.rare = q.lines[:0], q.rare[:0]
}

// Common reports whether at least half of all locations can be expected to have
// something of every line. Then it is cheaper to try the nearest locations one
// after the other than to read the bits: they are k more cache lines that
// nothing else needs, and the cells are read in any case.
func (q *Query) Common() bool { return q.share >= 0.5 && q.filter == nil }

// Rare reports whether at most one location in twenty has something of the
// rarest line.
func (q *Query) Rare() bool {
	return int(q.counts[0])*20 <= int(q.table.Space.used.Load())
}

// Limits of the plan, in words of 64 locations that may hold a match.
const (
	listWords = 12 // so few are listed at once
	moreWords = 48 // a search with good prospects may always read so many
)

// Plan decides how to find the locations that have something of every line. It
// returns true if they should be listed (Numbers): there are few of them, or
// few words in which they can be. Otherwise they should be searched for with
// the bits (Word), within a budget: a search that has read so many words and
// found nothing near stops finding anything, Exhausted says so, and the answer
// is to be had from the list. To read a word on the way to the nearest costs
// about ten times what it costs in the list. So lines that are seldom in one
// place together cost little more than the list, and lines that always are cost
// the search, whatever the product of their shares lets expect. A walk, which
// wants more than the nearest, has no budget.
func (q *Query) Plan(walk bool) (list bool) {
	q.budget = math.MaxInt
	if q.counts[0] <= tinyCells || (q.filter != nil && q.filter.count <= tinyCells) {
		return true
	}
	for _, r := range q.rare {
		if r.sum1 == nil {
			return true
		}
	}
	if walk || len(q.rare) == 1 && q.filter == nil {
		return false
	}
	candidates := 0
	for word := range q.rare[0].sum1 {
		candidates += bits.OnesCount64(q.summary(1, word))
	}
	if expected := q.share * float64(q.table.Space.used.Load()); expected >= listBelow {
		q.budget = moreWords + min(candidates/8, int(6*float64(candidates)/expected))
	} else {
		q.budget = min(max(candidates/16, listWords), moreWords)
	}
	return candidates <= listWords
}

// listBelow is the number of expected matches from which on a search is
// promising.
const listBelow = 8

// Exhausted reports whether the search has used up its budget: what it found
// since is void.
func (q *Query) Exhausted() bool { return q.budget < 0 }

// Word is the mask of the search: bit i of word w at a level says whether block
// w*64+i may hold a location with something of every line. Level 0 has a bit for
// each number, level 1 for 64, level 2 for 4,096.
func (q *Query) Word(level, word int) uint64 {
	if q.budget < 0 {
		return 0
	}
	m := ^uint64(0)
	if q.filter != nil {
		if m = q.filter.Word(level, word); m == 0 {
			return 0
		}
	}
	switch level {
	case 0:
		if q.budget--; q.budget < 0 {
			return 0
		}
		return q.numbersIn(uint32(word), m)
	case 1:
		for _, r := range q.rare {
			if word >= len(r.sum1) {
				return 0
			}
			if m &= r.sum1[word].Load(); m == 0 {
				return 0
			}
		}
	default:
		for _, r := range q.rare {
			if word >= len(r.sum2) {
				return 0
			}
			if m &= r.sum2[word].Load(); m == 0 {
				return 0
			}
		}
	}
	return m
}

// numbersIn keeps of m the numbers of a word with every line listed. It asks the
// cells of rows without listed bits only about what the others leave over.
func (q *Query) numbersIn(word uint32, m uint64) uint64 {
	if int(word)<<6 >= q.table.Space.span {
		return 0
	}
	for _, r := range q.rare {
		// Half of the words of a row at one in a hundred hold no number: the
		// summary bit tells sooner than the search in the keys.
		if r.shape == sparse && r.sum1 != nil && r.sum1[word>>6].Load()>>(word&63)&1 == 0 {
			return 0
		}
		if m &= r.present(word); m == 0 {
			return 0
		}
	}
	return q.refine(word, m)
}

// refine keeps the numbers whose cells are listed, as far as that is not known
// from bits. It leaves rows alone nearly all cells of which are listed: the
// claim finds out, and the search saves a cold cache line for each.
func (q *Query) refine(word uint32, m uint64) uint64 {
	for i, r := range q.rare {
		if m != 0 && r.shape != dense && int(q.counts[i])*16 < r.cells()*15 {
			m = r.listedOf(word, m)
		}
	}
	return m
}

// Numbers lists every location with something of every line, in no order. The
// slice is the query's own, good until it starts again.
func (q *Query) Numbers() []uint32 {
	q.list, q.budget = q.list[:0], math.MaxInt
	if q.rare[0].sum1 == nil {
		for n, pos := range q.rare[0].each {
			if w, _ := q.rare[0].load(pos); w.state != unlisted {
				q.consider(n)
			}
		}
		return q.list
	}
	if q.bare() {
		return q.andWords()
	}
	big := q.rare[0]
	q.cursors = append(q.cursors[:0], make([]int, len(q.rare))...)
	for top := range big.sum2 {
		for m2 := q.summary(2, top); m2 != 0; m2 &= m2 - 1 {
			w1 := top<<6 + bits.TrailingZeros64(m2)
			for m1 := q.summary(1, w1); m1 != 0; m1 &= m1 - 1 {
				w0 := w1<<6 + bits.TrailingZeros64(m1)
				for m := q.nextWord(uint32(w0)); m != 0; m &= m - 1 {
					q.list = append(q.list, uint32(w0<<6+bits.TrailingZeros64(m)))
				}
			}
		}
	}
	return q.list
}

// bare reports whether each row has a bit of its own for every number: then the
// words can be and-ed as they are.
func (q *Query) bare() bool {
	for _, r := range q.rare {
		if r.shape == sparse || r.tailLen.Load() != 0 {
			return false
		}
	}
	return q.filter == nil
}

// andWords is Numbers for bare rows. With five lines each at one in ten of
// 100,000 locations it is all there is to do, so the loop over the words is
// plain: two or three loads decide about 64 locations.
func (q *Query) andWords() []uint32 {
	first, rest := q.rare[0], q.rare[1:]
	for w1 := range first.sum1 {
		for m1 := q.summary(1, w1); m1 != 0; m1 &= m1 - 1 {
			w0 := w1<<6 + bits.TrailingZeros64(m1)
			m := first.bits[w0].Load()
			for i := 0; i < len(rest) && m != 0; i++ {
				m &= rest[i].bits[w0].Load()
			}
			if m == 0 {
				continue
			}
			for m = q.refine(uint32(w0), m); m != 0; m &= m - 1 {
				q.list = append(q.list, uint32(w0<<6+bits.TrailingZeros64(m)))
			}
		}
	}
	return q.list
}

// nextWord is like Word(0, word), for words asked for in ascending order: a sparse row
// goes on in its keys from the word before. A binary search for each word and
// row was a quarter of the time of an order for two lines at one in a hundred.
func (q *Query) nextWord(word uint32) uint64 {
	m := ^uint64(0)
	if q.filter != nil {
		m = q.filter.Word(0, int(word))
	}
	for i, r := range q.rare {
		if r.shape == sparse {
			m &= r.keysFrom(word, &q.cursors[i]) | r.tailIn(word)
		} else {
			m &= r.present(word)
		}
		if m == 0 {
			return 0
		}
	}
	return q.refine(word, m)
}

// summary is Word for queries in which some rows are tiny and have none.
func (q *Query) summary(level, word int) uint64 {
	m := ^uint64(0)
	if q.filter != nil {
		m = q.filter.Word(level, word)
	}
	for _, r := range q.rare {
		if r.sum1 == nil {
			continue
		}
		if level == 1 {
			m &= r.sum1[word].Load()
		} else {
			m &= r.sum2[word].Load()
		}
	}
	return m
}

// consider appends a number of the rarest row if the other lines are listed
// there too and the filter passes it.
func (q *Query) consider(number uint32) {
	if q.filter != nil && q.filter.Word(0, int(number>>6))>>(number&63)&1 == 0 {
		return
	}
	for _, r := range q.rare[1:] {
		if !r.isListed(number) {
			return
		}
	}
	q.list = append(q.list, number)
}

// Take takes every line at a location, as pending units: Settle makes it final,
// Undo gives everything back. It returns -1, or the index of a line that is short
// there, and then nothing is taken.
//
// Linearizes at: the last line's CAS (taken), or the load that saw too little of
// the line it names (short). Lines go in ascending SKU order, so waiting for
// pending units has no cycles.
func (q *Query) Take(number uint32) int {
	if at := q.lookup(number); at >= 0 {
		return at
	}
	return takeLines(q.stock, q.lines)
}

// lookup finds the cell of every line at a location, and looks whether it can
// suffice: the loads of all cells are under way at once, while the claim's own
// steps wait for one another, and an order that cannot be filled takes nothing
// that would have to be given back. It returns the first line that is short, or
// -1.
func (q *Query) lookup(number uint32) int {
	for i := range q.lines {
		line := &q.lines[i]
		line.cell = cell{row: line.row, number: number, pos: line.row.find(number)}
		if line.cell.pos < 0 {
			return i
		}
		if !line.row.hasAtOnce(line.cell.pos, line.Quantity, line.Keep) && line.hopeless() {
			return i
		}
	}
	return -1
}

// Settle makes a taken claim final.
func (q *Query) Settle() { settleLines(q.lines) }

// Undo gives everything a claim has taken back.
func (q *Query) Undo() { undoLines(q.lines) }

// Levels appends the units available of each line at a location, those a line
// keeps among them, and reports whether every line could be filled there.
func (q *Query) Levels(number uint32, into []int64) ([]int64, bool) {
	enough := true
	for i := range q.lines {
		line := &q.lines[i]
		var w word
		if pos := line.row.find(number); pos >= 0 {
			c := cell{row: line.row, number: number, pos: pos}
			w = c.read()
		}
		into = append(into, max(w.reachable(), 0))
		enough = enough && w.reachable()-line.Quantity >= line.Keep
	}
	return into, enough
}

// Len is the number of lines.
func (q *Query) Len() int { return len(q.lines) }

// Line is the i-th line.
func (q *Query) Line(i int) Line { return q.lines[i].Line }

// Keep changes what the i-th line keeps, for the locations that are tried from now
// on.
func (q *Query) Keep(i int, units int64) { q.lines[i].Keep = units }

// Bind is Start for a claim at a location known beforehand: no plan is made, and
// a SKU that is available nowhere is found out by Take. False: a SKU has no row.
func (q *Query) Bind(s *Stock, t *Table, lines []Line) bool {
	q.stock, q.table, q.filter = s, t, nil
	q.lines = room(q.lines, len(lines))
	for i := range lines {
		r := t.row(lines[i].SKU)
		if r == nil {
			q.lines = q.lines[:i]
			return false
		}
		q.lines[i].Line, q.lines[i].row = lines[i], r
	}
	return true
}

// Reachable is what a claim can hope for of a SKU at a location number:
// available and pending units.
func (t *Table) Reachable(sku, number uint32) int64 {
	c, ok := t.at(sku, number)
	if !ok {
		return 0
	}
	w := c.read()
	return w.reachable()
}

// Word is a word of the filter's bits at a level, as in Query.Word.
func (f *Filter) Word(level, word int) uint64 {
	if word >= len(f.levels[level]) {
		return 0
	}
	return f.levels[level][word]
}
