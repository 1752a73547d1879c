//go:build mutant_directory

package journal

// mutant is the deliberate bug compiled in, see mutant.go.
const mutant = mutantDirectory
