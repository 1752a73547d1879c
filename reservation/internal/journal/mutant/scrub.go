//go:build mutant_scrub

package mutant

// Built is the deliberate bug of this build.
const Built = Scrub
