package sourcing

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/clickcollect/clickcollect/allocator/hours"
	"github.com/clickcollect/clickcollect/geo"
)

// Ranking is what a ready-made key ranks candidates by.
type Ranking uint8

// The rankings, each with what is better. What is not known is worst.
const (
	ByDistance Ranking = iota + 1 // nearer
	ByPriority                    // a lower Site.Priority
	ByReady                       // ready earlier
	ByCost                        // cheaper
	ByLeft                        // more units left of the scarcest line: stock stays balanced
	ByRoom                        // more room in its period; best if not limited
	rankings
)

// String is the ranking in words.
func (b Ranking) String() string {
	switch b {
	case ByDistance:
		return "distance"
	case ByPriority:
		return "priority"
	case ByReady:
		return "ready"
	case ByCost:
		return "cost"
	case ByLeft:
		return "left"
	case ByRoom:
		return "room"
	}
	return fmt.Sprintf("Ranking(%d)", uint8(b))
}

// Keys are the keys of rankings, in that order. A number that is no ranking
// gives a key without a function, which [Rules.Validate] reports.
func Keys(by ...Ranking) []Key {
	keys := make([]Key, len(by))
	for i, b := range by {
		keys[i] = Key{Name: b.String()}
		if b > 0 && b < rankings {
			keys[i] = Key{Name: b.String(), own: true, by: b,
				Compare: func(x, y *Candidate) int { return compare(b, x, y) }}
		}
	}
	return keys
}

// In is the key of a ranking in steps, so that what is about the same ties and
// the next key decides: ByDistance.In(5000) ranks in bands of 5 km, [0, 5) km
// before [5, 10) km. A step is in meters, in seconds from the order (ByReady),
// in units of money, of goods, of priority or of orders. A step that is not
// above 0 is none.
func (b Ranking) In(step float64) Key {
	key := Keys(b)[0]
	if key.Compare == nil || !(step > 0) || math.IsInf(step, 1) {
		return key
	}
	key.Name = fmt.Sprintf("%v in %v", b, step)
	key.by = 0
	key.Compare = func(x, y *Candidate) int {
		n := cmp.Compare(math.Floor(measure(b, x)/step), math.Floor(measure(b, y)/step))
		if b == ByLeft || b == ByRoom {
			return -n
		}
		return n
	}
	return key
}

// KindsFirst is a key that puts sites of the kinds named before others, the
// first kind first.
func KindsFirst(kinds ...uint8) Key {
	kinds = slices.Clone(kinds)
	return Key{Name: fmt.Sprintf("kinds %v first", kinds), own: true, Compare: func(a, b *Candidate) int {
		return place(kinds, a.Site.Kind) - place(kinds, b.Site.Kind)
	}}
}

// Reverse is the key with the better and the worse exchanged. What is not known
// is best then.
func (k Key) Reverse() Key {
	return Key{Name: k.Name + " reversed", own: k.own, Compare: func(a, b *Candidate) int { return k.Compare(b, a) }}
}

// While is k while the calendar is open at the time of the order, and otherwise
// the other key: a warehouse before the shops in the hours in which the shops are
// busy.
func (k Key) While(open hours.Calendar, otherwise Key) Key {
	own := k.own && otherwise.own && open.Holiday == nil // the calendar's function is not ours
	return Key{Name: k.Name + " at times, else " + otherwise.Name, own: own, Compare: func(a, b *Candidate) int {
		if open.Open(a.Request.Now) {
			return k.Compare(a, b)
		}
		return otherwise.Compare(a, b)
	}}
}

// compare compares by a ranking, 0 for one there is not.
func compare(by Ranking, a, b *Candidate) int {
	switch by {
	case ByDistance:
		return compareDistance(a.Distance, b.Distance)
	case ByPriority:
		return cmp.Compare(a.Site.Priority, b.Site.Priority)
	case ByReady:
		switch x, y := a.Ready.IsZero(), b.Ready.IsZero(); {
		case x && y:
			return 0
		case x:
			return 1
		case y:
			return -1
		}
		return a.Ready.Compare(b.Ready)
	case ByCost:
		return cmp.Compare(a.Cost, b.Cost)
	case ByLeft:
		return cmp.Compare(b.Left, a.Left)
	case ByRoom: // as numbers without a sign, -1 is the largest
		return cmp.Compare(uint64(max(-1, b.Room)), uint64(max(-1, a.Room)))
	}
	return 0
}

// compareDistance puts a distance that is no number last.
func compareDistance(a, b geo.Meters) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	case a == b:
		return 0
	}
	return cmp.Compare(b, a) // cmp puts what is no number first
}

// place is where an element stands in a list, its length if it does not.
func place[E comparable](list []E, of E) int {
	if i := slices.Index(list, of); i >= 0 {
		return i
	}
	return len(list)
}

// measure is what a ranking compares, as a number; what is not known is worst.
func measure(by Ranking, c *Candidate) float64 {
	switch by {
	case ByDistance:
		if d := float64(c.Distance); d == d {
			return d
		}
		return math.Inf(1)
	case ByPriority:
		return float64(c.Site.Priority)
	case ByReady:
		if c.Ready.IsZero() {
			return math.Inf(1)
		}
		return c.Ready.Sub(c.Request.Now).Seconds()
	case ByCost:
		return float64(c.Cost)
	case ByLeft:
		return float64(c.Left)
	case ByRoom:
		if c.Room < 0 {
			return math.Inf(1)
		}
		return float64(c.Room)
	}
	return 0
}
