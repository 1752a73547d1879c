package history

import (
	"fmt"

	"github.com/clickcollect/clickcollect/reservation/life"
)

// Kind says what happened, and with it which fields of a record mean
// something. Its numbers are frozen: new kinds are added at the end.
type Kind uint8

// The kinds. Every record has its Time; the fields each kind may use besides
// are behind it. Of an order of several parts, a record is about the one whose
// number is Part; or it has Shares, and is about each of them, and its Slot is
// theirs. A Rerouted record without Other says that the whole reservation is at To
// from now on, and may say its Form anew. With Other, the units are in the part of that number, whose Held
// record comes before it in the same frame of the journal, and Parts is of how many
// parts the order is now; other records say of how many it was.
//
// Former versions gave a part an ID of its own, that of the order with a slash and
// the number behind it, and the first part that of the order; where there is Other
// now, Ref had such an ID.
const (
	SKUAdded         Kind = iota + 1 // SKU, Name
	LocationSet                      // Slot, Name, Place (means something to the caller)
	LocationRemoved                  // Slot
	SafetySet                        // SKU (2^32 − 1: every SKU), Slot (2^32 − 1: everywhere), Lines[0].Units
	Moved                            // Cause, ID, Slot, Lines (signed Units, OnHand), Fingerprint, AsOf, Ref; To of a transfer
	Held                             // ID, Fingerprint, Slot, Distance, Deadline, Lines, Order, Customer, Owner, Channel, Promise, Parts, Form, Store, Place (the caller's note), Other (the part its units come from)
	Extended                         // ID, Deadline
	Reassigned                       // ID, Owner, Channel
	Confirmed                        // ID, Change, Lines (none: all that is held)
	Accepted                         // ID
	Dispatched                       // ID, Slot, To, Lines (OnHand at Slot)
	Arrived                          // ID, Slot, Lines (OnHand)
	Ready                            // ID, Deadline (of the pickup), Code
	Reminded                         // ID, Deadline (of the pickup)
	ShortPicked                      // ID, Change, Slot, Lines (Units not found, OnHand)
	Collected                        // ID, Change, Slot, Lines (OnHand)
	Canceled                         // ID, Change, Lines
	Expired                          // ID, Lines
	NoShow                           // ID, Lines
	Returned                         // ID, Change (the return's own ID), Slot (where), Cause, Lines (OnHand)
	Shorted                          // ID, Slot, Lines (Units whose goods are gone), Ref (the movement that took them)
	Covered                          // ID, Slot, Lines (Units whose goods are there again), Ref
	Opened                           // none: the engine was opened at Time
	Rejected                         // ID, Change, Slot, Cause, Lines (Units the location will not serve)
	Rerouted                         // ID, Slot (from), To, Cause, Lines (Units that went), Missing, Distance, Promise, Place, Form, Store; Other and Parts: see above
	RerouteFailed                    // ID, Slot, Cause, Lines (Units that nobody else can serve)
	NoteSet                          // Name (the note's key), Place (the note; none: removed)
	Packed                           // ID, Change, Lines
	Shipped                          // ID, Change, Slot, Carrier, Tracking, Lines (OnHand)
	ParcelDelivered                  // ID, Change, Lines
	ParcelLost                       // ID, Change, Lines
	ReturnedToSender                 // ID, Change, Slot (where), Cause, Lines (OnHand)

	kindEnd // one more than the last kind
)

// kindNames holds a kind's words and its name, by its number.
var kindNames = [kindEnd]struct{ words, name string }{
	SKUAdded:        {"SKU added", "SKUAdded"},
	LocationSet:     {"location set", "LocationSet"},
	LocationRemoved: {"location removed", "LocationRemoved"},
	SafetySet:       {"safety stock set", "SafetyStockSet"},
	Moved:           {"stock moved", "StockMoved"},
	Held:            {"hold placed", "HoldPlaced"},
	Extended:        {"hold extended", "HoldExtended"},
	Reassigned:      {"hold transferred", "HoldTransferred"},
	Confirmed:       {"reservation confirmed", "ReservationConfirmed"},
	Accepted:        {"order accepted", "OrderAccepted"},
	Dispatched:      {"in transit", "InTransit"},
	Arrived:         {"arrived for pickup", "ArrivedForPickup"},
	Ready:           {"ready for pickup", "ReadyForPickup"},
	Reminded:        {"pickup reminder due", "PickupReminderDue"},
	ShortPicked:     {"short picked", "ShortPicked"},
	Collected:       {"collected", "Collected"},
	Canceled:        {"reservation canceled", "ReservationCanceled"},
	Expired:         {"hold expired", "HoldExpired"},
	NoShow:          {"no-show", "NoShow"},
	Returned:        {"return received", "ReturnReceived"},
	Shorted:         {"shortage found", "ShortageFound"},
	Covered:         {"shortage covered", "ShortageCovered"},
	Opened:          {"opened", "Opened"},
	Rejected:        {"order rejected", "OrderRejected"},
	Rerouted:        {"rerouted", "Rerouted"},
	RerouteFailed:   {"reroute failed", "RerouteFailed"},
	NoteSet:         {"setting changed", "SettingChanged"},

	Packed:           {"packed", "Packed"},
	Shipped:          {"shipped", "Shipped"},
	ParcelDelivered:  {"delivered", "Delivered"},
	ParcelLost:       {"parcel lost", "DeliveryFailed"},
	ReturnedToSender: {"returned to sender", "ReturnedToSender"},
}

