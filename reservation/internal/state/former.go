package state

// Former versions gave each part of an order but the first an ID of its own, that of the
// order with a slash and the number behind it, among the IDs that callers choose. What
// such a version has written is read still. Its records do not say which part they are
// about; those of this version always do, if the order has several: see State.Numbered.

// FormerName takes such an ID apart: n is 0 if it looks otherwise. That it looks like one
// does not say that it is.
func FormerName(id string) (order string, n uint8) {
	at := len(id)
	for at > 0 && len(id)-at < 3 && id[at-1]-'0' <= 9 {
		at--
	}
	if at < 1 || at == len(id) || id[at-1] != '/' || id[at] == '0' {
		return id, 0
	}
	number := 0
	for _, digit := range id[at:] {
		number = 10*number + int(digit-'0')
	}
	if number < 2 || number > 255 {
		return id, 0
	}
	return id[:at-1], uint8(number)
}

// Root is the ID of which an ID may be a part, or a part of a part: what records of a
// former version say about them has to be read in order.
func Root(id string) string {
	for n := uint8(1); n > 0; {
		id, n = FormerName(id)
	}
	return id
}

// FormerFrom is the number of the part of an order that had an ID.
func FormerFrom(order, id string) uint8 {
	if of, n := FormerName(id); n > 0 && of == order {
		return n
	}
	return 1
}
