// Package geo finds places on the globe: points in degrees, great-circle
// distances, service areas, and an index that answers "which location is the
// nearest of those that a mask lets through".
//
// The package knows nothing of stock. A [Mask] is bits; what a set bit means
// is the caller's business.
//
// # Numbers and items
//
// The caller's locations are items 0..n-1 in the caller's order. [NewIndex]
// gives each a number such that every aligned block of 8, 64, 512, ...
// consecutive numbers lies close together on the globe. A caller that keeps
// one bit per location in the order of the numbers can therefore answer "is
// there anything in this block" with one load, and that is what a Mask is.
//
// # How a search runs
//
// Three structures hold the same locations:
//
//   - Exact places: three float64 of a unit vector each. All ranking is done
//     on the squared chord between unit vectors, so there is no pole and no
//     antimeridian, and equal places are exactly equal.
//   - An implicit 8-ary tree over the numbers. A block has a box in
//     fixed-point coordinates, rounded outward; the gap between the point and
//     a box is computed in integers, without rounding, and is never more than
//     the squared chord to any location inside. One mask word is two levels
//     of the tree, so each word is read once per block of 64.
//   - A grid that is fine where locations are dense. Each cell lists the
//     locations nearest to its center, and how far from the center the first
//     location begins that it leaves out. If the best location let through of the
//     list is nearer than anything left out can be, by the triangle inequality,
//     it is proven to be the nearest and the tree is not touched. That is so
//     for 98 of 100 customers if most locations are let through. Otherwise
//     the tree search begins with the best of the list as its bound, in the block
//     where the list begins.
//
// # Why
//
// Why not degrees: a planar nearest in degrees names a wrong store in several
// percent of queries, near the poles in most. Why not float32 boxes:
// fixed-point int32 is 64 times finer near 1 at the same size, and
// needs no argument about rounding in the arithmetic of the bound. Why not
// k nearest first and the mask afterwards: it reads 1/density locations, which
// is thousands for a rare article; the masked tree skips empty blocks whole.
// Why cells in latitude and longitude although they shrink toward the poles:
// the cell is found without trigonometry, and since each list is proven in
// three dimensions, the shape of a cell costs memory, never exactness. Why does
// the search climb from the bottom of the tree: the addresses of all ancestors
// of a block follow from its number, so their cache misses overlap; on the way
// down each waits for a choice.
package geo