// String is the kind in words for people, such as "hold expired".
func (k Kind) String() string {
	if k == 0 || k >= kindEnd {
		return fmt.Sprintf("kind %d", uint8(k))
	}
	return kindNames[k].words
}

// Name is the kind as programs read it, such as "HoldExpired"; it stays the
// same in every version. It is empty if there is no such kind. Record.Event
// tells movements apart as well.
func (k Kind) Name() string {
	if k >= kindEnd {
		return ""
	}
	return kindNames[k].name
}

// verbKinds is the kind under which a verb is recorded.
var verbKinds = [...]Kind{
	life.Extend: Extended, life.Reassign: Reassigned, life.Confirm: Confirmed, life.Accept: Accepted, life.Dispatch: Dispatched,
	life.Arrive: Arrived, life.MakeReady: Ready, life.Remind: Reminded, life.ShortPick: ShortPicked, life.Collect: Collected,
	life.Cancel: Canceled, life.Expire: Expired, life.Abandon: NoShow, life.Restock: Returned, life.TakeBack: Returned,
	life.Lack: Shorted, life.Cover: Covered, life.Reject: Rejected, life.MoveAll: Rerouted, life.MovePart: Rerouted,
	life.ReplaceMissing: Rerouted, life.GiveUp: RerouteFailed, life.Pack: Packed, life.Ship: Shipped, life.Deliver: ParcelDelivered,
	life.Lose: ParcelLost, life.SendBack: ReturnedToSender, life.TurnBack: ReturnedToSender,
}

// kindVerbs is the verb of a kind, and the last of several.
var kindVerbs = func() (verbs [kindEnd]life.Verb) {
	for verb, kind := range verbKinds {
		if kind != 0 {
			verbs[kind] = life.Verb(verb)
		}
	}
	return verbs
}()

// KindOf is the kind under which a verb is recorded.
func KindOf(v life.Verb) Kind { return verbKinds[v] }

// Verb is what a kind says about a reservation, and 0 of the kinds that are not
// about one, or make it. Three kinds say more than one thing: of a return, and of what
// came back undelivered, cause tells which, of a reroute whether its units are in another reservation, and whether
// they were missing.
func (k Kind) Verb(cause Cause, elsewhere, missing bool) life.Verb {
	switch {
	case k >= kindEnd:
		return 0
	case k == Returned && cause == Restocked:
		return life.Restock
	case k == ReturnedToSender && cause == Restocked:
		return life.SendBack
	case k == Rerouted && !elsewhere:
		return life.MoveAll
	case k == Rerouted && !missing:
		return life.MovePart
	}
	return kindVerbs[k]
}

// Cause says why goods moved, what became of returned ones, or why an order goes
// elsewhere; 0 is none. Its numbers are frozen: new causes are added at the end.
type Cause uint8

// The causes: of a movement down to Delivered and Lost, of a return the three
// between; of a rejection or a reroute those after Lost.
const (
	Received      Cause = iota + 1 // goods came in from a supplier
	Counted                        // a count, as of a time, found other than was thought
	Sold                           // over the till
	Adjusted                       // put right by hand
	Damaged                        // on hand before, not sellable now
	Sent                           // left for another location
	Delivered                      // came in from another location
	Restocked                      // returned goods that are for sale again
	DamagedReturn                  // returned goods that are not sellable
	ToInspect                      // returned goods about which that is not known yet
	Lost                           // sent, and never delivered
	ByStore                        // the store will not serve it
	NotFound                       // the store has not found the goods
	Offline                        // the location serves nobody for now
	Late                           // the store has not accepted it in time

	causeEnd // one more than the last cause
)

// causeNames holds a cause's words and the name of a movement of that cause,
// by its number.
var causeNames = [causeEnd]struct{ words, event string }{
	0:             {"", "StockMoved"},
	Received:      {"received", "StockReceived"},
	Counted:       {"counted", "StockCounted"},
	Sold:          {"sold", "SaleRecorded"},
	Adjusted:      {"adjusted", "StockAdjusted"},
	Damaged:       {"damaged", "StockDamaged"},
	Sent:          {"sent", "TransferShipped"},
	Delivered:     {"delivered", "TransferReceived"},
	Restocked:     {"restocked", "Restocked"},
	DamagedReturn: {"damaged return", "StockMoved"},
	ToInspect:     {"to inspect", "StockMoved"},
	Lost:          {"lost", "TransferShort"},
	ByStore:       {"rejected by the store", "StockMoved"},
	NotFound:      {"not found", "StockMoved"},
	Offline:       {"location offline", "StockMoved"},
	Late:          {"not accepted in time", "StockMoved"},
}

// String is the cause in words for people, such as "to inspect"; empty for 0.
func (c Cause) String() string {
	if c >= causeEnd {
		return fmt.Sprintf("cause %d", uint8(c))
	}
	return causeNames[c].words
}
