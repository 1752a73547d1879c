//go:build mutant_chain

package mutant

// Built is the deliberate bug of this build.
const Built = Chain
