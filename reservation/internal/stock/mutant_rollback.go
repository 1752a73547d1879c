//go:build mutant_rollback

package stock

// mutant is the deliberate bug compiled in, see mutant.go.
const mutant = 1

const (
	mutantRollback = 1
	mutantSummary  = 2
	mutantKeep     = 3
)
