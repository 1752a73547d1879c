//go:build !mutant_queue_ack && !mutant_queue_full && !mutant_queue_show && !mutant_queue_size && !mutant_queue_fence && !mutant_cut

package mutant

// Built is the deliberate bug of this build: none.
const Built = 0
