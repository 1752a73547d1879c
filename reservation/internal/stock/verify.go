package stock

// Hidden walks the locations at which a SKU has available units that no bit
// shows, so that a search would pass them by. There are none, whatever goes on
// meanwhile: a cell that is listed has its bits. A cell is looked at many times
// before it counts, each time after its bits, because between two looks it may
// have been sold out and come back.
func (s *Stock) Hidden(sku uint32, yield func(slot uint32) bool) {
	t := s.table.Load()
	r := t.row(sku)
	if r == nil {
		return
	}
	for number, pos := range r.each {
		looks := 0
		for looks < hiddenLooks && !r.shows(number) && r.visible(pos) {
			looks++
		}
		if looks == hiddenLooks && !yield(r.space.Slot(number)) {
			return
		}
	}
}

const hiddenLooks = 64

// visible reports whether a cell's state says that its bits are set.
func (r *row) visible(pos int) bool {
	w, _ := r.load(pos)
	return w.state == listed
}

// shows reports whether every bit above a number is set.
func (r *row) shows(number uint32) bool {
	if r.shape == dense && r.bits[number>>6].Load()>>(number&63)&1 == 0 {
		return false
	}
	if r.sum1 == nil {
		return true
	}
	word := number >> 6
	return r.sum1[word>>6].Load()>>(word&63)&1 != 0 && r.sum2[word>>12].Load()>>(word>>6&63)&1 != 0
}
