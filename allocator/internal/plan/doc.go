// Package plan decides where an order goes that asks for more than the nearest location
// that can fill it: which location, or the cheapest few, and why no other.
//
// It sees a View, the locations and settings as they were at one moment with the stock
// and the calendar as they are, and an Ask, what the order wants by handles; it answers
// with Choices. It owns nothing that lasts: a Plan is one order being decided, and what
// it says afterwards, it works out of the View that it keeps. It goes from the cheap to
// the dear: one location for everything, in the order of the keys; else the split that
// costs least; else, if the order allows it, a part of the order. Soft filters are given
// up one by one before that.
//
// It may touch the catalogue, the rules, protection levels, cool-downs and the calendar,
// all of them to read, and the cover for splits. Rules are functions of the host's and
// run inside it, so whoever asks for a choice stands aside meanwhile.
//
// It must not reserve: who gets a choice claims it and, if that is lost to another order,
// asks for the next. It must not know names of SKUs but to tell them, the engine, its
// gate or the book, nor look at a clock.
package plan
