//go:build mutant_hoard

package mutant

// Built is the deliberate bug of this build.
const Built = Hoard
