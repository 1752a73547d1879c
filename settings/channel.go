package settings

// Protection is a protection level: an order of the channel may take units of the
// SKU at the location only while as many as Units are left there for others,
// which is to say while available − quantity ≥ Units. So channels are nested: of
// three with the levels 0, 5 and 20, the first sells the last unit, and the third
// stops while 20 are left.
//
// An empty field stands for all: all channels, also orders that name none; all
// SKUs; all locations. Of the levels that apply to an order's channel, a SKU and
// a location, the most specific one decides, alone:
//
//	channel, SKU and location
//	channel and SKU
//	channel and location
//	channel
//	SKU and location, of all channels
//	SKU, of all channels
//	location, of all channels
//	of all channels
//
// A channel's own level of 0 therefore frees it from those of all channels. That
// is walk-in protection: a level for all channels at a shop keeps its last units
// for people who walk in, and a level 0 for the channel of its own desk lets that
// one have them.
//
// What quotas set aside is not available to others, so it does not count as left,
// and a channel takes from its own quota whatever its level.
type Protection struct {
	Channel, SKU, Location string

	Units int64 // 0 to 2^31 − 1

	// Unset withdraws the level of exactly this channel, SKU and location, so that
	// the next wider one decides again. Units is 0 then.
	Unset bool
}

// Quota is units of a SKU at a location that are set aside for a channel. Orders
// of the channel take them first, and then what is there for everybody; orders of
// other channels never see them. They are on hand at the location like all others.
type Quota struct {
	ID string // chosen by the caller; the same quota again does nothing

	Channel, SKU, Location string

	// Units is how many are to be free for the channel's orders, 0 to 2^31 − 1. What
	// its orders hold or have taken already does not count.
	Units int64
}

// Loan moves units of a SKU at a location from one channel's quota to that of
// another. An empty channel is what is there for everybody.
type Loan struct {
	ID string // chosen by the caller; the same loan again does nothing

	SKU, Location string
	From, To      string // channels: who lends, and who borrows

	Units int64 // 1 to 2^31 − 1
}
