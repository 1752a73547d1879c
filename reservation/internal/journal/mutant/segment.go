//go:build mutant_segment

package mutant

// Built is the deliberate bug of this build.
const Built = Segment
