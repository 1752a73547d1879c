//go:build mutant_queue_full

package mutant

// Built is the deliberate bug of this build.
const Built = Full
