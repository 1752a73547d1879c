package life

// A Rule is a row of the table: all there is to know about a verb.
type Rule struct {
	// When it is possible. All of it must hold.
	From  States  // the states
	Needs Buckets // the reservation has a unit in one of these; 0: whatever it has
	Lacks Buckets // and none in these
	// About are the buckets of which the reservation has a unit if the change names
	// no lines; 0: whatever it has. Else nothing would have happened, and it would be
	// recorded and told to others.
	About Buckets
	// Never are the forms it is not for, in any state. What is brought to a store is
	// there already for it (InStore), or goes there by it (ToStore).
	Never            [forms]bool
	InStore, ToStore bool

	// How many units of a line it can move: those of Takes, less those of Less.
	// Whole: it is about the reservation, and no units move.
	Takes, Less Buckets
	Whole       bool
	// Sound: a change that names no lines is refused if goods of a line are gone.
	Sound bool

	// What happens to the units of a line that move, of goods and of what goes with
	// goods, such as a place in a pickup window.
	Goods, Resource Move
	Follow          Follow

	// What becomes of the state: Next, by the state before, 0 for the same. Ends is
	// what a reservation has come to of which no unit is open any more and none was
	// collected; 0: the verb ends nothing. Got is what it has come to if any was; 0:
	// Collected. Fully: once all units of one bucket are in another as well, the one
	// state becomes the other.
	Next  [states]State
	Ends  State
	Got   State
	Fully Fully

	Lock Lock // what must be locked besides the reservation
	Says Says // what its record says besides when, which reservation and which units
	// Room: a disk that is full refuses it, because it may take units anew or brings
	// goods in. What carries on what is held, or ends it, passes into the room that
	// is kept for that.
	Room bool
}

// Move is what happens to the units of a line.
type Move struct {
	First, Second Buckets // where they are taken from: what is there, and the rest there; 0: they stay where they are
	To            Buckets // where they are counted; 0: nowhere
	// Free is how many units become available, and OnHand by how many there are more
	// on hand, for each unit: −1, 0 or 1.
	Free, OnHand int8

	Lost   bool // what is confirmed and does not move is missing
	Gone   bool // units that are short have left the shelf before: they become available instead, and make up for that
	Covers bool // no unit is short any more
}

// Follow says when a resource moves, which no change names.
type Follow uint8

// When a resource follows the goods.
const (
	Stays     Follow = iota // never
	WithFirst               // with the first goods
	WithLast                // when no goods are open any more
)

// Fully says that some states become another when, in every line, a bucket has as
// many units as another one. In and Of are sets of one; Of 0 is the quantity.
type Fully struct {
	From   States
	To     State
	In, Of Buckets
}

// Lock is what a verb locks besides the reservation itself. A floor stands for the
// units on hand at a location.
type Lock uint8

// The locks.
const (
	Alone       Lock = iota // nothing
	FloorOf                 // the floor of the location where the reservation is
	FloorsOfTwo             // that floor, and the floor of where the goods are sent
	FloorAhead              // the floor of the location the goods are on their way to
	FloorNamed              // the floor of the location that the change names
	FloorHeld               // that floor too, and the caller has locked it; the reservation must be there
)

// Says is a set of the fields of a record.
type Says uint16

// The fields.
const (
	SaysHold    Says = 1 << iota // the deadline of the hold
	SaysPickup                   // the deadline of the pickup, and the code
	SaysOwner                    // whose it is now, and of which channel
	SaysTo                       // where the goods are sent
	SaysWhere                    // that it happened at the location which the change names
	SaysCause                    // why
	SaysContent                  // the digest of the change
	SaysBecause                  // what it comes from
	SaysOnHand                   // how many units are on hand afterwards
	SaysParcel                   // who carries it, and under which number
)

// Effect is what a move means for the stock: Free units become available, and there
// are OnHand more units on hand.
type Effect struct{ Free, OnHand int64 }

// Refused says why a verb is not possible.
type Refused uint8

// Why a verb is not possible. The zero value is no reason.
const (
	ByEnd   Refused = iota + 1 // the reservation has ended
	ByState                    // its state, or what it has, does not let the verb pass
	ByForm                     // its goods reach the customer in another way
	ByStore                    // its goods are not at the store to which they are brought, or would not go there
)

// Check says whether a reservation lets the verb pass; 0 if it does. firm is how many
// of its confirmed units are goods, or whatever if it has no goods; named tells that
// the change names lines.
func (r *Rule) Check(w *Way, s State, lines []Line, firm int64, named bool) Refused {
	switch {
	case s.Ended() && r.From&ended == 0:
		return ByEnd
	case r.Never[w.Form]:
		return ByForm
	case !r.passes(s, lines, firm, named):
		return ByState
	case w.Form == Brought && (r.InStore && w.At != w.Store || r.ToStore && w.To != w.Store):
		return ByStore
	}
	return 0
}

