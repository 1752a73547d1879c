package life

import "fmt"

// Verb is what happens to a reservation. What is recorded as one kind and means
// different things has a verb for each. The zero value is no verb.
type Verb uint8

// The verbs. Their numbers are stored nowhere.
const (
	Extend         Verb = iota + 1 // the hold lasts longer
	Reassign                       // another owner has it
	Confirm                        // the units are promised for good
	Accept                         // the location will prepare it
	Dispatch                       // the goods are sent to another location
	Arrive                         // they came in there
	MakeReady                      // the goods wait for the customer
	Remind                         // the pickup deadline is near
	ShortPick                      // the location has not found all units
	Collect                        // units were handed over
	Cancel                         // units are put back
	Expire                         // the deadline of the hold has passed
	Abandon                        // the pickup deadline has passed: a no-show
	Restock                        // collected units came back, and are for sale again
	TakeBack                       // collected units came back, and are not for sale
	Lack                           // goods of held or confirmed units are gone
	Cover                          // they are there again
	Reject                         // the location will not serve it
	MoveAll                        // the whole reservation is at another location
	MovePart                       // units are in another part of the order
	ReplaceMissing                 // units that were missing are in another part of the order
	GiveUp                         // nobody else can serve the units
	Pack                           // the goods are in a parcel
	Ship                           // a carrier has it
	Deliver                        // the customer has it
	Lose                           // the carrier has lost it
	SendBack                       // it came back undelivered, and its goods are for sale again
	TurnBack                       // it came back undelivered, and they are not for sale

	verbs = iota + 1 // one more than the last verb
)

// Of is the row of a verb, which must not be changed; it panics if there is no such
// verb.
func Of(v Verb) *Rule { return &rules[v] }

// Verbs are all verbs.
func Verbs() []Verb {
	all := make([]Verb, 0, verbs-1)
	for v := Verb(1); v < verbs; v++ {
		all = append(all, v)
	}
	return all
}

// String is the verb in words, such as "short pick".
func (v Verb) String() string {
	if v == 0 || v >= verbs {
		return fmt.Sprintf("Verb(%d)", uint8(v))
	}
	return verbNames[v]
}

var verbNames = [verbs]string{
	Extend: "extend", Reassign: "reassign", Confirm: "confirm", Accept: "accept", Dispatch: "dispatch", Arrive: "arrive",
	MakeReady: "make ready", Remind: "remind", ShortPick: "short pick", Collect: "collect", Cancel: "cancel", Expire: "expire",
	Abandon: "abandon", Restock: "restock", TakeBack: "take back", Lack: "lack", Cover: "cover", Reject: "reject",
	MoveAll: "move all", MovePart: "move part", ReplaceMissing: "replace missing", GiveUp: "give up",
	Pack: "pack", Ship: "ship", Deliver: "deliver", Lose: "lose", SendBack: "send back", TurnBack: "turn back",
}

const (
	firm     = States(1<<Confirmed | 1<<Accepted)
	movable  = firm | 1<<Held
	pickable = firm | 1<<Ready | 1<<Packed
	shelved  = live &^ onRoad
	gotten   = States(1<<Collected | 1<<Delivered)
)

// forPickup are the forms of what the customer comes for, and forParcel that of what is
// sent.
var (
	forPickup = [forms]bool{Fetched: true, Brought: true}
	forParcel = [forms]bool{Sent: true}
)

// The moves that several verbs share. Cancellation takes held units first, since
// confirmed ones are worth more to the customer; what leaves the shelf takes the
// confirmed ones first.
var (
	unhold  = Move{First: HeldUnits, Second: ConfirmedUnits, Free: 1}
	lapse   = Move{First: HeldUnits, Second: ConfirmedUnits, To: LapsedUnits, Free: 1}
	useUp   = Move{First: ConfirmedUnits, Second: HeldUnits, To: LapsedUnits, OnHand: -1}
	confirm = Move{First: HeldUnits, To: ConfirmedUnits}
	reroute = Move{First: ConfirmedUnits, Second: HeldUnits, To: ReroutedUnits, Free: 1}
	depart  = Move{Free: 1, Covers: true}
	replace = Move{First: MissingUnits, To: ReroutedUnits}
)

