//go:build mutant_directory

package mutant

// Built is the deliberate bug of this build.
const Built = Directory
