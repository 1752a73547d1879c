// Package wheel finds the timers whose time has come, to the millisecond, however many
// others there are.
//
// It owns its buckets, and the pieces of a slab in which the timers lie, which the caller
// hands over with each call. It touches nothing else, reads no clock, and takes no lock:
// it is for one goroutine at a time. It must not know what a timer is of: it says which
// timers are to be looked at and whether the caller has to ask their records for the
// time, and is told where each belongs.
package wheel
