// Package reservation is the ledger: what is on hand, what is reserved, and how
// each reservation lives and ends, of every SKU at every location. It knows
// nothing of distance, and its rules read no clock: time comes in with each call
// as engine time, milliseconds since 1970 UTC.
//
// # Life of a reservation
//
//	            hold deadline → Expired
//	Held ── Confirmed ── Accepted ── Ready ── Collected ── Returned
//	              │          │         │
//	              └──────────┴─ InTransit (Dispatched, Arrived) → Accepted at the other place
//	                                   └─ pickup deadline → NoShow
//
//	Confirmed, Accepted ── Packed ── Shipped ── Delivered ── Returned
//	                                    └─ Lost, ReturnedToSender
//
// Held, Confirmed and Accepted ones can also become Rerouted.
//
// How the goods reach the customer, the Form, decides what is possible: what is Brought
// to a store is sent to no other one, and is made ready and handed over nowhere else;
// what is Sent is never ready for pickup. Of what no form was said all is possible.
//
// Each line counts its units by what became of them: held, confirmed, collected,
// missing, lapsed, rerouted, canceled; every unit is in one place. So a part can be
// confirmed, canceled, collected, found missing or returned, and the reservation
// goes on with the rest. It ends when no unit is held or confirmed: Collected if
// the customer got any, else as the last change says. It ends once (P4): the
// first change that takes the last open units wins, under the lock of the
// reservation's shard, and whoever comes later is told how it ended. Until the
// record of its expiry has a sequence number, a hold that is past its deadline
// can still be confirmed.
//
// # Order of memory and journal
//
// A claim takes its units first and its sequence number after the last line. An
// increase takes its sequence number first and shows its units after. Then every
// prefix of the journal replays without a negative counter: at the moment a
// sequence number is given, every claim up to it has taken its units, and every
// unit that could be taken is there by a record before it. What is acknowledged
// is what Wait has seen durable.
//
// Records that are true only together, the parts of an order and a reroute with the
// reservation it makes, are one frame of the journal: a crash leaves all of them or
// none. A reroute takes the new units, records, and then frees the old ones.
//
// # Orders of several parts
//
// An order may be served from several locations: each part is a reservation with the
// order's ID and a number, all of them made by one claim (Parts). A reservation, or some
// of its units, can be taken elsewhere (Parts.Reroute); it then either stays the same
// at another location, or its units are in another part, and it is Rerouted when
// none is left. A change without a part is of all that are open, in one record and at
// one instant. The state of the order is worked out from those of its parts, under the
// lock under which they change, and the record with which it becomes another one says so.
//
// # Resources and sub-SKUs
//
// A SKU whose name begins with a zero byte is a resource: something a location has
// besides goods, such as places in a pickup window. It is taken with the goods and
// goes with them: used up when they leave, free again when they do not. A SKU with
// a zero byte within its name is a part of the stock of the SKU named before it.
// Changes name that SKU, and its sub-SKUs answer for it.
//
// # Shortage
//
// A count, a till sale, damage or a correction may take goods that are held. The
// youngest unconfirmed holds at that location become short by so many units,
// after them the youngest confirmed reservations; each is recorded. Short units
// cannot be collected. When goods come, or a hold ends, they are covered again,
// in the opposite order.
//
// # Recovery
//
// Open reads a snapshot and replays the journal after it. Records that change
// what is on hand say what it is afterwards, and an entry carries the sequence
// number of its last change, so a snapshot may be taken while changes go on:
// what it has already is skipped, and nothing counts twice. Available units are
// not in it: they are worked out, on hand less safety stock less what live
// reservations hold.
//
// # Locks
//
// Counters take none (see internal/stock). A record of the book is changed under
// the lock of its shard, for a copy of one entry and an append to the journal's
// buffer. Movements and everything else that changes the units on hand of a
// location hold its floor, one of 256 locks. The order is: the ID of a change,
// floors by number, shards by number, the journal's buffer.
package reservation
