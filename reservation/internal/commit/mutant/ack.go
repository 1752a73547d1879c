//go:build mutant_queue_ack

package mutant

// Built is the deliberate bug of this build.
const Built = Ack
