//go:build mutant_queue_ack

package journal

// queueMutant is the deliberate bug compiled in, see mutant_queue.go.
const queueMutant = mutantQueueAck
