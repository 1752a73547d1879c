//go:build mutant_chain

package journal

// mutant is the deliberate bug compiled in, see mutant.go.
const mutant = mutantChain
