package book

import "github.com/clickcollect/clickcollect/reservation/life"

// Store is the location that the goods are brought to; 0 if that is not their form.
func (e *Entry) Store() uint32 {
	if e.Form != life.Brought {
		return 0
	}
	return e.To
}
