package allocator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/clickcollect/clickcollect/allocator/internal/gate"
	"github.com/clickcollect/clickcollect/allocator/internal/notes"
	"github.com/clickcollect/clickcollect/allocator/internal/topology"
	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/geo"
	"github.com/clickcollect/clickcollect/reservation"
)

// Order is what a customer wants, and where.
type Order struct {
	// ID is chosen by the caller. The same order again gets the same answer;
	// another order under the same ID is ErrConflict.
	ID string `json:"id"`

	// Near is where the customer is. The zero Point is none, so 0° N 0° E, where there
	// is nobody, cannot be given. With At it may be left out unless something is sent;
	// Distance is 0 then.
	Near geo.Point `json:"near,omitzero"`

	// At is the one location to reserve at. Empty: the nearest to Near that can
	// fill every line.
	// What is sent (sourcing.Ship) comes from any location all the same.
	At string `json:"at,omitempty"`

	// Lines are what is wanted, quantities from 1; lines of the same SKU are
	// summed. Their order does not matter.
	Lines []Line `json:"lines"`

	// MaxDistance is how far from Near a location may be, inclusive, in meters.
	// 0: Options.MaxDistance.
	MaxDistance geo.Meters `json:"max_distance,omitempty"`

	// Kinds are the kinds of location allowed. Empty: any for what is sent or brought;
	// customers collect at stores and pickup points, and elsewhere only where Kinds or
	// a location's Terms.Forms say so.
	Kinds []Kind `json:"kinds,omitempty"`

	// Order and Customer are the references by which the shop knows them; List
	// finds reservations by them, and events name them. May be empty.
	Order    string `json:"order,omitempty"`
	Customer string `json:"customer,omitempty"`

	// Owner is a token that Reassign asks for, such as of a cart; Channel is where
	// the order comes from. May be empty.
	Owner   string `json:"owner,omitempty"`
	Channel string `json:"channel,omitempty"`

	// HoldFor is how long the goods are held, from 1 ms to Options.MaxHold, cut to
	// whole milliseconds. 0: Options.HoldFor.
	HoldFor time.Duration `json:"hold_for,omitempty"`

	// Promise is when the customer was told that the goods are ready; pick lists
	// are in its order. Zero: what the location's Terms allow, if it has any.
	Promise time.Time `json:"promise,omitzero"`

	// Form is how the goods reach the customer: sourcing.Collect at the nearest
	// location or at At; sourcing.ShipToStore at At, where what is missing is
	// brought; sourcing.Ship to Near. Forms names the SKUs that go another way.
	Form  sourcing.Form            `json:"form,omitempty"`
	Forms map[string]sourcing.Form `json:"forms,omitempty"`

	// MaxLocations is over how many locations the order may be split, at most 64;
	// one that serves two forms counts twice. What is collected is at one location
	// if other lines are not.
	// 0: Rules.MaxLocations, and at least two with sourcing.ShipToStore.
	MaxLocations int `json:"max_locations,omitempty"`
	// Partial lets the order be filled in part, when nobody can fill all of it.
	Partial bool `json:"partial,omitempty"`
	// Together are groups of SKUs that come from one location each. Of an order
	// that is filled in part, a group is left out whole.
	Together [][]string `json:"together,omitempty"`
	// Substitutes are the SKUs the customer takes instead of another, one for one,
	// the best first, at most 64 of each: the first of which a location has enough,
	// else units of several. Unknown ones are skipped. Allocation.Substituted says
	// what was taken for what.
	Substitutes map[string][]string `json:"substitutes,omitempty"`

	// Payment is how the customer pays, such as "prepaid" or "at the till": one of
	// Terms.Payments. Empty: it does not matter.
	Payment string `json:"payment,omitempty"`
	// Groups are those of Terms.Groups that may serve the order. Empty: any.
	Groups []string `json:"groups,omitempty"`
	// Prefer are locations that come before all others, the first one first;
	// Exclude are locations that do not serve this order.
	Prefer  []string `json:"prefer,omitempty"`
	Exclude []string `json:"exclude,omitempty"`
	// NeededBy is when the goods must be ready. Zero: whenever they are.
	NeededBy time.Time `json:"needed_by,omitzero"`
	// Window is the start of the pickup window in which the customer comes. Zero:
	// none.
	Window time.Time `json:"window,omitzero"`
}

