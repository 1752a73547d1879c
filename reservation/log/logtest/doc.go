// Package logtest holds what whoever keeps a log of his own needs for its tests: the
// suite that each log has to pass, [RunLog], and [Store], a log in memory that
// outlives its handles and of which one at a time is the owner.
//
// It owns the checks, each with a log that breaks it in the package's own tests. It
// may touch reservation/log. It must not know any other log, nor what a record says.
package logtest
