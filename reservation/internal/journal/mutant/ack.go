//go:build mutant_ack

package mutant

// Built is the deliberate bug of this build.
const Built = Ack
