package book

import "math"

// MaxParcelBytes is the longest name of a carrier, and its longest number of a parcel:
// their lengths are kept in a byte.
const MaxParcelBytes = math.MaxUint8

// Parcel is what a carrier has, of which each text is at most MaxParcelBytes long.
type Parcel struct{ Carrier, Tracking string }
