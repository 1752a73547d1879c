//go:build amd64 || arm64

package book

// prefetchLine loads the cache line of an address into the cache. The processor
// ignores an address that is not mapped.
func prefetchLine(address uintptr)
