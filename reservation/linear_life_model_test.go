package reservation

import (
	"fmt"

	"github.com/anishathalye/porcupine"
	"github.com/clickcollect/clickcollect/reservation/history"
)

// lifeSKUs is how many SKUs the histories of lives know.
const lifeSKUs = 3

// lifeUnits are units by SKU; 0 is no line.
type lifeUnits [lifeSKUs]int8

// lifeFact is what a call was told.
type lifeFact uint8

const (
	lifeFine lifeFact = iota
	lifeUnknown
	lifeEnded
	lifeState
	lifeShort
	lifeConflict
	lifeInvalid
	lifeOther
)

// lifeCall is a call of a history of lives, or something the engine did of
// itself within one, and what came of it.
type lifeCall struct {
	verb     history.Kind // Held: reserve; Moved: by cause; Expired, NoShow, Reminded: by Expire; Shorted, Covered: by another call
	cause    history.Cause
	number   int // of the reservation or movement
	change   int // number of the change's own ID; 0: it has none
	print    uint64
	slot     uint32
	sku      int
	units    lifeUnits // all zero: all there is
	now      int64
	deadline int64
	maxHold  int64
	to       uint32    // Rerouted: to where
	whole    bool      // Rerouted: in place, and units are all that is open
	more     lifeUnits // reserve: the second part, at the location more is to be at
	moreAt   uint32
	part     *lifeCall // what the engine made besides: the second part, or the new one
	sure     lifeUnits // of such a part: units confirmed from the beginning
	client   int
	ended    int64 // when it returned, by the clock of the calls

	fact  lifeFact
	how   int   // reserve: Done, Known or the SKU that is short
	state State // after the change
	told  State // of a reservation that had ended
	saw   uint64
	seen  lifeView
	there bool // seen is of a reservation
	level Availability

	acted bool      // the journal has its record
	given lifeUnits // the units in it
	after [lifeSKUs]int64
}

// The verbs that are none.
const (
	lifeLook  history.Kind = 200 // at a reservation
	lifeLevel history.Kind = 201 // at a shelf
)

// lifeLine is one line of a reservation.
type lifeLine struct {
	quantity, held, confirmed, collected, missing, lapsed, short, rerouted int8
}

func (l lifeLine) open() int8 { return l.held + l.confirmed }

// lifeView is what can be seen of a reservation.
type lifeView struct {
	state    State
	slot     uint32
	deadline int64
	pickup   int64 // while it is ready
	lines    [lifeSKUs]lifeLine
}

// lifeModelState is a reservation as the specification has it.
type lifeModelState struct {
	lifeView
	made     bool
	born     int64
	reminded bool
	print    uint64
	changes  [lifeChanges]struct {
		made  bool
		print uint64
		state State
	}
}

// lifeChanges is how many IDs of changes a reservation's callers share.
const lifeChanges = 3

// lifeOf is the specification of one reservation: calls one after the other, and
// who comes after the end is told how it ended.
func lifeOf(remindBefore int64) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return lifeModelState{} },
		Step: func(state, input, _ any) (bool, any) {
			s, c := state.(lifeModelState), input.(*lifeCall)
			ok := s.step(c, remindBefore)
			return ok, s
		},
		DescribeOperation: func(input, _ any) string { return input.(*lifeCall).String() },
	}
}

func (c *lifeCall) String() string {
	what := fmt.Sprintf("[%d,%d] %v", c.now, c.ended, c.verb)
	switch c.verb {
	case lifeLook:
		return fmt.Sprintf("[%d,%d] look: %v %+v", c.now, c.ended, c.there, c.seen)
	case lifeLevel:
		return fmt.Sprintf("[%d,%d] shelf: %+v", c.now, c.ended, c.level)
	case history.Moved:
		what += " " + c.cause.String()
	}
	return what + fmt.Sprintf(" %v until %d, change %d: how %d, fact %d, state %v, told %v, seen %+v; recorded %v: %v, on hand %v",
		c.units, c.deadline, c.change, c.how, c.fact, c.state, c.told, c.seen, c.acted, c.given, c.after)
}

