//go:build mutant_ignored

package mutant

// Built is the deliberate bug of this build.
const Built = Ignored
