// Package slab hands out pieces of memory in which there are no pointers, so that the
// garbage collector does not look at them, by references of 32 bits.
//
// It owns its chunks. It touches nothing else, and takes no lock: it is for one goroutine
// at a time. It must not know what lies in a piece, but for the first four bytes of one
// that is free.
package slab
