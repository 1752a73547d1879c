package reservation

import "github.com/clickcollect/clickcollect/reservation/internal/book"

// Name is an order, by its ID, or a part of it other than the first, by its number
// besides.
type Name = book.Name

// PartName is the name of the part of an order with that number, 0 and 1 being the
// first.
func PartName(id string, number int) Name { return nameOf(id, uint8(number)) }

func nameOf(id string, number uint8) Name {
	if number == 1 {
		number = 0
	}
	return Name{ID: id, Part: number}
}

// numberOf is the number of an entry among the parts of its order; 0: there are no
// others.
func numberOf(e *book.Entry) uint8 {
	if e.Parts <= 1 && e.Part == 0 {
		return 0
	}
	return max(e.Part, 1)
}
