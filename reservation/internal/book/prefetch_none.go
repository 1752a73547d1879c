//go:build !amd64 && !arm64

package book

// prefetchLine does nothing where we have no instruction for it.
func prefetchLine(uintptr) {}
