//go:build mutant_queue_size

package journal

// queueMutant is the deliberate bug compiled in, see mutant_queue.go.
const queueMutant = mutantQueueSize
