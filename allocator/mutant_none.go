//go:build !mutant_any

package allocator

// mutant names the deliberate bug compiled in: none in this build.
const mutant = 0
