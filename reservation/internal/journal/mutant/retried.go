//go:build mutant_retried

package mutant

// Built is the deliberate bug of this build.
const Built = Retried
