package allocator

import (
	"encoding/json"
	"fmt"
	"time"
)

// The values of the door as JSON: fields in snake case, those that are not set left out;
// times as RFC 3339, durations as Go writes them ("1h30m0s"), distances in metres; what
// is one of a few as its name, which String gives.

// marshalName is an enumeration's value as text.
func marshalName[E interface {
	~uint8
	fmt.Stringer
}](v, end E, what string) ([]byte, error) {
	if v >= end {
		return nil, fmt.Errorf("allocator: no such %s: %d", what, uint8(v))
	}
	return []byte(v.String()), nil
}

// unmarshalName reads the text of a value below end.
func unmarshalName[E interface {
	~uint8
	fmt.Stringer
}](v *E, end E, what string, text []byte) error {
	for k := range end {
		if k.String() == string(text) {
			*v = k
			return nil
		}
	}
	return &InvalidError{Field: what, Value: string(text), Why: "is none"}
}

// MarshalText is the kind in words.
func (k Kind) MarshalText() ([]byte, error) { return marshalName(k, kinds, "kind") }

// UnmarshalText reads what MarshalText writes.
func (k *Kind) UnmarshalText(text []byte) error { return unmarshalName(k, kinds, "kind", text) }

// MarshalText is the period in words.
func (p Period) MarshalText() ([]byte, error) { return marshalName(p, periods, "period") }

// UnmarshalText reads what MarshalText writes.
func (p *Period) UnmarshalText(text []byte) error { return unmarshalName(p, periods, "period", text) }

// MarshalText is the disposition in words.
func (d Disposition) MarshalText() ([]byte, error) {
	return marshalName(d, dispositions, "disposition")
}

// UnmarshalText reads what MarshalText writes.
func (d *Disposition) UnmarshalText(text []byte) error {
	return unmarshalName(d, dispositions, "disposition", text)
}

// MarshalText is the durability in words.
func (d Durability) MarshalText() ([]byte, error) { return marshalName(d, Written+1, "durability") }

// UnmarshalText reads what MarshalText writes.
func (d *Durability) UnmarshalText(text []byte) error {
	return unmarshalName(d, Written+1, "durability", text)
}

// MarshalText is the action in words; none is no text.
func (d Action) MarshalText() ([]byte, error) {
	if d == 0 {
		return nil, nil
	}
	return marshalName(d, actions, "action")
}

// UnmarshalText reads what MarshalText writes.
func (d *Action) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*d = 0
		return nil
	}
	return unmarshalName(d, actions, "action", text)
}

// inWords is a duration in JSON.
type inWords time.Duration

// MarshalText is the duration as Go writes it.
func (d inWords) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads what time.ParseDuration does.
func (d *inWords) UnmarshalText(text []byte) error {
	got, err := time.ParseDuration(string(text))
	if err != nil {
		return &InvalidError{Field: "duration", Value: string(text), Why: `must be such as "1h30m"`}
	}
	*d = inWords(got)
	return nil
}

// MarshalJSON is the order as JSON.
func (o Order) MarshalJSON() ([]byte, error) {
	type plain Order
	return json.Marshal(struct {
		plain
		HoldFor inWords `json:"hold_for,omitzero"`
	}{plain(o), inWords(o.HoldFor)})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (o *Order) UnmarshalJSON(text []byte) error {
	type plain Order
	in := struct {
		*plain
		HoldFor *inWords `json:"hold_for,omitzero"`
	}{(*plain)(o), (*inWords)(&o.HoldFor)}
	return json.Unmarshal(text, &in)
}

// MarshalJSON is the window as JSON.
func (w Window) MarshalJSON() ([]byte, error) {
	type plain Window
	return json.Marshal(struct {
		plain
		Length inWords `json:"length,omitzero"`
	}{plain(w), inWords(w.Length)})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (w *Window) UnmarshalJSON(text []byte) error {
	type plain Window
	in := struct {
		*plain
		Length *inWords `json:"length,omitzero"`
	}{(*plain)(w), (*inWords)(&w.Length)}
	return json.Unmarshal(text, &in)
}

// MarshalJSON is the window as JSON, with what is taken of it.
func (w WindowState) MarshalJSON() ([]byte, error) {
	type plain Window
	return json.Marshal(struct {
		plain
		Length inWords `json:"length,omitzero"`
		Taken  int64   `json:"taken"`
		Free   int64   `json:"free"`
	}{plain(w.Window), inWords(w.Length), w.Taken, w.Free})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (w *WindowState) UnmarshalJSON(text []byte) error {
	type plain Window
	in := struct {
		*plain
		Length *inWords `json:"length,omitzero"`
		Taken  *int64   `json:"taken"`
		Free   *int64   `json:"free"`
	}{(*plain)(&w.Window), (*inWords)(&w.Length), &w.Taken, &w.Free}
	return json.Unmarshal(text, &in)
}

// MarshalJSON is how long the SKU keeps as JSON.
func (s ShelfLife) MarshalJSON() ([]byte, error) {
	type plain ShelfLife
	return json.Marshal(struct {
		plain
		Keeps inWords `json:"keeps,omitzero"`
	}{plain(s), inWords(s.Keeps)})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (s *ShelfLife) UnmarshalJSON(text []byte) error {
	type plain ShelfLife
	in := struct {
		*plain
		Keeps *inWords `json:"keeps,omitzero"`
	}{(*plain)(s), (*inWords)(&s.Keeps)}
	return json.Unmarshal(text, &in)
}

// MarshalJSON is the terms as JSON.
func (t Terms) MarshalJSON() ([]byte, error) {
	type plain Terms
	return json.Marshal(struct {
		plain
		Prep     inWords `json:"prep,omitzero"`
		CutOff   inWords `json:"cutoff,omitzero"`
		Transfer inWords `json:"transfer,omitzero"`
		Delivery inWords `json:"delivery,omitzero"`
	}{plain(t), inWords(t.Prep), inWords(t.CutOff), inWords(t.Transfer), inWords(t.Delivery)})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (t *Terms) UnmarshalJSON(text []byte) error {
	type plain Terms
	in := struct {
		*plain
		Prep     *inWords `json:"prep,omitzero"`
		CutOff   *inWords `json:"cutoff,omitzero"`
		Transfer *inWords `json:"transfer,omitzero"`
		Delivery *inWords `json:"delivery,omitzero"`
	}{(*plain)(t), (*inWords)(&t.Prep), (*inWords)(&t.CutOff), (*inWords)(&t.Transfer), (*inWords)(&t.Delivery)}
	return json.Unmarshal(text, &in)
}
