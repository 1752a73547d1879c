//go:build mutant_cover

package cover

// mutant is the deliberate bug compiled in, see mutant.go.
const mutant = 1

const mutantCover = 1
