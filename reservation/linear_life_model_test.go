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
	number   int   // of the order or movement
	part     uint8 // of the order; 0: all that are open
	change   int   // number of the change's own ID; 0: it has none
	print    uint64
	slot     uint32
	sku      int
	units    lifeUnits // all zero: all there is
	now      int64
	deadline int64
	maxHold  int64
	to       uint32        // Rerouted: to where
	whole    bool          // Rerouted: in place, and units are all that is open
	more     []lifeAnother // reserve: the other parts
	target   *lifeCall     // Rerouted: the new part
	sure     lifeUnits     // of such a part: units confirmed from the beginning
	client   int
	ended    int64 // when it returned, by the clock of the calls

	fact  lifeFact
	how   int   // reserve: Done, Known or the SKU that is short
	state State // after the change
	told  State // of a reservation that had ended
	saw   uint64
	seen  lifeView
	looks [lifeParts]lifeSeen // at all parts
	level Availability

	acted  bool        // the journal has its record
	shares []*lifeCall // what that says of each part, ascending
	given  lifeUnits   // the units in it
	after  [lifeSKUs]int64
}

// lifeParts is how many parts an order can have: those that it is made with, and the
// last one, to which units are rerouted.
const lifeParts = 5

// lifeAnother is a part but the first of what is reserved.
type lifeAnother struct {
	units lifeUnits
	slot  uint32
}

// lifeSeen is a part of an order as it was shown.
type lifeSeen struct {
	made  bool
	print uint64
	view  lifeView
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

// lifeModelPart is a part of an order as the specification has it.
type lifeModelPart struct {
	lifeView
	made     bool
	born     int64
	reminded bool
	print    uint64
}

// lifeModelState is an order as the specification has it.
type lifeModelState struct {
	parts   [lifeParts]lifeModelPart
	changes [lifeChanges]struct {
		made  bool
		print uint64
		state State
	}
}

// lifeChanges is how many IDs of changes an order's callers share.
const lifeChanges = 3

// lifeOf is the specification of one order: calls one after the other, each of which
// changes all parts that it is about or none, and who comes after the end is told how
// it ended.
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
		return fmt.Sprintf("[%d,%d] look: %+v", c.now, c.ended, c.looks)
	case lifeLevel:
		return fmt.Sprintf("[%d,%d] shelf: %+v", c.now, c.ended, c.level)
	case history.Moved:
		what += " " + c.cause.String()
	}
	if c.part > 0 {
		what += fmt.Sprint(" of part ", c.part)
	}
	for _, d := range c.shares {
		what += fmt.Sprintf(" {part %d at %d: %v}", d.part, d.slot, d.given)
	}
	return what + fmt.Sprintf(" %v until %d, change %d: how %d, fact %d, state %v, told %v, seen %+v; recorded %v: %v, on hand %v",
		c.units, c.deadline, c.change, c.how, c.fact, c.state, c.told, c.seen, c.acted, c.given, c.after)
}

func (s *lifeModelState) step(c *lifeCall, remindBefore int64) bool {
	switch c.verb {
	case history.Held:
		return s.reserve(c)
	case lifeLook:
		for i := range s.parts {
			p, saw := &s.parts[i], &c.looks[i]
			if saw.made != p.made || p.made && (saw.view != p.view() || saw.print != p.print) {
				return false
			}
		}
		return true
	case history.Expired, history.NoShow, history.Reminded:
		return s.tick(c, remindBefore)
	case history.Shorted, history.Covered:
		return s.parts[c.part-1].mark(c)
	}
	return s.change(c)
}

// view is what can be seen now.
func (s *lifeModelPart) view() lifeView {
	v := s.lifeView
	if v.state != Ready {
		v.pickup = 0
	}
	return v
}

func (s *lifeModelState) reserve(c *lifeCall) bool {
	first := &s.parts[0]
	switch c.how {
	case Known:
		return first.made && !c.acted && c.seen == first.view() && c.saw == first.print
	case Done:
		if len(c.shares) != 1+len(c.more) {
			return false
		}
		for i, d := range c.shares {
			units := c.units
			if i > 0 {
				units = c.more[i-1].units
			}
			if s.parts[i].made || int(d.part) != i+1 || d.given != units {
				return false
			}
			s.parts[i].make(d)
		}
		return true
	}
	return !c.acted // refused: whether rightly is the shelf's affair
}

// make makes a part.
func (s *lifeModelPart) make(d *lifeCall) {
	*s = lifeModelPart{made: true, born: d.now, print: d.print}
	s.state, s.deadline, s.slot = Held, d.deadline, d.slot
	for i, n := range d.units {
		s.lines[i] = lifeLine{quantity: n, held: n - d.sure[i], confirmed: d.sure[i]}
	}
	if s.total(lifeConfirmed) > 0 {
		s.state = Confirmed
	}
}

func (s *lifeModelPart) total(bucket func(lifeLine) int8) (n int) {
	for _, l := range s.lines {
		n += int(bucket(l))
	}
	return n
}