func (s *lifeModelState) step(c *lifeCall, remindBefore int64) bool {
	switch c.verb {
	case history.Held:
		return s.reserve(c)
	case lifeLook:
		return c.there == s.made && (!s.made || c.seen == s.view() && c.saw == s.print)
	case history.Expired, history.NoShow, history.Reminded:
		return s.tick(c, remindBefore)
	case history.Shorted, history.Covered:
		return s.mark(c)
	}
	return s.change(c)
}

// view is what can be seen now.
func (s *lifeModelState) view() lifeView {
	v := s.lifeView
	if v.state != Ready {
		v.pickup = 0
	}
	return v
}

func (s *lifeModelState) reserve(c *lifeCall) bool {
	switch c.how {
	case Known:
		return s.made && !c.acted && c.seen == s.view() && c.saw == s.print
	case Done:
		if s.made || !c.acted || c.given != c.units {
			return false
		}
		*s = lifeModelState{made: true, born: c.now, print: c.print}
		s.state, s.deadline, s.slot = Held, c.deadline, c.slot
		for i, n := range c.units {
			s.lines[i] = lifeLine{quantity: n, held: n - c.sure[i], confirmed: c.sure[i]}
		}
		if s.total(lifeConfirmed) > 0 {
			s.state = Confirmed
		}
		return true
	}
	return !c.acted // refused: whether rightly is the shelf's affair
}

func (s *lifeModelState) total(bucket func(lifeLine) int8) (n int) {
	for _, l := range s.lines {
		n += int(bucket(l))
	}
	return n
}

func lifeHeld(l lifeLine) int8      { return l.held }
func lifeConfirmed(l lifeLine) int8 { return l.confirmed }
func lifeCollected(l lifeLine) int8 { return l.collected }

// tick is what a call of Expire makes of the reservation: what is due, or nothing
// when nothing is.
func (s *lifeModelState) tick(c *lifeCall, remindBefore int64) bool {
	live := s.made && !s.state.Ended()
	expired := live && s.deadline <= c.now && s.total(lifeHeld) > 0
	ready := live && s.state == Ready
	missed := ready && s.pickup <= c.now
	remind := ready && !missed && !s.reminded && s.pickup-remindBefore <= c.now
	if !c.acted {
		return !expired && !missed && !remind
	}
	ok := expired
	switch c.verb {
	case history.NoShow:
		ok = missed
	case history.Reminded:
		ok = remind
	}
	return ok && c.given == s.all(c.verb) && s.advance(c)
}

// mark is a shortage, or its end, that another call brings about.
func (s *lifeModelState) mark(c *lifeCall) bool {
	if !s.made || s.state.Ended() {
		return false
	}
	for i, n := range c.given {
		l := &s.lines[i]
		if c.verb == history.Covered {
			n = -n
		}
		if l.short += n; l.short < 0 || l.short > l.open() {
			return false
		}
	}
	return true
}

// change is a verb of a caller.
func (s *lifeModelState) change(c *lifeCall) bool {
	known := &s.changes[c.change]
	switch {
	case c.change > 0 && known.made:
		if known.print != c.print {
			return c.fact == lifeConflict && !c.acted
		}
		return c.fact == lifeFine && !c.acted && c.state == known.state
	case !s.made:
		return c.fact == lifeUnknown && !c.acted
	}
	if c.verb == history.Rerouted {
		there := c.whole && !s.state.Ended() && s.slot == c.to
		if there || c.how == Known { // of a part that is there, its own file tells
			return c.how == Known && !c.acted && (there || !c.whole)
		}
	}
	if fact := s.allows(c); fact != lifeFine {
		return c.fact == fact && !c.acted && (fact != lifeEnded || c.told == s.state)
	}
	give := c.units
	if give == (lifeUnits{}) {
		give = s.all(c.verb)
	}
	if c.fact != lifeFine || !c.acted || c.given != give || !s.advance(c) || c.state != s.state {
		return false
	}
	if c.change > 0 {
		known.made, known.print, known.state = true, c.print, s.state
	}
	return true
}

