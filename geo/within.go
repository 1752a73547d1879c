package geo

// countBlock counts the locations of a block that are within the maximum distance.
func (s *Search) countBlock(level, index int) (count int) {
	x := s.x
	if index >= x.blocks[level] {
		return 0
	}
	enclosing := &x.boxes[level][index]
	if enclosing.gap(s.fixed) > gapLimit(s.most) {
		return 0
	}
	first, end := x.numbers(level, index)
	if gapChord2(enclosing.reach(s.fixed))*(1+1e-12) <= s.sure {
		return end - first
	}
	if level > 1 {
		for child := index * 8; child < index*8+8; child++ {
			count += s.countBlock(level-1, child)
		}
		return count
	}
	for n := first; n < end; n++ {
		count += s.countPlace(uint32(n), &x.places[n])
	}
	return count
}

func (s *Search) countPlace(number uint32, p *place) int {
	if s.reaches(chord2(s.at, p.at), number) {
		return 1
	}
	return 0
}