// A resource goes with the goods: when they leave the shelf, it is used up; when
// they stay, it is free again. What is used up or was not used has lapsed, so that
// nobody collects it or brings it back. What is sent to the customer is never ready
// for one who comes, and what is brought to a store goes there and nowhere else, and is
// handed over there and nowhere else. What is for one who comes is in no parcel.
var rules = [verbs]Rule{
	Extend:   {From: live, Needs: HeldUnits, Whole: true, Ends: Canceled, Says: SaysHold},
	Reassign: {From: live, Whole: true, Ends: Canceled, Says: SaysOwner},
	Confirm: {From: live, Needs: HeldUnits, Takes: HeldUnits,
		Goods: confirm, Resource: confirm, Follow: WithFirst,
		Next: [states]State{Held: Confirmed}, Ends: Canceled},
	Accept: {From: 1 << Confirmed, About: ConfirmedUnits, Whole: true,
		Next: [states]State{Confirmed: Accepted}, Ends: Canceled},
	Dispatch: {From: firm, Lacks: HeldUnits, Takes: ConfirmedUnits, Less: ShortUnits, Sound: true,
		Goods: Move{OnHand: -1}, Resource: useUp, Follow: WithFirst,
		Next: [states]State{Confirmed: InTransit, Accepted: InTransit}, Ends: Canceled,
		Lock: FloorsOfTwo, Says: SaysTo | SaysOnHand, Never: [forms]bool{Fetched: true, Sent: true}, ToStore: true},
	Arrive: {From: 1 << InTransit, Takes: ConfirmedUnits,
		Goods: Move{OnHand: 1, Lost: true}, Resource: Move{Lost: true},
		Next: [states]State{InTransit: Accepted}, Ends: Canceled,
		Lock: FloorAhead, Says: SaysOnHand},
	MakeReady: {From: firm, About: ConfirmedUnits, Takes: ConfirmedUnits,
		Next: [states]State{Confirmed: Ready, Accepted: Ready}, Ends: Canceled, Says: SaysPickup,
		Never: forParcel, InStore: true},
	Remind: {From: 1 << Ready, Whole: true, Ends: Canceled, Says: SaysPickup, Never: forParcel},
	ShortPick: {From: pickable, About: ConfirmedUnits, Takes: ConfirmedUnits,
		Goods: Move{First: ConfirmedUnits, To: MissingUnits, Gone: true}, Resource: lapse, Follow: WithLast,
		Ends: Canceled, Lock: FloorOf, Says: SaysOnHand},
	Collect: {From: shelved, Takes: OpenUnits, Less: ShortUnits, Sound: true,
		Goods:    Move{First: ConfirmedUnits, Second: HeldUnits, To: CollectedUnits, OnHand: -1},
		Resource: useUp, Follow: WithLast,
		Ends: Canceled, Lock: FloorOf, Says: SaysOnHand, Never: forParcel, InStore: true},
	Cancel: {From: shelved, Takes: OpenUnits,
		Goods: unhold, Resource: unhold, Follow: WithLast, Ends: Canceled},
	Expire: {From: live, Needs: HeldUnits, Takes: HeldUnits,
		Goods: Move{First: HeldUnits, To: LapsedUnits, Free: 1}, Resource: lapse, Follow: WithLast, Ends: Expired},
	Abandon: {From: 1 << Ready, Takes: ConfirmedUnits,
		Goods: Move{First: ConfirmedUnits, To: LapsedUnits, Free: 1}, Resource: lapse, Follow: WithLast, Ends: NoShow, Never: forParcel},
	Restock: {From: always, Needs: CollectedUnits, About: CollectedUnits, Takes: CollectedUnits, Less: ReturnedUnits,
		Goods: Move{To: ReturnedUnits, Free: 1, OnHand: 1},
		Fully: Fully{From: gotten, To: Returned, In: ReturnedUnits, Of: CollectedUnits},
		Lock:  FloorNamed, Says: SaysWhere | SaysCause | SaysContent | SaysOnHand, Room: true},
	TakeBack: {From: always, Needs: CollectedUnits, About: CollectedUnits, Takes: CollectedUnits, Less: ReturnedUnits,
		Goods: Move{To: ReturnedUnits},
		Fully: Fully{From: gotten, To: Returned, In: ReturnedUnits, Of: CollectedUnits},
		Lock:  FloorNamed, Says: SaysWhere | SaysCause | SaysContent | SaysOnHand, Room: true},
	Lack: {From: live, Takes: OpenUnits, Less: ShortUnits,
		Goods: Move{To: ShortUnits}, Ends: Canceled, Lock: FloorHeld, Says: SaysBecause},
	Cover: {From: live, Takes: ShortUnits,
		Goods: Move{First: ShortUnits}, Ends: Canceled, Lock: FloorHeld},
	Reject: {From: firm, About: ConfirmedUnits, Takes: ConfirmedUnits,
		Next: [states]State{Accepted: Confirmed}, Ends: Canceled, Says: SaysCause, Room: true},
	MoveAll: {From: movable, Takes: OpenUnits,
		Goods: depart, Resource: depart, Follow: WithLast,
		Next: [states]State{Accepted: Confirmed}, Room: true},
	MovePart: {From: movable, Takes: OpenUnits,
		Goods: reroute, Resource: reroute, Follow: WithLast, Ends: Rerouted, Room: true},
	ReplaceMissing: {From: always, Takes: MissingUnits,
		Goods: replace, Resource: replace, Ends: Rerouted,
		Fully: Fully{From: 1<<Canceled | 1<<Lost, To: Rerouted, In: ReroutedUnits}, Room: true},
	GiveUp: {From: always, Takes: OpenUnits | MissingUnits, Says: SaysCause, Room: true},
	Pack: {From: firm, Lacks: HeldUnits, About: ConfirmedUnits, Takes: ConfirmedUnits, Less: ShortUnits, Sound: true,
		Next: [states]State{Confirmed: Packed, Accepted: Packed}, Ends: Canceled, Never: forPickup},
	Ship: {From: firm | 1<<Packed, Lacks: HeldUnits, About: ConfirmedUnits, Takes: ConfirmedUnits, Less: ShortUnits, Sound: true,
		Goods: Move{OnHand: -1}, Resource: useUp, Follow: WithFirst,
		Next: [states]State{Confirmed: Shipped, Accepted: Shipped, Packed: Shipped}, Ends: Canceled,
		Lock: FloorOf, Says: SaysOnHand | SaysParcel, Never: forPickup},
	Deliver: {From: 1 << Shipped, Takes: ConfirmedUnits,
		Goods: Move{First: ConfirmedUnits, To: CollectedUnits}, Ends: Delivered, Got: Delivered, Never: forPickup},
	Lose: {From: 1 << Shipped, Takes: ConfirmedUnits,
		Goods: Move{First: ConfirmedUnits, To: MissingUnits}, Ends: Lost, Never: forPickup},
	SendBack: {From: 1 << Shipped, Takes: ConfirmedUnits,
		Goods: Move{First: ConfirmedUnits, Free: 1, OnHand: 1}, Ends: ReturnedToSender,
		Lock: FloorNamed, Says: SaysWhere | SaysCause | SaysOnHand, Never: forPickup},
	TurnBack: {From: 1 << Shipped, Takes: ConfirmedUnits,
		Goods: Move{First: ConfirmedUnits}, Ends: ReturnedToSender,
		Lock: FloorNamed, Says: SaysWhere | SaysCause | SaysOnHand, Never: forPickup},
}