func lifeHeld(l lifeLine) int8      { return l.held }
func lifeConfirmed(l lifeLine) int8 { return l.confirmed }
func lifeCollected(l lifeLine) int8 { return l.collected }

// due is the first thing that is due of a part.
func (s *lifeModelPart) due(now, remindBefore int64) history.Kind {
	switch {
	case !s.made || s.state.Ended():
	case s.deadline <= now && s.total(lifeHeld) > 0:
		return history.Expired
	case s.state != Ready:
	case s.pickup <= now:
		return history.NoShow
	case !s.reminded && s.pickup-remindBefore <= now:
		return history.Reminded
	}
	return 0
}

// tick is what a call of Expire makes of the order: what is due, or nothing when
// nothing is. Holds that are due end all at once.
func (s *lifeModelState) tick(c *lifeCall, remindBefore int64) bool {
	at := 0
	for i := range s.parts {
		p := &s.parts[i]
		mine := at < len(c.shares) && int(c.shares[at].part) == i+1
		due := p.due(c.now, remindBefore)
		if !c.acted && due != 0 || mine && due != c.verb || !mine && c.acted && c.verb == history.Expired && due == c.verb {
			return false
		}
		if !mine {
			continue
		}
		d := c.shares[at]
		if at++; d.given != p.all(c.verb) || !p.advance(c, d.given) {
			return false
		}
	}
	return at == len(c.shares)
}

// mark is a shortage, or its end, that another call brings about.
func (s *lifeModelPart) mark(c *lifeCall) bool {
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
	if c.change > 0 && known.made {
		if known.print != c.print {
			return c.fact == lifeConflict && !c.acted
		}
		return c.fact == lifeFine && !c.acted && c.state == known.state
	}
	parts, fact := s.concerned(c)
	if fact != lifeFine {
		return c.fact == fact && !c.acted
	}
	if c.verb == history.Rerouted {
		p, target := &s.parts[parts[0]], &s.parts[lifeParts-1]
		if c.whole && !p.state.Ended() && p.slot == c.to || !c.whole && target.made {
			return c.how == Known && !c.acted
		}
		if c.how == Known {
			return false
		}
	}
	for _, i := range parts {
		p := &s.parts[i]
		if fact := p.allows(c); fact != lifeFine {
			return c.fact == fact && !c.acted && (fact != lifeEnded || c.told == p.state)
		}
	}
	if c.fact != lifeFine || len(c.shares) != len(parts) {
		return false
	}
	last := State(0)
	for at, i := range parts {
		p, d := &s.parts[i], c.shares[at]
		give := c.units
		if give == (lifeUnits{}) {
			give = p.all(c.verb)
		}
		if int(d.part) != i+1 || d.given != give || !p.advance(c, give) {
			return false
		}
		last = p.state
	}
	if c.target != nil {
		s.parts[lifeParts-1].make(c.target)
	}
	if c.change > 0 {
		known.made, known.print, known.state = true, c.print, last
	}
	return c.state == last
}

// concerned is the parts that a change is about, or why it is about none; if there is
// none that it could change, the one that says so.
func (s *lifeModelState) concerned(c *lifeCall) (parts []int, fact lifeFact) {
	made, open := 0, -1
	for i := range s.parts {
		p := &s.parts[i]
		if !p.made {
			continue
		}
		made++
		if open < 0 && !p.state.Ended() {
			open = i
		}
		if p.concerns(c.verb) {
			parts = append(parts, i)
		}
	}
	switch {
	case c.part > 0 && s.parts[c.part-1].made:
		return []int{int(c.part) - 1}, lifeFine
	case c.part > 0, made == 0:
		return nil, lifeUnknown
	case made == 1:
		return []int{0}, lifeFine
	case c.units != (lifeUnits{}):
		return nil, lifeInvalid
	case len(parts) == 0:
		return []int{max(0, open)}, lifeFine
	}
	return parts, lifeFine
}

// concerns tells the parts that a change of a whole order is about.
func (s *lifeModelPart) concerns(verb history.Kind) bool {
	switch verb {
	case history.Confirmed, history.Extended:
		return !s.state.Ended() && s.total(lifeHeld) > 0
	case history.Accepted:
		return s.state < Accepted
	case history.Ready:
		return !s.state.Ended() && s.state != Ready
	}
	return !s.state.Ended()
}

// allows says whether the state and the lines let a change pass.
func (s *lifeModelPart) allows(c *lifeCall) lifeFact {
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
func (s *lifeModelPart) goesWhole(c *lifeCall) lifeFact {
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
func (s *lifeModelPart) all(verb history.Kind) (give lifeUnits) {
	for i, l := range s.lines {
		give[i] = l.can(verb)
	}
	return give
}

// advance moves what was given.
func (s *lifeModelPart) advance(c *lifeCall, given lifeUnits) bool {
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
		s.lines[i].move(c.verb, given[i])
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
