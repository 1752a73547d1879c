//go:build !interleave

package stock

import "testing"

// interleaved tells whether steps give way to others by chance.
const interleaved = false

// perturb does nothing in this build.
func perturb(testing.TB, uint32) {}
