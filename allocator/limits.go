package allocator

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"

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
	if _, err := p.terms(sourcing.ShipToStore).bytes(maxTerms); err != nil && !inBook {
		return nil, fmt.Errorf("allocator: order %s: %w", quoted(o.ID), err)
	}
	return p, nil
}

// bytes is the terms as they are kept; *InvalidError: they are longer than that.
func (t orderTerms) bytes(most int) ([]byte, error) {
	note, err := json.Marshal(&t)
	if err == nil && len(note) > most {
		err = t.tooLong(len(note), most)
	}
	if err != nil {
		return nil, err
	}
	return note, nil
}

// tooLong names the field that takes the most.
func (t *orderTerms) tooLong(n, most int) error {
	worst, bytes, first := "", 0, t.First
	if first == nil {
		first = new(firstAnswer)
	}
	for _, f := range [...]struct {
		field string
		value any
	}{{"Exclude", t.Exclude}, {"Groups", t.Groups}, {"Substitutes", t.Instead}, {"At", t.At}, {"Payment", t.Payment}, {"Kinds", t.Kinds},
		{"Partial", first.Missing}, {"Substitutes", first.Instead}, {"Rejects", t.Rejected}} {
		if text, err := json.Marshal(f.value); err == nil && len(text) > bytes {
			worst, bytes = f.field, len(text)
		}
	}
	return &InvalidError{Field: worst, Value: fmt.Sprintf("of %d bytes", bytes),
		Why: fmt.Sprintf("makes the terms %d bytes long; at most %d are kept, for the case that the order has to go elsewhere", n, most)}
}

// changeDigest stands for the ID of a change in a note.
func changeDigest(id string) string {
	if id == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(id))
	return base64.RawStdEncoding.EncodeToString(sum[:])
}

// isBy reports whether a part was made by the change with that ID.
func (t *orderTerms) isBy(id string) bool {
	return t.ByDigest == changeDigest(id) && t.By == "" || t.By != "" && t.By == id
}

// leftOf is the location that a part was rerouted from, the latest; empty: none.
func (a *Allocator) leftOf(t *orderTerms) string {
	if t.Left > 0 && int(t.Left) <= a.ledger.Slots() {
		return a.ledger.SlotName(t.Left - 1)
	}
	return t.From
}

// excluded is the locations that do not serve what is rerouted.
func (a *Allocator) excluded(t *orderTerms) []string {
	all := make([]string, 0, len(t.Exclude)+len(t.Rejected)+1)
	all = append(all, t.Exclude...)
	for _, slot := range t.Rejected {
		if int(slot) < a.ledger.Slots() {
			all = append(all, a.ledger.SlotName(slot))
		}
	}
	return all
}
