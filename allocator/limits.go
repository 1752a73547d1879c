package allocator

import (
	"errors"
	"fmt"

	"github.com/clickcollect/clickcollect/allocator/internal/notes"
	"github.com/clickcollect/clickcollect/allocator/internal/topology"
	"github.com/clickcollect/clickcollect/allocator/sourcing"
	"github.com/clickcollect/clickcollect/geo"
)

// Every list that comes in has a limit, so that no call costs more than the host
// has allowed. An order is looked at by every location that could serve it: its
// lists are turned into sets once (sourcing.Request.Index), and so are those of a
// location's terms when it is set (sourcing.Site.Index).
//
// An order that is in the book already was accepted by other limits, perhaps; a
// repeat of it gets its answer whatever the limits are now, but for that of Kinds,
// of which there are few.

// checkLists refuses an order with a list that is too long.
func (a *Allocator) checkLists(o *Order) error {
	listed, lines := a.options.MaxListed, a.options.MaxLines
	together := len(o.Together)
	for _, group := range o.Together {
		together += len(group)
	}
	for _, list := range [...]struct {
		field        string
		has, most    int
		option, unit string
	}{
		{"Kinds", len(o.Kinds), listed, "MaxListed", "kinds"},
		{"Groups", len(o.Groups), listed, "MaxListed", "groups"},
		{"Prefer", len(o.Prefer), listed, "MaxListed", "locations"},
		{"Exclude", len(o.Exclude), listed, "MaxListed", "locations"},
		{"Forms", len(o.Forms), lines, "MaxLines", "SKUs"},
		{"Substitutes", len(o.Substitutes), lines, "MaxLines", "SKUs"},
		{"Together", together, 2 * lines, "MaxLines", "groups and SKUs, twice the number"},
	} {
		if list.has > list.most {
			return &InvalidError{Field: list.field, Value: list.has, Why: fmt.Sprintf("are more than the %d %s of Options.%s", list.most, list.unit, list.option)}
		}
	}
	return nil
}

// checkListed validates the length of one list.
func (a *Allocator) checkListed(field string, n int) error {
	if n > a.options.MaxListed {
		return &InvalidError{Field: field, Value: n, Why: fmt.Sprintf("are more than the %d of Options.MaxListed", a.options.MaxListed)}
	}
	return nil
}

// checkBatch validates how many items a call brings.
func (a *Allocator) checkBatch(field string, n int) error {
	if n > a.options.MaxBatch {
		return &InvalidError{Field: field, Value: n, Why: fmt.Sprintf("are more than the %d of Options.MaxBatch", a.options.MaxBatch)}
	}
	return nil
}

// checkVertices validates the size of an area; nil: there is none.
func (a *Allocator) checkVertices(field string, area *geo.Area) error {
	if area == nil {
		return nil
	}
	n := 0
	for _, ring := range area.Rings() {
		n += len(ring)
	}
	if n > a.options.MaxVertices {
		return &InvalidError{Field: field, Value: n, Why: fmt.Sprintf("has more vertices than the %d of Options.MaxVertices", a.options.MaxVertices)}
	}
	return nil
}

// newOrder is newPlan for an order of a caller's: what could not be kept is refused,
// so that no reroute forgets what the order forbids.
func (a *Allocator) newOrder(s *scratch, t *topology.Catalogue, o *Order, rules *sourcing.Rules, inBook bool) (*planned, error) {
	if err := a.checkLists(o); err != nil && !inBook {
		return nil, fmt.Errorf("allocator: order %s: %w", quoted(o.ID), err)
	}
	p, err := a.newPlan(s, t, o, rules, inBook, false)
	if err != nil {
		return p, err
	}
	// The form whose name is the longest stands for all.
	if _, err := p.terms(sourcing.ShipToStore).Bytes(notes.MaxTerms); err != nil && !inBook {
		return nil, fmt.Errorf("allocator: order %s: %w", quoted(o.ID), noteFault(err))
	}
	return p, nil
}

// noteFault words that terms are too long to be kept.
func noteFault(err error) error {
	var long *notes.LongError
	if !errors.As(err, &long) {
		return err
	}
	return &InvalidError{Field: long.Field, Value: fmt.Sprintf("of %d bytes", long.Takes),
		Why: fmt.Sprintf("makes the terms %d bytes long; at most %d are kept, for the case that the order has to go elsewhere", long.Bytes, long.Max)}
}

// leftOf is the location that a part was rerouted from, the latest; empty: none.
func (a *Allocator) leftOf(t *notes.Terms) string {
	if t.Left > 0 && int(t.Left) <= a.ledger.Slots() {
		return a.ledger.SlotName(t.Left - 1)
	}
	return t.From
}

// excluded is the locations that do not serve what is rerouted.
func (a *Allocator) excluded(t *notes.Terms) []string {
	all := make([]string, 0, len(t.Exclude)+len(t.Rejected)+1)
	all = append(all, t.Exclude...)
	for _, slot := range t.Rejected {
		if int(slot) < a.ledger.Slots() {
			all = append(all, a.ledger.SlotName(slot))
		}
	}
	return all
}
