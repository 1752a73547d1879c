package reservation

// Made reports whether a change with that ID of its own was made and is
// remembered.
func (l *Ledger) Made(id string) bool {
	var e entry
	return id != "" && l.book.find(kindChange, id, &e)
}