// Allocation is a reservation just made: every line of the order is held at one
// location, or at those of Parts.
type Allocation struct {
	ID        string        `json:"id"`                  // the order's
	Part      int           `json:"part,omitempty"`      // of a part, its number, from 1; 0: it is the whole order
	Location  string        `json:"location"`            // where the goods are held; of a split order, the first part's
	Distance  geo.Meters    `json:"distance,omitempty"`  // from Order.Near, great circle; of what is brought, from the chosen store
	HeldUntil time.Time     `json:"held_until,omitzero"` // the deadline, in UTC and whole milliseconds
	Form      sourcing.Form `json:"form,omitempty"`      // how the goods reach the customer
	Ready     time.Time     `json:"ready,omitzero"`      // when all of it is promised to be ready; zero where no Terms say
	Cost      int64         `json:"cost,omitempty"`      // by the rules' costs, of an order that was split or ranked by them

	why *decision
}

// Outcome is what AllocateAll answers to one order.
type Outcome struct {
	Allocation
	Err error // as of Allocate; nil: all is held
}

// wants is a checked order: its lines by handle, ascending, each SKU once.
type wants struct {
	lines  []reservation.Line
	within geo.Meters
	set    topology.KindSet
	at     uint32 // the slot of Order.At
}

// Allocate chooses the location for an order and holds every line there until a
// deadline, in one step: the nearest location in reach that can fill the whole
// order, ties broken by location ID, or the one the order names. Each nearer one
// could not fill it at an instant during the call. It takes no lock on stock and
// allocates nothing; in memory a call costs about a microsecond, with a directory
// it waits for the disk besides.
//
// A repeat of an order gets the answer of the first call, whatever became of the
// reservation since: Lookup says that. Its HeldUntil is another one only if the
// order leaves HoldFor to the Options and those have been changed.
//
// Errors, in order of precedence: that of ctx; ErrClosed; ErrNoSpace;
// *InvalidError; ErrOverflow (more than 2^31 − 1 units of a SKU);
// ErrUnknownLocation; ErrUnknownSKU; ErrConflict; *NoLocationError. Each means
// that nothing was changed. ErrJournal, or that of a ctx which ended while it
// waited for the disk: unknown; repeat it with the same ID.
func (a *Allocator) Allocate(ctx context.Context, o Order) (Allocation, error) {
	c, err := a.gate.Admit(ctx)
	if err != nil {
		return Allocation{}, fmt.Errorf("allocator: allocate: %w", err)
	}
	defer c.End()
	begun := begun(c.Pass)
	got, t, err := a.allocate(scratchOf(c.Pass), &o)
	waited := c.Wait(ctx, t)
	if !begun.IsZero() {
		a.timing.allocateTime.Add(time.Since(begun))
	}
	if waited != nil {
		return Allocation{}, fmt.Errorf("allocator: order %s: %w", quoted(o.ID), waited)
	}
	return got, err
}

// AllocateAll is Allocate for each of the orders, in turn, and then one wait for
// the disk: what a caller does who has many at hand. The outcomes are in the
// order of the orders, each as if it had been the only one.
func (a *Allocator) AllocateAll(ctx context.Context, orders ...Order) []Outcome {
	out := make([]Outcome, len(orders))
	if err := a.checkBatch("orders", len(orders)); err != nil {
		for i := range out {
			out[i].Err = fmt.Errorf("allocator: order %s: %w", quoted(orders[i].ID), err)
		}
		return out
	}
	tickets := make([]reservation.Ticket, len(orders))
	// Close is to wait for the end of it.
	if c, err := a.gate.Enter(); err == nil {
		defer c.Leave()
	}
	var last reservation.Ticket
	for i := range orders {
		out[i], tickets[i] = a.allocateOne(ctx, &orders[i])
		if tickets[i].Sequence > last.Sequence {
			last = tickets[i]
		}
	}
	if a.ledger.Wait(ctx, last) != nil { // some may be written all the same
		for i := range out {
			if err := a.ledger.Wait(ctx, tickets[i]); err != nil {
				out[i] = Outcome{Err: fmt.Errorf("allocator: order %s: %w", quoted(orders[i].ID), err)}
			}
		}
	}
	return out
}

