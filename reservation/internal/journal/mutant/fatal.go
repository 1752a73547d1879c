//go:build mutant_fatal

package mutant

// Built is the deliberate bug of this build.
const Built = Fatal
