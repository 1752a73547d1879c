//go:build interleave

package stock

import "testing"

// interleaved tells whether steps give way to others by chance.
const interleaved = true

// perturb makes one step in oneIn give way until the test ends.
func perturb(t testing.TB, oneIn uint32) {
	before := yieldOneIn.Swap(oneIn)
	t.Cleanup(func() { yieldOneIn.Store(before) })
}