// allows says whether the state and the lines let a change pass.
func (s *lifeModelState) allows(c *lifeCall) lifeFact {
	if s.state.Ended() {
		return lifeEnded
	}
	ok := true
	switch c.verb {
	case history.Confirmed, history.Extended:
		ok = s.total(lifeHeld) > 0
	case history.Accepted:
		ok = s.state == Confirmed && s.total(lifeConfirmed) > 0
	case history.Ready:
		ok = (s.state == Confirmed || s.state == Accepted) && s.total(lifeConfirmed) > 0
	case history.ShortPicked:
		ok = s.state == Confirmed || s.state == Accepted || s.state == Ready
		ok = ok && (c.units != (lifeUnits{}) || s.total(lifeConfirmed) > 0)
	case history.Rerouted:
		ok = s.state == Held || s.state == Confirmed || s.state == Accepted
		if ok && c.whole {
			return s.goesWhole(c)
		}
	}
	switch {
	case !ok:
		return lifeState
	case c.verb == history.Extended && c.maxHold != 0 && c.deadline > s.born+c.maxHold:
		return lifeInvalid
	}
	for i, l := range s.lines {
		if c.units[i] > l.can(c.verb) {
			return lifeShort
		}
		if c.units == (lifeUnits{}) && c.verb == history.Collected && l.short > 0 {
			return lifeShort
		}
	}
	return lifeFine
}

// goesWhole says whether all of a reservation can go elsewhere.
func (s *lifeModelState) goesWhole(c *lifeCall) lifeFact {
	same := true
	for i, l := range s.lines {
		if l.collected+l.missing+l.lapsed > 0 {
			return lifeState
		}
		same = same && l.open() == c.units[i]
	}
	if !same {
		return lifeInvalid
	}
	return lifeFine
}

// can is how many units of a line a verb may move.
func (l lifeLine) can(verb history.Kind) int8 {
	switch verb {
	case history.Confirmed, history.Expired:
		return l.held
	case history.Canceled, history.Rerouted:
		return l.open()
	case history.Collected:
		return l.open() - l.short
	case history.ShortPicked, history.NoShow, history.Ready:
		return l.confirmed
	}
	return 0
}

// all is what a verb moves when no line is named.
func (s *lifeModelState) all(verb history.Kind) (give lifeUnits) {
	for i, l := range s.lines {
		give[i] = l.can(verb)
	}
	return give
}

// advance moves what was given.
func (s *lifeModelState) advance(c *lifeCall) bool {
	switch c.verb {
	case history.Confirmed:
		if s.state == Held {
			s.state = Confirmed
		}
	case history.Extended:
		s.deadline = max(s.deadline, c.deadline)
	case history.Accepted:
		s.state = Accepted
	case history.Ready:
		s.state, s.pickup, s.reminded = Ready, c.deadline, false
	case history.Reminded:
		s.reminded = true
	case history.Rerouted:
		if c.whole {
			if s.slot = c.to; s.state == Accepted {
				s.state = Confirmed
			}
			for i := range s.lines {
				s.lines[i].short = 0
			}
			return true
		}
	}
	for i := range s.lines {
		s.lines[i].move(c.verb, c.given[i])
	}
	if s.total(lifeConfirmed) > 0 {
		return true
	}
	switch {
	case s.total(lifeHeld) > 0:
		if s.state == Ready {
			s.state = Held
		}
		return true
	case s.total(lifeCollected) > 0:
		s.state = Collected
	case c.verb == history.Expired:
		s.state = Expired
	case c.verb == history.NoShow:
		s.state = NoShow
	case c.verb == history.Rerouted:
		s.state = Rerouted
	default:
		s.state = Canceled
	}
	s.deadline = c.now
	return true
}

// move moves n units of a line.
func (l *lifeLine) move(verb history.Kind, n int8) {
	take := func(first, second *int8) {
		some := min(n, *first)
		*first -= some
		*second -= n - some
	}
	switch verb {
	case history.Confirmed:
		l.held, l.confirmed = l.held-n, l.confirmed+n
	case history.Canceled:
		take(&l.held, &l.confirmed)
	case history.Rerouted:
		take(&l.confirmed, &l.held)
		l.rerouted += n
	case history.Expired:
		l.held, l.lapsed = l.held-n, l.lapsed+n
	case history.NoShow:
		l.confirmed, l.lapsed = l.confirmed-n, l.lapsed+n
	case history.Collected:
		take(&l.confirmed, &l.held)
		l.collected += n
	case history.ShortPicked:
		l.short -= min(l.short, n)
		l.confirmed, l.missing = l.confirmed-n, l.missing+n
	}
	l.short = min(l.short, l.open())
}

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
