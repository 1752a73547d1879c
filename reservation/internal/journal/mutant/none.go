//go:build !mutant_ack && !mutant_directory && !mutant_ignored && !mutant_retried && !mutant_chain && !mutant_segment && !mutant_scrub && !mutant_scan && !mutant_unverified && !mutant_recycle && !mutant_fatal && !mutant_hoard

package mutant

// Built is the deliberate bug of this build: none.
const Built = 0
