//go:build !mutant_early && !mutant_twice && !mutant_clock && !mutant_apart && !mutant_grace && !mutant_short && !mutant_gap && !mutant_only && !mutant_soon && !mutant_due

package reservation

// mutant names the deliberate bug compiled in: none in this build.
const mutant = 0
