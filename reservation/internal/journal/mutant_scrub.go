//go:build mutant_scrub

package journal

// mutant is the deliberate bug compiled in, see mutant.go.
const mutant = mutantScrub
