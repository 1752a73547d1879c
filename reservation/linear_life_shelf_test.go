package reservation

import (
	"github.com/anishathalye/porcupine"
	"github.com/clickcollect/clickcollect/reservation/history"
)

// lifeShelf is what is at one location: units on hand and available of each SKU.
type lifeShelf struct{ onHand, available [lifeSKUs]int16 }

// lifeShelfModel is the specification of one location, or of one SKU there: each
// call is on one SKU but for claims, which take all their lines or none.
var lifeShelfModel = porcupine.Model{
	Init: func() any { return lifeShelf{} },
	Step: func(state, input, _ any) (bool, any) {
		s := state.(lifeShelf)
		ok := s.step(input.(*lifeCall))
		return ok, s
	},
	DescribeOperation: func(input, _ any) string { return input.(*lifeCall).String() },
}

func (s *lifeShelf) step(c *lifeCall) bool {
	i := c.sku
	n := int16(c.given[i])
	switch c.verb {
	case history.Held:
		return s.claim(c)
	case history.Canceled, history.Expired, history.NoShow, history.Rerouted:
		s.available[i] += n
		return true
	case history.Collected:
		s.onHand[i] -= n
	case history.ShortPicked: // units that were short had left the shelf before
		left := s.onHand[i] - int16(c.after[i])
		if left < 0 || left > n {
			return false
		}
		s.onHand[i] -= left
		s.available[i] += n - left
	case history.Moved:
		return s.moved(c)
	case lifeLevel:
		return s.onHand[i] == int16(c.level.OnHand) && s.available[i] >= int16(c.level.Available)
	}
	return s.onHand[i] == int16(c.after[i]) && s.onHand[i] >= 0
}

// claim takes all, or sees that it could (its ID was known), or names what is
// short.
func (s *lifeShelf) claim(c *lifeCall) bool {
	if c.how >= 0 {
		return s.available[c.how] < int16(c.units[c.how])
	}
	for i, n := range c.units {
		if s.available[i] < int16(n) && n > 0 {
			return false
		}
		if c.how == Done {
			s.available[i] -= int16(n)
		}
	}
	return true
}

// moved is a movement of one SKU.
func (s *lifeShelf) moved(c *lifeCall) bool {
	i := c.sku
	by := int16(c.units[i])
	switch c.cause {
	case history.Sold:
		by = -by
		if c.fact == lifeShort {
			return s.onHand[i]+by < 0
		}
	case history.Counted:
		by -= s.onHand[i]
	}
	s.onHand[i] += by
	s.available[i] += by
	return s.onHand[i] >= 0 && s.onHand[i] == int16(c.after[i])
}
