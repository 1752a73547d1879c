// Package orders makes what a plan has chosen into what is claimed: for each location
// the cells that the goods come from, its capacity in the period of the work, and the
// place in the pickup window. The loop around it, which asks for the next choice when a
// claim is lost, is still in the door, and is to come here.
//
// It owns nothing. It may read the View of the plan, and have the calendar make the
// cells of a period that nobody has used before.
//
// It must not choose anything, nor claim, nor know whose the order is: IDs, deadlines
// and notes are the caller's.
package orders
