//go:build mutant_unverified

package mutant

// Built is the deliberate bug of this build.
const Built = Unverified
