//go:build mutant_summary

package stock

// mutant is the deliberate bug compiled in, see mutant.go.
const mutant = 2

const (
	mutantRollback = 1
	mutantSummary  = 2
	mutantKeep     = 3
)
