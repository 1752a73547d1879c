//go:build mutant_wheel

package reservation

// mutant is the deliberate bug compiled in, see mutant.go.
const mutant = mutantWheel
