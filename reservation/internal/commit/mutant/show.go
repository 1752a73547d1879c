//go:build mutant_queue_show

package mutant

// Built is the deliberate bug of this build.
const Built = Show
