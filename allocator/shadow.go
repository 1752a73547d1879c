package allocator

import (
	"errors"
	"fmt"

	"github.com/clickcollect/clickcollect/allocator/internal/gate"
	"github.com/clickcollect/clickcollect/allocator/internal/topology"
	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/reservation"
	"github.com/clickcollect/clickcollect/reservation/lock"
)

// shadow is a second set of rules that decides along without holding anything.
type shadow struct {
	rules *sourcing.Rules
	mu    lock.Mutex
	sums  sourcing.Comparison
}

// SetShadow lets a second set of rules decide every order of Allocate from now on,
// on the same stock and before anything is held, and counts what would have been
// different; nil ends that. What was counted before is gone. It costs each order
// the time of a Quote.
//
// Errors: *InvalidError.
func (a *Allocator) SetShadow(rules *sourcing.Rules) error {
	if rules == nil {
		a.shadow.Store(nil)
		return nil
	}
	if err := rules.Validate(); err != nil {
		return fmt.Errorf("allocator: set shadow: %w", &InvalidError{Field: "Rules", Value: "", Why: err.Error()})
	}
	own := *rules
	a.shadow.Store(&shadow{rules: &own})
	return nil
}

// Shadow is the comparison so far between the rules in force and those of
// SetShadow; false: none are set.
func (a *Allocator) Shadow() (sourcing.Comparison, bool) {
	sh := a.shadow.Load()
	if sh == nil {
		return sourcing.Comparison{}, false
	}
	sh.mu.Lock(lock.Comparison)
	defer sh.mu.Unlock()
	return sh.sums, true
}

// Compare decides each order by the rules in force and by others, both without
// holding anything, and compares. The error is that of the first order that is
// not valid; orders that nobody can fill are counted, not errors.
func (a *Allocator) Compare(rules sourcing.Rules, orders ...Order) (sourcing.Comparison, error) {
	var sums sourcing.Comparison
	if err := rules.Validate(); err != nil {
		return sums, fmt.Errorf("allocator: compare: %w", &InvalidError{Field: "Rules", Value: "", Why: err.Error()})
	}
	if err := a.checkBatch("orders", len(orders)); err != nil {
		return sums, fmt.Errorf("allocator: compare: %w", err)
	}
	for i := range orders {
		live, err := a.Quote(orders[i])
		if err != nil && !errors.Is(err, ErrNoLocation) {
			return sums, err
		}
		other, _ := a.quote(&orders[i], &rules)
		now := a.gate.Now()
		sums.Add(a.result(live, now), a.result(other, now))
	}
	return sums, nil
}

// result is an answer as it is compared; now is engine time.
func (a *Allocator) result(got Allocation, now int64) (r sourcing.Result) {
	if got.ID == "" && got.Location == "" {
		return r
	}
	r.Filled, r.Cost = len(got.Missing()) == 0, got.Cost
	for _, part := range got.Parts() {
		r.Parts++
		r.Distance += float64(part.Distance)
		r.Sites = append(r.Sites, part.Location)
	}
	if !got.Ready.IsZero() {
		r.Wait = got.Ready.Sub(fromMillis(now))
	}
	return r
}

// allocateShadowed is allocate while there is a shadow.
func (a *Allocator) allocateShadowed(s *scratch, t *topology.Catalogue, o *Order, sh *shadow) (Allocation, reservation.Ticket, error) {
	hold := s.hold
	s.Aside() // its rules are functions of the host's
	other, otherErr := a.quoteIn(s, o, sh.rules)
	s.Resume()
	s.hold = hold
	repeated := s.Counted(gate.Repeated)
	got, ticket, err := a.decide(s, t, o)
	if s.Counted(gate.Repeated) != repeated || err != nil && !errors.Is(err, ErrNoLocation) {
		return got, ticket, err
	}
	live, shadowed := sourcing.Result{}, sourcing.Result{}
	if err == nil {
		live = a.result(got, s.Now())
	}
	if otherErr == nil {
		shadowed = a.result(other, s.Now())
	}
	sh.mu.Lock(lock.Comparison)
	defer sh.mu.Unlock()
	sh.sums.Add(live, shadowed)
	return got, ticket, err
}
