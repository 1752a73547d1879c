//go:build !mutant_ack && !mutant_directory && !mutant_ignored && !mutant_retried && !mutant_chain && !mutant_segment && !mutant_scrub && !mutant_scan && !mutant_unverified && !mutant_recycle && !mutant_fatal && !mutant_hoard

package journal

// mutant names the deliberate bug compiled in: none in this build.
const mutant = 0
