//go:build !mutant_keep && !mutant_rollback && !mutant_summary

package stock

// mutant names the deliberate bug compiled in: none in this build. Builds with
// a mutant tag prove that the tests see such a bug.
const mutant = 0

// The deliberate bugs.
const (
	mutantRollback = 1 // a claim takes without escrow and gives back on failure
	mutantSummary  = 2 // a summary bit is cleared without looking again
	mutantKeep     = 3 // what a line keeps is looked for before its units are taken, not with them
)