// allocateOne is Allocate up to the ticket that is to be waited for.
func (a *Allocator) allocateOne(ctx context.Context, o *Order) (out Outcome, t reservation.Ticket) {
	c, err := a.gate.Admit(ctx)
	if err != nil {
		out.Err = fmt.Errorf("allocator: order %s: %w", quoted(o.ID), err)
		return out, t
	}
	defer c.End()
	out.Allocation, t, out.Err = a.allocate(scratchOf(c.Pass), o)
	c.Leave()
	return out, t
}

// allocate is Allocate up to the ticket that is to be waited for, also if there is
// an error.
func (a *Allocator) allocate(s *scratch, o *Order) (got Allocation, ticket reservation.Ticket, err error) {
	s.route.Expect(a.ledger, o.ID)
	s.hold.Now = s.Now()
	if err = a.checkTerms(s, o); err == nil {
		t := a.locations.Load()
		if sh := a.shadow.Load(); sh != nil {
			got, ticket, err = a.allocateShadowed(s, t, o, sh)
		} else {
			got, ticket, err = a.decide(s, t, o)
		}
	}
	if err == nil {
		return got, ticket, nil
	}
	if _, looked := err.(*NoLocationError); !looked {
		if again, ok := a.answered(s, o); ok {
			return again, s.ticket, nil
		}
	}
	return got, ticket, err
}

// decide is allocate for an order whose terms are checked.
func (a *Allocator) decide(s *scratch, t *topology.Catalogue, o *Order) (Allocation, reservation.Ticket, error) {
	if a.needsPlan(t, o, s.Now()) {
		s.ticket = reservation.Ticket{}
		got, err := a.source(s, *o)
		return got, s.ticket, err
	}
	if o.At == "" { // early, so that what it reads is near when the names are resolved
		s.route.Aim(t, o.Near, cmp.Or(o.MaxDistance, a.options.MaxDistance))
	}
	w, err := a.check(s, o.Near, o.At == "" && !a.keptNowhere(s, o), o.Lines, o.MaxDistance, o.Kinds)
	if err != nil {
		if _, ok := a.ledger.Slot(o.At); !ok && o.At != "" && errors.Is(err, ErrUnknownSKU) {
			err = fmt.Errorf("%w: %s", ErrUnknownLocation, quoted(o.At))
		}
		return Allocation{}, reservation.Ticket{}, fmt.Errorf("allocator: order %s: %w", quoted(o.ID), err)
	}
	s.ticket = reservation.Ticket{}
	s.protection = a.channels.LevelsOf(o.Channel)
	var got Allocation
	switch {
	case o.At != "":
		got, err = a.allocateAt(s, t, o, w)
	case o.Near == geo.Point{}: // see keptNowhere
		got, err = a.refuse(s, t, o, w, w.digest(a.orderDigest(o, w.set), o))
	default:
		got, err = a.allocateNear(s, t, o, w)
	}
	return got, s.ticket, err
}

// checkTerms validates the ID of an order and what is to be noted with it, and
// fills in s.hold; s.hold.Now is set.
func (a *Allocator) checkTerms(s *scratch, o *Order) error {
	if err := a.checkID("ID", o.ID); err != nil {
		return fmt.Errorf("allocator: order: %w", err)
	}
	h := &s.hold
	h.ID, h.Deadline, h.Promise = o.ID, h.Now+a.holdFor, 0
	h.Note = nil
	h.Order, h.Customer, h.Owner, h.Channel = o.Order, o.Customer, o.Owner, o.Channel
	if !o.hasTerms() {
		return nil
	}
	for _, text := range [...]struct{ field, is string }{{"Order", o.Order}, {"Customer", o.Customer}, {"Owner", o.Owner}, {"Channel", o.Channel}} {
		if err := a.checkText(text.field, text.is); err != nil {
			return fmt.Errorf("allocator: order %s: %w", quoted(o.ID), err)
		}
	}
	if o.HoldFor != 0 {
		if o.HoldFor < time.Millisecond || o.HoldFor > a.options.MaxHold {
			return fmt.Errorf("allocator: order %s: %w", quoted(o.ID), &InvalidError{Field: "HoldFor", Value: o.HoldFor,
				Why: fmt.Sprintf("must be 0 or 1ms to the %v of Options.MaxHold", a.options.MaxHold)})
		}
		h.Deadline = h.Now + o.HoldFor.Milliseconds()
	}
	if err := checkTime("Promise", o.Promise); err != nil {
		return fmt.Errorf("allocator: order %s: %w", quoted(o.ID), err)
	}
	h.Promise = millis(o.Promise)
	return nil
}

