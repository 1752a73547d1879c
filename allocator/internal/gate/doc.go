// Package gate is the one way into a call of the engine's and out of it.
//
// It owns which calls are in flight and which of them count as changes, the pause
// of all changes, the end of the engine, engine time, the guard around functions of
// the host's, the goroutines that the engine steps, the counts of calls by outcome,
// and the log book through which the host's logger is reached. A verb begins with one
// call of a [Gate] (Enter, Begin, Admit, BeginVerb) and defers [Call.End]; nothing
// else counts it in or out.
//
// It may touch the ledger as far as a call begins or ends by it: room on the disk
// before, the wait for the disk behind, and the closing at the end of all.
//
// It must not know what a call does. What a call works in lies in [Pass.Memory],
// which the gate hands from call to call and never looks at. It holds no lock over a
// function of the host's, over a wait for the disk, or over a call.
package gate
