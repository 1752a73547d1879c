//go:build !mutant_queue_ack && !mutant_queue_full && !mutant_queue_show && !mutant_cut && !mutant_queue_size

package journal

// queueMutant names the deliberate bug of the queue compiled in: none in this
// build.
const queueMutant = 0
