package life

import "fmt"

// Form is how the goods of a reservation reach the customer. Its numbers are stored,
// in two bits: there is no room for more of them.
type Form uint8

// The forms.
const (
	Unsaid  Form = iota // nobody has said: every verb is possible that one of the others lets pass
	Fetched             // collected where the goods are
	Brought             // collected at a chosen store, to which the goods are brought
	Sent                // sent to the customer's address

	forms = iota // one more than the last form
)

// Valid reports whether there is such a form.
func (f Form) Valid() bool { return f < forms }

var formNames = [forms]string{Unsaid: "of no form", Fetched: "to be collected", Brought: "to be shipped to store", Sent: "to be shipped"}

// Way is how the goods of a reservation reach the customer, and where on their way they
// are. Locations are the caller's handles; they mean nothing here.
type Way struct {
	Form  Form
	Store uint32 // Brought: the chosen store
	At    uint32 // where the goods are
	To    uint32 // where a verb sends them
}

// String says of a reservation what it is, such as "to be shipped to store".
func (f Form) String() string {
	if !f.Valid() {
		return fmt.Sprintf("Form(%d)", uint8(f))
	}
	return formNames[f]
}
