// Package lock is the module's locks in one ordered list (Rank), and the mutexes
// that keep to it.
//
// Whoever holds a lock takes only locks that come later in the list, so no two
// goroutines ever wait for each other. Of several with the same rank, such as the
// shards of a table, the ones at lower addresses are taken first. No lock is held
// over a function of the host's, and none from Change on over a pause.
//
// # The checking build
//
// With the build tag lockorder each goroutine's locks are kept, and a lock that is
// taken out of order panics with the names of both, whether or not the two
// goroutines that would wait for each other ever meet. Without the tag a Mutex is a
// sync.Mutex, and Enter and Leave are nothing.
package lock
