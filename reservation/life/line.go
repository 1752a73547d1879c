package life

// Line is one SKU of a reservation, in units of the SKU. Every unit is in one
// place: Quantity = Held + Confirmed + Collected + Missing + Lapsed + Rerouted and
// what was canceled. Returned ones are among the collected, short ones among the
// held and confirmed.
type Line struct {
	SKU       uint32 // the caller's handle; it means nothing here
	Quantity  uint32 // as ordered
	Held      uint32 // until the deadline of the hold
	Confirmed uint32 // for good
	Collected uint32 // handed over or delivered, returned ones included
	Returned  uint32 // of the collected
	Missing   uint32 // not found by the location, or lost on the road
	Lapsed    uint32 // expired, or not collected in time
	Short     uint32 // of the held and confirmed: their goods are gone
	Rerouted  uint32 // in another reservation of the order by now
}

// Buckets is a set of the buckets of a line. Where one bucket is meant, it is a
// set of one.
type Buckets uint8

// The buckets.
const (
	HeldUnits Buckets = 1 << iota
	ConfirmedUnits
	CollectedUnits
	ReturnedUnits
	MissingUnits
	LapsedUnits
	ShortUnits
	ReroutedUnits

	// OpenUnits are those a reservation still has a claim on.
	OpenUnits = HeldUnits | ConfirmedUnits
)

// bucket is the one bucket of a set.
func (l *Line) bucket(one Buckets) *uint32 {
	switch one {
	case HeldUnits:
		return &l.Held
	case ConfirmedUnits:
		return &l.Confirmed
	case CollectedUnits:
		return &l.Collected
	case ReturnedUnits:
		return &l.Returned
	case MissingUnits:
		return &l.Missing
	case LapsedUnits:
		return &l.Lapsed
	case ShortUnits:
		return &l.Short
	}
	return &l.Rerouted
}

// In adds up the buckets of a set.
func (l *Line) In(set Buckets) (units int64) {
	for ; set != 0; set &= set - 1 {
		units += int64(*l.bucket(set & -set))
	}
	return units
}

// Open is how many units the line still has a claim on.
func (l *Line) Open() int64 { return int64(l.Held) + int64(l.Confirmed) }

// Total adds up buckets over the lines.
func Total(lines []Line, set Buckets) (units int64) {
	for i := range lines {
		units += lines[i].In(set)
	}
	return units
}

// Imply puts all units where a reservation in that state has them unless something
// happened to a part of it.
func (l *Line) Imply(s State) {
	switch s {
	case Held:
		l.Held = l.Quantity
	case Confirmed, Accepted, InTransit, Ready, Packed, Shipped:
		l.Confirmed = l.Quantity
	case Collected, Delivered:
		l.Collected = l.Quantity
	case Lost:
		l.Missing = l.Quantity
	case Expired, NoShow:
		l.Lapsed = l.Quantity
	case Returned:
		l.Collected, l.Returned = l.Quantity, l.Quantity
	case Rerouted:
		l.Rerouted = l.Quantity
	}
}

// Sound checks what is true of every reservation: no line has more units than were
// ordered, and it has ended exactly when no unit is held or confirmed.
func Sound(s State, lines []Line) bool {
	open := false
	for i := range lines {
		l := &lines[i]
		if l.In(OpenUnits|CollectedUnits|MissingUnits|LapsedUnits|ReroutedUnits) > int64(l.Quantity) ||
			l.Returned > l.Collected || int64(l.Short) > l.Open() {
			return false
		}
		open = open || l.Open() > 0
	}
	return open != s.Ended()
}