// hasTerms tells the orders that say more than what goods and where.
func (o *Order) hasTerms() bool {
	return o.HoldFor != 0 || o.Order != "" || o.Customer != "" || o.Owner != "" || o.Channel != "" || !o.Promise.IsZero()
}

// check validates what orders and queries have in common, and translates the
// lines into s.lines.
func (a *Allocator) check(s *scratch, near geo.Point, placed bool, lines []Line, within geo.Meters, allowed []Kind) (w wants, err error) {
	if err := a.checkLineCount(len(lines)); err != nil {
		return w, err
	}
	if w, err = a.checkReach(near, placed, within, allowed); err != nil {
		return w, err
	}
	w.lines, err = a.resolve(s, lines)
	return w, err
}

// keptNowhere reports whether an order without a place is in the book all the same:
// the zero Point was a place once. It is answered from there, and never looked for
// anew.
func (a *Allocator) keptNowhere(s *scratch, o *Order) bool {
	return o.Near == geo.Point{} && a.ledger.Find(o.ID, &s.found)
}

// resolve turns lines into handles, ascending and each SKU once.
func (a *Allocator) resolve(s *scratch, lines []Line) ([]reservation.Line, error) {
	out := s.lines[:0]
	sorted := true
	unknown, unusable := "", false // the first unknown SKU; whether any line is of no use
	for i := range lines {
		line := &lines[i]
		if line.Quantity < 1 {
			return nil, &InvalidError{Field: fmt.Sprintf("Lines[%d].Quantity", i), Value: line.Quantity, Why: "must be 1 or more"}
		}
		sku, ok := a.ledger.SKU(line.SKU)
		if !ok || strings.IndexByte(line.SKU, 0) >= 0 { // names with a zero byte are the engine's own
			if err := a.checkID(fmt.Sprintf("Lines[%d].SKU", i), line.SKU); err != nil {
				return nil, err
			}
			unknown = cmp.Or(unknown, line.SKU)
		}
		if !ok || line.Quantity > reservation.MaxQuantity {
			unusable = true
			continue
		}
		sorted = sorted && (len(out) == 0 || out[len(out)-1].SKU < sku)
		out = append(out, reservation.Line{SKU: sku, Quantity: line.Quantity})
	}
	s.lines = out
	if unusable {
		return nil, unusableLines(lines, unknown)
	}
	if sorted {
		return out, nil
	}
	return a.sum(s, out)
}

// unusableLines words why well-formed lines cannot be resolved: a quantity out
// of range goes before a SKU that is unknown.
func unusableLines(lines []Line, unknown string) error {
	sums := make(map[string]int64, len(lines))
	for i, line := range lines {
		sum, fits := addUnits(sums[line.SKU], line.Quantity)
		if !fits {
			return fmt.Errorf("%d units of SKU %s in Lines[%d]: %w", line.Quantity, quoted(line.SKU), i, ErrOverflow)
		}
		sums[line.SKU] = sum
	}
	return fmt.Errorf("%w: %s", ErrUnknownSKU, quoted(unknown))
}

// sum sorts lines and adds up those of the same SKU.
func (a *Allocator) sum(s *scratch, lines []reservation.Line) ([]reservation.Line, error) {
	if len(lines) <= 12 {
		for i := 1; i < len(lines); i++ {
			for j := i; j > 0 && lines[j-1].SKU > lines[j].SKU; j-- {
				lines[j-1], lines[j] = lines[j], lines[j-1]
			}
		}
	} else {
		slices.SortFunc(lines, func(x, y reservation.Line) int { return int(int64(x.SKU) - int64(y.SKU)) })
	}
	out := lines[:1]
	for _, line := range lines[1:] {
		last := &out[len(out)-1]
		if line.SKU != last.SKU {
			out = append(out, line)
			continue
		}
		if last.Quantity += line.Quantity; last.Quantity > reservation.MaxQuantity {
			return nil, fmt.Errorf("%d units of SKU %s over all lines: %w", last.Quantity, quoted(a.ledger.SKUName(line.SKU)), ErrOverflow)
		}
	}
	s.lines = out
	return out, nil
}

