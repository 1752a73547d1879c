//go:build mutant_wheel

package book

// mutant is the deliberate bug compiled in, see mutant.go.
const mutant = mutantWheel
