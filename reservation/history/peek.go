package history

// Peek reads the kind and the ID of a record and nothing else, for readers that
// share out records before they decode them. The ID is a part of b. It says
// nothing about whether the rest is a record: Decode does. An ID is empty if
// there is none, or if the bytes are not as they should be.
func Peek(b []byte) (k Kind, id string) {
	if len(b) == 0 {
		return 0, ""
	}
	k = Kind(b[0])
	mask, i := uvarint(b, 1)
	if i < 0 || mask&hasID == 0 {
		return k, ""
	}
	i += 6
	if mask&hasWideTime != 0 {
		i += 2
	}
	if i > len(b) {
		return k, ""
	}
	id, i = text(b, i)
	if i < 0 {
		return k, ""
	}
	return k, id
}
