// Package life is the life of a reservation as one table: which verb is possible
// in which state and for which form, between which buckets it moves the units of a line, what that
// does to the shelf, which state comes of it, which lock it needs, and what its
// record says.
//
//	            hold deadline → Expired
//	Held ── Confirmed ── Accepted ── Ready ── Collected ── Returned
//	              │          │         │
//	              └──────────┴─ InTransit (Dispatch, Arrive) → Accepted at the other place
//	                                   └─ pickup deadline → NoShow
//
//	Confirmed, Accepted ── Packed ── Shipped ── Delivered ── Returned
//	                                    └─ Lost, ReturnedToSender
//
// A new verb is a new row of the table (rules.go), and its kind in package history.
// Whoever makes a change asks the row, whoever replays one does too: there is no
// other place that knows what a verb does to a line.
//
// The room is pure. It owns the states, the verbs and what they mean. It touches
// nothing but its arguments: no clock, no lock, no other package of the module. It
// must not know how a reservation is kept, found or written down.
package life
