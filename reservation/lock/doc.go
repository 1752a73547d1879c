// Package lock is the module's locks in one ordered list (Rank), and the mutexes
// that keep to it. All locks of the library are of this package.
//
// Whoever holds a lock takes only locks that come later in the list, so no two
// goroutines ever wait for each other. Of several with one rank, which only floors
// and shards allow, the ones at lower addresses, that is with lower numbers, are
// taken first. No lock is held over a function of the host's, and none from Change
// on over a pause.
//
// # A new lock
//
// It gets a Rank of its own in the list: behind every lock that is held where it is
// taken, before every lock that is taken while it is held, with a line that says
// whose it is, what it guards and what is taken under it, and a name in rankNames.
// If a call holds several of them at once, Rank.several says so, and they stand in
// one array in which the call goes up. Each Lock names the rank; TryLock and Unlock
// of another order are no fault, since they wait for nobody. The tests with the tag
// lockorder then tell whether the place in the list is the right one.
//
// # The checking build
//
// With the build tag lockorder each goroutine's locks are kept, and a lock that is
// taken out of order panics with the names of both, whether or not the two
// goroutines that would wait for each other ever meet. Without the tag a Mutex is a
// sync.Mutex, and Enter and Leave are nothing.
package lock