// allocateNear is the hot path: it claims at the nearest location that can fill the
// order, and goes on to the next when the claim is lost. s.route has been aimed.
func (a *Allocator) allocateNear(s *scratch, t *topology.Catalogue, o *Order, w wants) (Allocation, error) {
	mark := w.digest(a.orderDigest(o, w.set), o)
	if w.set != 0 {
		s.noteShort(w.set, "")
	}
	for ok := s.route.Start(a.ledger, w.lines, t.Filter(w.set, sourcing.Collect)); ok && s.route.Next(); {
		if got, err, ended := a.claim(s, o, s.route.Spot().ID, mark); ended {
			return got, err
		}
		s.Count(gate.LostRaces)
	}
	return a.refuse(s, t, o, w, mark)
}

// claim reserves at the location that the route has found. ended is false when it is
// short.
func (a *Allocator) claim(s *scratch, o *Order, location string, mark uint64) (got Allocation, err error, ended bool) {
	s.hold.Fingerprint = mark
	if s.protection != nil {
		for i := range s.route.Lines() {
			s.route.Keep(i, s.protection.Of(s.route.Line(i).SKU, s.route.Slot()))
		}
	}
	switch s.route.Claim(&s.hold, &s.found) {
	case reservation.Done:
		return a.allocated(s, o, location), nil, true
	case reservation.Known:
		got, err = a.repeat(s, o, mark, false)
		return got, err, true
	case reservation.Failed:
		return Allocation{}, fmt.Errorf("allocator: order %s: %w", quoted(o.ID), s.route.Err()), true
	}
	return Allocation{}, nil, false
}

// allocated is the answer to an order whose lines are held.
func (a *Allocator) allocated(s *scratch, o *Order, location string) Allocation {
	s.ticket = s.route.Ticket()
	s.Count(gate.Allocated)
	a.due(s.hold.Deadline)
	return Allocation{ID: o.ID, Location: location, Distance: s.route.Distance(), HeldUntil: fromMillis(s.hold.Deadline)}
}

// allocateAt reserves at the location the order names.
func (a *Allocator) allocateAt(s *scratch, t *topology.Catalogue, o *Order, w wants) (Allocation, error) {
	slot, ok := a.ledger.Slot(o.At)
	if !ok {
		return Allocation{}, fmt.Errorf("allocator: order %s: %w: %s", quoted(o.ID), ErrUnknownLocation, quoted(o.At))
	}
	if t.Number(slot) == reservation.NoNumber || slot >= t.Slots() { // added a moment ago, not yet searched
		return Allocation{}, fmt.Errorf("allocator: order %s: %w: %s", quoted(o.ID), ErrUnknownLocation, quoted(o.At))
	}
	w.at = slot
	mark := w.digest(a.orderDigest(o, w.set), o)
	p := t.Place(slot)
	distance := geo.Meters(0)
	if o.Near != (geo.Point{}) {
		distance = geo.Distance(o.Near, p.Point)
	}
	tooFar := o.Near != (geo.Point{}) && w.within > 0 && distance > w.within
	if tooFar || !t.Anywhere(w.set, sourcing.Collect) && !p.Allows(w.set, sourcing.Collect) {
		return a.refuse(s, t, o, w, mark)
	}
	if !s.route.Bind(a.ledger, t, slot, distance, w.lines) {
		return a.refuse(s, t, o, w, mark)
	}
	if len(o.At) > notes.MaxTerms { // there are such locations
		return Allocation{}, fmt.Errorf("allocator: order %s: %w", quoted(o.ID), noteFault((&notes.Terms{At: o.At}).Long(len(o.At), notes.MaxTerms)))
	}
	s.noteShort(w.set, o.At) // a reroute is not to send the customer elsewhere
	if got, err, ended := a.claim(s, o, p.ID, mark); ended {
		return got, err
	}
	return a.refuse(s, t, o, w, mark)
}
