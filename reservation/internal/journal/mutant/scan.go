//go:build mutant_scan

package mutant

// Built is the deliberate bug of this build.
const Built = Scan
