//go:build mutant_queue_full

package journal

// queueMutant is the deliberate bug compiled in, see mutant_queue.go.
const queueMutant = mutantQueueFull
