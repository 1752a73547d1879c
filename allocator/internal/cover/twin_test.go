package cover

import (
	"math/bits"
	"math/rand/v2"
)

// A trial is an assignment of every line, with what orders it among others.
type trial struct {
	found      bool
	by         []int
	cost       int64
	left, used int
	opened     [16]bool
}

// enumerate looks at every assignment of lines to candidates there is and
// returns the best in the order that Solve promises.
func enumerate(p *Problem) trial {
	var best trial
	by := make([]int, p.Lines)
	var walk func(i int)
	walk = func(i int) {
		if i == p.Lines {
			if t, ok := judge(p, by); ok && (!best.found || t.before(&best)) {
				t.by = append(best.by[:0], by...)
				best = t
			}
			return
		}
		if p.Missing != nil && p.Missing[i] >= 0 {
			by[i] = -1
			walk(i + 1)
		}
		for j, c := range p.Candidates {
			if c.Lines>>i&1 != 0 {
				by[i] = j
				walk(i + 1)
			}
		}
	}
	walk(0)
	return best
}

// judge prices an assignment and checks the rules it has to keep.
func judge(p *Problem, by []int) (trial, bool) {
	t := trial{found: true, by: by}
	for i, j := range by {
		if j < 0 {
			t.left++
			t.cost += p.Missing[i]
			continue
		}
		if !t.opened[j] {
			t.opened[j] = true
			t.used++
			t.cost += p.Candidates[j].Fixed
		}
		if prices := p.Candidates[j].Prices; prices != nil {
			t.cost += prices[i]
		}
	}
	if p.Most > 0 && t.used > p.Most {
		return t, false
	}
	for _, group := range p.Together {
		first := -2
		for rest := group; rest != 0; rest &= rest - 1 {
			j := by[bits.TrailingZeros64(rest)]
			if first == -2 {
				first = j
			}
			if j != first {
				return t, false
			}
		}
	}
	return t, true
}

// before is the order of assignments, down to who fills which line.
func (t *trial) before(u *trial) bool {
	switch {
	case t.cost != u.cost:
		return t.cost < u.cost
	case t.left != u.left:
		return t.left < u.left
	case t.used != u.used:
		return t.used < u.used
	}
	for j := range t.opened {
		if t.opened[j] != u.opened[j] {
			return t.opened[j]
		}
	}
	for i := range t.by {
		if t.by[i] != u.by[i] {
			return t.by[i] >= 0 && (u.by[i] < 0 || t.by[i] < u.by[i])
		}
	}
	return false
}

// draw makes a problem of up to so many candidates and lines in which ties,
// groups, limits and penalties are all frequent. It has no more than so many
// assignments.
func draw(rng *rand.Rand, candidates, lines int, assignments float64) *Problem {
	k, n := 1+rng.IntN(lines), rng.IntN(candidates+1)
	p := &Problem{Lines: k, Candidates: make([]Candidate, n)}
	density := 20 + rng.IntN(80)
	fixed, price := int64(1+rng.IntN(3)*rng.IntN(60)), int64(1+rng.IntN(3)*rng.IntN(30))
	priced := rng.IntN(3)
	for j := range p.Candidates {
		c := &p.Candidates[j]
		c.Fixed = rng.Int64N(fixed)
		for i := range k {
			if rng.IntN(100) < density {
				c.Lines |= 1 << i
			}
		}
		if priced == 2 || priced == 1 && rng.IntN(2) == 0 {
			c.Prices = make([]int64, k)
			for i := range c.Prices {
				c.Prices[i] = rng.Int64N(price)
				if c.Lines>>i&1 == 0 {
					c.Prices[i] = -1 // nobody may look at it
				}
			}
		}
	}
	if rng.IntN(3) == 0 {
		p.Most = 1 + rng.IntN(4)
	}
	if rng.IntN(3) == 0 {
		for range 1 + rng.IntN(3) {
			p.Together = append(p.Together, rng.Uint64()&rng.Uint64()&rng.Uint64()&allOf(k))
		}
	}
	if rng.IntN(3) == 0 {
		p.Missing = make([]int64, k)
		for i := range p.Missing {
			p.Missing[i] = rng.Int64N(fixed+price) - rng.Int64N(2)
		}
	}
	thin(rng, p, assignments)
	return p
}

// thin takes lines from candidates until a problem has few enough assignments.
func thin(rng *rand.Rand, p *Problem, assignments float64) {
	for {
		product := 1.0
		for i := range p.Lines {
			ways := 0.0
			if p.Missing != nil && p.Missing[i] >= 0 {
				ways++
			}
			for j := range p.Candidates {
				ways += float64(p.Candidates[j].Lines >> i & 1)
			}
			product *= max(1, ways)
		}
		if product <= assignments {
			return
		}
		p.Candidates[rng.IntN(len(p.Candidates))].Lines &^= 1 << rng.IntN(p.Lines)
	}
}

