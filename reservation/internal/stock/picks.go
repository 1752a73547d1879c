package stock

// Pick is a line of a claim over many locations: Quantity units of a SKU from
// its cell at a slot, with Keep as in a Line.
type Pick struct {
	SKU, Slot      uint32
	Quantity, Keep int64
}

// Picks is the claim of an order over many locations: all of its picks or none,
// by the same escrow as a Query's at one. The zero value is ready; it is reused,
// and used by one goroutine at a time.
type Picks struct {
	lines []claimLine
}

// Take takes every pick as pending units: Settle makes it final, Undo gives
// everything back. Picks ascend by SKU, those of a SKU by slot, and name no cell
// twice. It returns -1, or the index of a pick that is short, and then nothing
// is taken. A SKU that has no cell at a slot, and a slot that is not in the
// stock's current numbering, are short.
//
// Linearizes at: as Query.Take.
// Progress: cells are taken in ascending order of SKU and slot. A claim at one
// location, which goes by SKU, keeps to that order too, so whoever holds the
// highest cell of all waits for nobody, whatever claims are under way.
func (p *Picks) Take(s *Stock, picks []Pick) int {
	t := s.Table()
	p.lines = room(p.lines, len(picks))
	var r *row
	for i := range picks {
		pick, line := &picks[i], &p.lines[i]
		if i == 0 || pick.SKU != picks[i-1].SKU {
			r = t.row(pick.SKU)
		}
		number := t.Space.Number(pick.Slot)
		if r == nil || number == None {
			return p.short(i)
		}
		line.SKU, line.Quantity, line.Keep, line.row = pick.SKU, pick.Quantity, pick.Keep, r
		line.cell = cell{row: r, number: number, pos: r.find(number)}
		if line.cell.pos < 0 {
			return p.short(i)
		}
		if !r.hasAtOnce(line.cell.pos, pick.Quantity, pick.Keep) && line.hopeless() {
			return p.short(i)
		}
	}
	at := takeLines(s, p.lines)
	if at >= 0 {
		return p.short(at)
	}
	return -1
}

// short leaves nothing to settle or undo behind a claim that was refused.
func (p *Picks) short(at int) int {
	p.lines = p.lines[:0]
	return at
}

// Settle makes a taken claim final.
func (p *Picks) Settle() { settleLines(p.lines) }

// Undo gives everything a taken claim has taken back.
func (p *Picks) Undo() { undoLines(p.lines) }

// Reset drops what the claim refers to.
func (p *Picks) Reset() {
	clear(p.lines[:cap(p.lines)])
	p.lines = p.lines[:0]
}
