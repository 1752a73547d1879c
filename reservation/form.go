package reservation

import (
	"fmt"

	"github.com/clickcollect/clickcollect/reservation/history"
	"github.com/clickcollect/clickcollect/reservation/life"
)

// formError is the refusal of a change that is not for the form of a reservation, or not
// where its goods are or would go. name is the location of a slot.
func formError(w *life.Way, id string, part int, verb history.Kind, rule *life.Rule, name func(slot uint32) string) error {
	e := &FormError{ID: id, Part: part, Form: w.Form, Verb: verb}
	if w.Form == Brought {
		e.Store = name(w.Store)
		switch {
		case rule.InStore:
			e.Location = name(w.At)
		case rule.ToStore:
			e.Location = name(w.To)
		}
	}
	return fmt.Errorf("%w", e)
}