// twin is a branch and bound of another kind: line by line, the line with the
// fewest candidates first, cut by the shares still to pay. It knows no tie
// breaks and returns the least cost, or -1.
type twin struct {
	p     *Problem
	order []int
	share []int64 // by line, see spread
	best  int64
	nodes int
}

func (t *twin) solve(p *Problem, limit int) (int64, bool) {
	*t = twin{p: p, best: -1, nodes: limit}
	for i := range p.Lines {
		t.order = append(t.order, i)
	}
	ways := func(i int) (n int) {
		for _, c := range p.Candidates {
			n += int(c.Lines >> i & 1)
		}
		return n
	}
	for a := range t.order {
		for b := range a {
			if ways(t.order[a]) < ways(t.order[b]) {
				t.order[a], t.order[b] = t.order[b], t.order[a]
			}
		}
	}
	for i := range p.Lines {
		t.share = append(t.share, t.spread(i))
	}
	t.walk(0, 0, 0)
	return t.best, t.nodes > 0
}

// spread is the least a line can cost if the fixed cost of a candidate is spread
// evenly over all it can fill, rounded down.
func (t *twin) spread(i int) int64 {
	least := int64(1) << 60
	if t.p.Missing != nil && t.p.Missing[i] >= 0 {
		least = t.p.Missing[i]
	}
	for _, c := range t.p.Candidates {
		if c.Lines>>i&1 != 0 {
			least = min(least, c.Fixed/int64(bits.OnesCount64(c.Lines))+price(&c, i))
		}
	}
	return least
}

func price(c *Candidate, i int) int64 {
	if c.Prices == nil {
		return 0
	}
	return c.Prices[i]
}

// walk fixes the lines from depth d on. A line costs at least its share, unless
// a candidate that is paid for already takes it at its price.
func (t *twin) walk(d int, opened uint64, cost int64) {
	t.nodes--
	if t.nodes <= 0 {
		return
	}
	if d == t.p.Lines {
		if t.best < 0 || cost < t.best {
			t.best = cost
		}
		return
	}
	bound := cost
	for _, i := range t.order[d:] {
		least := t.share[i]
		for rest := opened; rest != 0; rest &= rest - 1 {
			if c := &t.p.Candidates[bits.TrailingZeros64(rest)]; c.Lines>>i&1 != 0 {
				least = min(least, price(c, i))
			}
		}
		bound += least
	}
	if t.best >= 0 && bound >= t.best {
		return
	}
	i := t.order[d]
	for j := range t.p.Candidates {
		c := &t.p.Candidates[j]
		if c.Lines>>i&1 == 0 {
			continue
		}
		extra := price(c, i)
		if opened>>j&1 == 0 {
			if t.p.Most > 0 && bits.OnesCount64(opened) == t.p.Most {
				continue
			}
			extra += c.Fixed
		}
		t.walk(d+1, opened|1<<j, cost+extra)
	}
	if t.p.Missing != nil && t.p.Missing[i] >= 0 {
		t.walk(d+1, opened, cost+t.p.Missing[i])
	}
}

// sweep is a third way, for any number of candidates: it takes them one by one
// and keeps, by how many are used and which lines are filled, the least cost.
// Groups are none of its business. It returns -1 if there is no assignment.
func sweep(p *Problem) int64 {
	const none = int64(1) << 60
	most := p.Lines
	if p.Most > 0 {
		most = min(most, p.Most)
	}
	full := 1<<p.Lines - 1
	table := make([][]int64, most+1)
	for u := range table {
		table[u] = make([]int64, full+1)
		for set := range table[u] {
			table[u][set] = none
		}
	}
	table[0][0] = 0
	mine := make([]int64, full+1)
	for _, c := range p.Candidates {
		for u := most; u > 0; u-- {
			for set := range mine {
				mine[set] = min(none, table[u-1][set]+c.Fixed)
			}
			for i := range p.Lines {
				for set := full; set >= 0 && c.Lines>>i&1 != 0; set-- {
					if set>>i&1 != 0 {
						mine[set] = min(mine[set], mine[set&^(1<<i)]+price(&c, i))
					}
				}
			}
			for set := range mine {
				table[u][set] = min(table[u][set], mine[set])
			}
		}
	}
	best := none
	for _, row := range table {
		for set, cost := range row {
			for rest := uint64(full &^ set); rest != 0; rest &= rest - 1 {
				i := bits.TrailingZeros64(rest)
				if p.Missing == nil || p.Missing[i] < 0 {
					cost = none
				} else {
					cost += p.Missing[i]
				}
			}
			best = min(best, cost)
		}
	}
	if best >= none {
		return -1
	}
	return best
}
