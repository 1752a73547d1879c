package reservation

// Place is what was noted of a location when it was set.
func (l *Ledger) Place(slot uint32) []byte { return l.state.Places.Note(slot) }
