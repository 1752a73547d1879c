//go:build mutant_scan

package journal

// mutant is the deliberate bug compiled in, see mutant.go.
const mutant = mutantScan
