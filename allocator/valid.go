package allocator

import (
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/clickcollect/clickcollect/geo"
)

// Every ID, name and reference that a caller gives is held to one rule, here:
//
//   - It has 1 to Options.MaxIDBytes bytes; where a field says so it may be empty.
//   - It is valid UTF-8. Some of what is set is kept as JSON, which has no other
//     text: it would come back as another one after a restart.
//   - It has no zero byte, which the names have that are the engine's own: of
//     quotas, lots, loans, windows and periods.
//
// All else is the caller's business, other control characters too. A text is never
// trimmed, folded or replaced: two are the same if all their bytes are.
//
// Earlier versions took any bytes, so a directory may have names that no call could
// bring in today. What is there under such a name is not stranded: calls that read it,
// or change or end it, find it by that name as before (checkKnown). Nothing new gets
// one: a new order, a repeat of an old one included, is refused, and Lookup tells
// what became of the old one.

// textFault says what is wrong with a text that is not empty; empty: nothing.
func (a *Allocator) textFault(text string) string {
	switch {
	case strings.IndexByte(text, 0) >= 0:
		return "must not have a zero byte"
	case len(text) > a.options.MaxIDBytes:
		return fmt.Sprintf("is %d bytes long, at most %d are allowed", len(text), a.options.MaxIDBytes)
	case !utf8.ValidString(text):
		return "must be valid UTF-8"
	}
	return ""
}

// checkID validates an ID, or any other text that must not be empty.
func (a *Allocator) checkID(field, id string) error {
	if id == "" {
		return &InvalidError{Field: field, Value: id, Why: "must not be empty"}
	}
	return a.checkText(field, id)
}

// checkText validates a text that may be empty.
func (a *Allocator) checkText(field, text string) error {
	if why := a.textFault(text); why != "" {
		return &InvalidError{Field: field, Value: text, Why: why}
	}
	return nil
}

// checkKnown is checkID for a text by which something is found that may be there
// already, perhaps since an earlier version. Names with a zero byte are the engine's
// own, so they are known, and nobody else's.
func (a *Allocator) checkKnown(field, id string, known bool) error {
	if known && id != "" && strings.IndexByte(id, 0) < 0 {
		return nil
	}
	return a.checkID(field, id)
}

// checkReservation validates the ID of an order.
func (a *Allocator) checkReservation(s *scratch, id string) error {
	err := a.checkID("Reservation", id)
	if err == nil || id == "" {
		return err
	}
	known := a.ledger.Find(id, &s.found) || len(a.partsOf(id)) > 0
	return a.checkKnown("Reservation", id, known)
}

// checkSKU validates the name of a SKU, known or not.
func (a *Allocator) checkSKU(field, sku string) error {
	_, known := a.ledger.SKU(sku)
	return a.checkKnown(field, sku, known || a.goods.IsBundle(sku))
}

// checkLocation validates the ID of a location, known or not.
func (a *Allocator) checkLocation(field, id string) error {
	_, known := a.ledger.Slot(id)
	return a.checkKnown(field, id, known)
}

// checkChannel validates the name of a channel for which something is set.
func (a *Allocator) checkChannel(field, channel string) error {
	return a.checkKnown(field, channel, a.channels.Known(channel))
}

// checkTexts validates a list of texts, none of which is empty.
func (a *Allocator) checkTexts(field string, texts []string) error {
	for i, text := range texts {
		if err := a.checkID(fmt.Sprintf("%s[%d]", field, i), text); err != nil {
			return err
		}
	}
	return nil
}

// checkWishes validates the texts that only planned orders have.
func (a *Allocator) checkWishes(o *Order) error {
	for _, list := range [...]struct {
		name  string
		texts []string
	}{{"Groups", o.Groups}, {"Prefer", o.Prefer}, {"Exclude", o.Exclude}} {
		if err := a.checkTexts(list.name, list.texts); err != nil {
			return err
		}
	}
	for _, sku := range sorted(o.Forms) {
		if err := a.checkSKU("Forms", sku); err != nil {
			return err
		}
	}
	for _, sku := range sorted(o.Substitutes) {
		if err := a.checkID("Substitutes", sku); err != nil {
			return err
		}
		field := fmt.Sprintf("Substitutes[%s]", quoted(sku))
		if n := len(o.Substitutes[sku]); n > maxSubstitutes {
			return &InvalidError{Field: field, Value: n, Why: fmt.Sprintf("are more than %d", maxSubstitutes)}
		}
		if err := a.checkTexts(field, o.Substitutes[sku]); err != nil {
			return err
		}
	}
	return a.checkText("Payment", o.Payment)
}

// goodsSKU finds the SKU of that name, but never a name of the engine's own.
func (a *Allocator) goodsSKU(name string) (handle uint32, ok bool) {
	if strings.IndexByte(name, 0) >= 0 {
		return 0, false
	}
	return a.ledger.SKU(name)
}

// checkPoint validates a place that must be given. The zero Point is no place but a
// field that was left out: 0° N 0° E is open sea.
func checkPoint(field string, p geo.Point) error {
	if p == (geo.Point{}) {
		return &InvalidError{Field: field, Value: p, Why: "must be given"}
	}
	if err := p.Validate(); err != nil {
		return &InvalidError{Field: field, Value: p, Why: err.Error()}
	}
	return nil
}

// checkReach validates where an order or a query looks; placed: it must say where.
func (a *Allocator) checkReach(near geo.Point, placed bool, within geo.Meters, allowed []Kind) (w wants, err error) {
	if placed || near != (geo.Point{}) {
		if err := checkPoint("Near", near); err != nil {
			return w, err
		}
	}
	if within != 0 {
		if err := checkDistance("MaxDistance", within); err != nil {
			return w, err
		}
		w.within = within
	} else {
		w.within = a.options.MaxDistance
	}
	if err := a.checkListed("Kinds", len(allowed)); err != nil {
		return w, err
	}
	for i, k := range allowed {
		if k >= kinds {
			return w, &InvalidError{Field: fmt.Sprintf("Kinds[%d]", i), Value: uint8(k), Why: "is not a kind of location"}
		}
		w.set |= 1 << k
	}
	return w, nil
}

// checkDistance validates how far something may be.
func checkDistance(field string, d geo.Meters) error {
	if !(d >= 0) || math.IsInf(float64(d), 0) {
		return &InvalidError{Field: field, Value: d, Why: "must be a finite number of meters, 0 or more"}
	}
	return nil
}

const (
	mostLines = 1 << 20 // of one record
	noLines   = "must have at least one line"
)

// checkMovedCount validates how many lines a movement has. A movement is a list of the
// host's own, a night's file of a whole shop perhaps: one with more lines than an order
// may have is taken as calls that take many are, and still all of it or nothing.
func checkMovedCount(o *Options, n int) error {
	most, why := max(o.MaxLines, min(o.MaxBatch, mostLines)), ""
	switch {
	case n == 0:
		why = noLines
	case n > most:
		why = fmt.Sprintf("has more lines than the %d that a movement may have by Options.MaxBatch", most)
	default:
		return nil
	}
	return &InvalidError{Field: "Lines", Value: n, Why: why}
}

// checkLineCount validates how many lines there are.
func (a *Allocator) checkLineCount(n int) error {
	switch {
	case n == 0:
		return &InvalidError{Field: "Lines", Value: n, Why: noLines}
	case n > a.options.MaxLines:
		return &InvalidError{Field: "Lines", Value: n, Why: fmt.Sprintf("has more lines than the %d of Options.MaxLines", a.options.MaxLines)}
	}
	return nil
}
