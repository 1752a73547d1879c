//go:build !mutant_soon && !mutant_wheel

package book

// mutant names the deliberate bug compiled in: none in this build.
const mutant = 0
