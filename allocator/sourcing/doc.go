// Package sourcing decides from where an order is served: which locations may
// serve it, which of them is best, when the goods are ready, what it costs, and
// why each other location was not chosen.
//
// The package is pure. It knows no stock, holds nothing, has no clock and starts
// nothing: a [Request] and a [Site] make a [Candidate], [Rules] judge it, and the
// same values give the same answer at any time. Whoever has the stock, the door,
// asks the rules and then takes the goods in a claim that no rule is part of.
//
// # What happens to an order
//
//  1. Each site in reach becomes a candidate. [Candidate.Static] looks at what
//     needs neither stock nor a promise; [Candidate.Promise] works out when the
//     goods can be ready; [Rules.Check] is Static, the lateness of a promise that
//     is known, and the filters of Rules.Hard.
//  2. The filters of Rules.Soft are all asked for first ([Rules.Given]). If no
//     location meets them all, the last is given up and the search begins again,
//     and so on until none is left. The answer names those given up.
//  3. [Rules.Compare] ranks those that pass. The best that has the goods serves
//     the order. If none has all of them and the order may be split, the parts
//     with the least [Costs] serve it.
//
// # The built-in filters
//
// A site counts once, under the first reason that holds, in this order:
//
//	 1 TooFar            Distance is over the request's Within
//	 2 WrongKind         its kind is not in the request's Kinds, or, with Collect
//	                     and no Kinds, not in its CollectAt
//	 3 OutsideArea       the customer is outside its service area
//	 4 Short             it has too little of some SKU
//	 5 Offline           it takes no new orders
//	 6 NotInChannel      the request's channel is not one of its Channels
//	 7 NoSuchForm        it does not serve the request's Form
//	 8 NoSuchPayment     it does not take the request's Payment
//	 9 NotInGroup        it is in none of the request's Groups
//	10 Excluded          the request's Exclude names it
//	11 Unplaced          no coordinates: its, or the customer's
//	12 Closed            it does not open any more
//	13 Late              ready after the window begins, or after NeededBy
//	14 Full              no room in its window, nor in any period to come
//	15 Protected         what it has is kept for other channels
//	16 TooOld            its lots expire too soon
//	17 CoolingDown       it has just rejected the SKU
//	18 RejectedTooOften  the order has been rejected too often
//	19 ByRule            a filter of the rules
//	20 Outranked         it could serve; another is better
//	21 Apart             it has some lines, not worth a part of their own
//	22 OtherOwner        a filter of the rules, OwnedBy
//
// Static finds 1 to 3 and 5 to 11, Promise 12 to 14, Check 13, 19 and 22, which is looked
// at in the place of 19; the others are found where the stock and the orders are. A distance that means nothing is
// neither near nor far, and a customer without a place is not outside: 1 and 3 do
// not hold then, and 11 does. A chosen store needs no distance. For
// [ShipToStore], a source can serve only if the chosen store takes orders, may be
// used by the channel, is of a kind where customers collect, has customers who
// collect and takes the payment; the detail of the reason is then the chosen
// store's ID. Forms that name Collect, and Kinds that name the kind, go before
// CollectAt.
//
// # The default rules
//
// The zero [Rules] have no further filters. They rank by distance alone, then by
// ID; one location serves the order; nobody cools down. Costs are 0; what a split
// minimises then is for the door to say. What an order prefers (Request.Prefer)
// ranks before all keys, in the order given.
//
// # Rules of your own
//
// A [Filter] is a name and a function, and so is a [Key]. Ready-made ones are
// composed: [InGroups], [OwnedBy], [OfKinds], [Within], [ReadyIn] and [OpenNow] with the
// methods And, Or, Not, While and For; what does not pass is told as ByRule, or as the
// filter's Reason; [Keys], [KindsFirst] and [Ranking.In] with
// Reverse and While. Keys are lexicographic: the first that does not tie decides,
// so a key with many ties, such as a distance in bands of 5 km, is what gives the
// next one something to decide. [Rules.Validate] reports what is missing.
//
// No rule can break a promise of the module. A rule sees values that the door has
// put together, never a counter: it can rule sites out and rank those that are
// left, and the goods are then taken, or not, without it (P1). A refusal says
// that no site that the rules let pass could serve (P6); a filter that passes
// less makes fewer sites eligible, and the explanation names it. What a rule can
// do is choose badly.
//
// A filter that panics has not passed, a key that panics ties, a price that
// panics is 0, and Panicked is told. Anything else would let one customer's odd
// order stop all others. The default rules and the keys of this package do not
// pay for it.
//
// # Why
//
// Why keys in order and not a weighted sum: a sum of meters and minutes needs
// weights that nobody can explain to the shop that got the order, and its answer
// changes when a unit does. Why soft filters fall from the end, one by one, and
// not in the best combination: with n of them it is n searches and not 2^n, and
// the order in which they are given up is the vendor's to see and to state. Why
// capacity belongs to the period in which work begins and not to the one in which
// the goods are ready: two orders that begin in one hour keep the same hands
// busy, however long each then takes. Why a promise looks at most 366 full
// periods ahead: a search that finds nothing has to end, and a promise that far
// off is a refusal in other words.
package sourcing
