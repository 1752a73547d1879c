// Package topology is the catalogue of locations: where they are, what they do for
// orders, and under which number the stock of each lies.
//
// It owns the locations that are set, one change of them at a time, the [Catalogue]
// that searches see, which is immutable and published whole, and the form in which
// the journal keeps a location.
//
// It may touch the ledger: the slots and numbers of locations, what is recorded of
// them, the filters over their stock. It asks the host's holidays by way of the gate.
//
// It must not know orders or how locations are ranked: a catalogue says which
// locations there are and which of them a form, a kind or a group lets pass. It checks
// nothing of what it is given: the door has.
package topology
