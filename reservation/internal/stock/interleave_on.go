//go:build interleave

package stock

import (
	"runtime"
	"sync/atomic"
)

// yieldOneIn is how rarely a step gives way: 0 never, 1 always. Tests set it.
var yieldOneIn atomic.Uint32

// yieldState is a shared xorshift state. Lost updates only add disorder.
var yieldState atomic.Uint64

// interleave lets another goroutine run between two atomic steps, by chance.
func interleave() {
	n := yieldOneIn.Load()
	if n == 0 {
		return
	}
	x := yieldState.Load() + 0x9e3779b97f4a7c15
	yieldState.Store(x)
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	if uint32(x>>16)%n == 0 {
		runtime.Gosched()
	}
}
