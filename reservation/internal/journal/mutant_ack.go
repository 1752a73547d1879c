//go:build mutant_ack

package journal

// mutant is the deliberate bug compiled in, see mutant.go.
const mutant = mutantAck
