//go:build mutant_cut

package mutant

// Built is the deliberate bug of this build.
const Built = Cut
