//go:build mutant_queue_size

package mutant

// Built is the deliberate bug of this build.
const Built = Size
