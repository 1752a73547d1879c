//go:build mutant_keep

package stock

// mutant is the deliberate bug compiled in, see mutant.go.
const mutant = 3

const (
	mutantRollback = 1
	mutantSummary  = 2
	mutantKeep     = 3
)
