//go:build mutant_recycle

package mutant

// Built is the deliberate bug of this build.
const Built = Recycle
