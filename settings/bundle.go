package settings

import "time"

// Component is a part of a bundle: so many units of a SKU in one unit of it.
type Component struct {
	SKU      string
	Quantity int64 // 1 to 2^31 − 1
}

// Bundle is a SKU that is sold as one and picked as its parts. It has no stock of
// its own: what is received under its SKU is not sold as long as it is a bundle.
// A part may be a bundle itself; none leads back to the bundle it is in.
type Bundle struct {
	SKU   string
	Parts []Component // at most 256; none: the SKU is no bundle any more
}

// Lot is units of a SKU that came with one expiry date. They are good through
// that day, in UTC. Two lots of a SKU that differ in either field are two.
type Lot struct {
	ID      string    // such as the maker's; 1 to 64 bytes
	Expires time.Time // the day, in UTC; the hour does not count
}

// ShelfLife is how long units of a SKU must be good after they are ready for the
// customer: an order gets none of a lot that expires sooner.
type ShelfLife struct {
	SKU   string        // known or not
	Keeps time.Duration // 0 to 3,660 days, cut to whole milliseconds; 0: until they are ready
}
