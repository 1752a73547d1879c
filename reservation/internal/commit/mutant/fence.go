//go:build mutant_queue_fence

package mutant

// Built is the deliberate bug of this build.
const Built = Fence