// passes reports whether the state, and what the reservation has, let the verb pass.
func (r *Rule) passes(s State, lines []Line, firm int64, named bool) bool {
	return r.From.Has(s) &&
		(r.Needs == 0 || Total(lines, r.Needs) != 0) &&
		(r.Lacks == 0 || Total(lines, r.Lacks) == 0) &&
		(r.About == 0 || named || r.concerns(lines, firm))
}

// concerns reports whether a verb finds any unit that it is about: one that it can
// move, as far as it moves any.
func (r *Rule) concerns(lines []Line, firm int64) bool {
	if r.About == ConfirmedUnits {
		return firm > 0
	}
	return Total(lines, r.About) > Total(lines, r.Less)
}

// AfterEnd tells the verbs that a reservation that has ended lets pass: what they speak
// of is not held by it.
func (r *Rule) AfterEnd() bool { return r.From.Has(Canceled) }

// Movable is how many units of a line of goods the verb can move.
func (r *Rule) Movable(l *Line) int64 { return l.In(r.Takes) - l.In(r.Less) }

// MovableResource is how many units of a resource follow the goods.
func (r *Rule) MovableResource(l *Line) int64 {
	if r.Resource.First == HeldUnits && r.Resource.Second == 0 {
		return int64(l.Held)
	}
	return l.Open()
}

// Apply moves units of a line, which are there.
func (m *Move) Apply(l *Line, units int64) Effect {
	e := Effect{Free: int64(m.Free) * units, OnHand: int64(m.OnHand) * units}
	n := uint32(units)
	if m.Gone {
		gone := min(l.Short, n)
		l.Short -= gone
		e = Effect{Free: int64(gone), OnHand: -int64(n - gone)}
	}
	if m.Lost {
		l.Missing += l.Confirmed - n
		l.Confirmed = n
	}
	if m.Covers {
		l.Short = 0
	}
	if left := n; m.First != 0 {
		first := l.bucket(m.First)
		if m.Second != 0 {
			left = min(n, *first)
			*l.bucket(m.Second) -= n - left
		}
		*first -= left
	}
	if m.To != 0 {
		*l.bucket(m.To) += n
	}
	l.Short = min(l.Short, l.Held+l.Confirmed)
	return e
}

// State is what becomes of the state, once the lines have moved. firm is as for
// Check. over: nothing is held or confirmed any more, and was before. stale: what was
// ready is not any more, as only held goods are left, whose own deadline is the one
// that counts, whatever is confirmed of the resources that go with them.
func (r *Rule) State(s State, lines []Line, firm int64) (next State, over, stale bool) {
	next = s
	if to := r.Next[s]; to != 0 {
		next = to
	}
	if f := &r.Fully; f.From.Has(s) && f.holds(lines) {
		next = f.To
	}
	if r.Ends == 0 || s.Ended() {
		return next, false, false
	}
	held := Total(lines, HeldUnits) > 0
	switch {
	case held && next == Ready && firm == 0:
		return Held, false, true
	case held || Total(lines, ConfirmedUnits) > 0:
		return next, false, false
	case Total(lines, CollectedUnits) > 0:
		return max(r.Got, Collected), true, false
	}
	return r.Ends, true, false
}

func (f *Fully) holds(lines []Line) bool {
	for i := range lines {
		l := &lines[i]
		of := l.Quantity
		if f.Of != 0 {
			of = *l.bucket(f.Of)
		}
		if *l.bucket(f.In) < of {
			return false
		}
	}
	return true
}

// Deadlines are the times at which something happens by itself, in any unit of one
// clock.
type Deadlines struct {
	Form     Form  // how the goods reach the customer
	Hold     int64 // of the held units
	Pickup   int64 // of what is Ready
	Reminded bool  // the customer was told that Pickup is near
}

// Due is the first verb that is due by now, and since when; 0 is none. remind is how
// long before the pickup deadline the reminder is due; 0: there is none.
func (d *Deadlines) Due(s State, lines []Line, now, remind int64) (v Verb, at int64) {
	switch {
	case s.Ended():
		return 0, 0
	case d.Hold <= now && Total(lines, HeldUnits) > 0:
		return Expire, d.Hold
	case s != Ready || rules[Abandon].Never[d.Form]:
		return 0, 0
	case d.Pickup <= now:
		return Abandon, d.Pickup
	case !d.Reminded && remind > 0 && d.Pickup-remind <= now:
		return Remind, d.Pickup - remind
	}
	return 0, 0
}
