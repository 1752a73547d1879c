// Package notes says what the journal keeps, with each reservation, of what its order
// asked for and what it was answered: for the case that its goods have to go elsewhere,
// and for the case that the order is repeated.
//
// It owns the stored form of a note, in both of its shapes, and nothing that changes.
//
// It may touch nothing but what is given to it; of a reservation it reads the entry.
//
// It must not resolve names or slots, nor judge what an order asks for: a note that is
// longer than it may be is told to the caller, who knows how to say it.
package notes
