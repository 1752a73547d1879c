package stock

// Line is a SKU and how many units of it an order wants, at least 1. Keep is how
// many units must still be available after they are taken: 0 for anybody who may
// have the last one. A line with Keep can be short while units remain.
type Line struct {
	SKU      uint32
	Quantity int64
	Keep     int64
}

// claimLine is a line on its way through search and claim.
type claimLine struct {
	Line
	row    *row
	cell   cell
	escrow int64
}

// room is n lines in the memory of lines if it suffices. What they held before is
// left in them: a claim sets the SKU and the row first, then the cell, and the
// escrow when it takes.
func room(lines []claimLine, n int) []claimLine {
	if n > cap(lines) {
		return make([]claimLine, n)
	}
	return lines[:n]
}

// hopeless reports whether the line cannot be filled from its cell, for one that
// has not got enough at once. It clears the bits of a cell it finds empty.
func (l *claimLine) hopeless() bool {
	if l.cell.has(l.Quantity, l.Keep) {
		return false
	}
	l.tidy()
	return true
}

// tidy clears the bits of a cell a claim has found empty.
func (l *claimLine) tidy() {
	c := &l.cell
	if w := c.read(); w.state == listed && w.reachable() <= 0 {
		c.row.drop(c.number, c.pos)
	}
}

// takeLines takes every line from the cell it has found, or none. The lines
// ascend by SKU, and those of one SKU by slot. It returns -1, or the index of a
// line that is short.
//
// Linearizes at: the last line's CAS (taken), or the load that saw too little of
// the line it names (short). What a line keeps is there at its own CAS; the
// claim holds what it takes, not what it keeps.
// Progress: lines go in one order, the same for everybody, so waiting for
// pending units has no cycles.
func takeLines(s *Stock, lines []claimLine) int {
	for i := 0; i < len(lines); i++ {
		line := &lines[i]
		escrow, o := line.cell.take(line.Quantity, line.Keep)
		switch o {
		case done:
			line.escrow = escrow
		case tooWide:
			s.widen(line.SKU)
			i--
		default:
			undoLines(lines[:i])
			line.tidy()
			return i
		}
	}
	return -1
}

// settleLines makes the taking of lines final.
func settleLines(lines []claimLine) {
	for i := range lines {
		line := &lines[i]
		if line.escrow != 0 {
			line.cell.change(0, -line.escrow)
		}
	}
}

// undoLines gives the units of taken lines back.
func undoLines(lines []claimLine) {
	for i := range lines {
		line := &lines[i]
		line.cell.change(line.Quantity, -line.escrow)
	}
}
