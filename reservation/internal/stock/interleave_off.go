//go:build !interleave

package stock

// interleave marks a place between two atomic steps. Builds with the tag
// interleave may run other goroutines there; this one does nothing.
func interleave() {}
