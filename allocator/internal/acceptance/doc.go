// Package acceptance is the queue of the confirmed orders whose locations have not
// accepted them yet, by when each has to.
//
// It owns who waits, since when, and until when, behind one lock. It may touch
// nothing else: what a deadline is, and what becomes of an order that is late, is
// said by whoever looks at the queue. It must not call a function of anybody's with
// its lock held: opening hours are asked outside, so an order waits first with a
// deadline that is not worked out yet and is due at once.
package acceptance
