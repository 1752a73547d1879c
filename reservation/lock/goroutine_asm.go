//go:build lockorder && (amd64 || arm64)

package lock

// goroutine is where the runtime keeps the calling goroutine. Another one may be
// there once this one has ended, and then it holds nothing.
func goroutine() uintptr
