// Package cooldown knows which locations are skipped for which SKUs, because they have
// rejected them a short time ago.
//
// It owns the cool-downs, with their notes, and the lock Cooling. Orders read them
// without a lock, at one atomic load while there are none.
//
// It may touch the ledger: it reads and writes notes under its own keys, and turns
// handles of SKUs and locations into names and back.
//
// It must not know orders, rules or rejections: who begins a cool-down says for what
// and until when, and has the time of its change.
package cooldown
