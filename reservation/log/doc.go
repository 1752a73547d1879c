// Package log is the seam behind which a ledger keeps its records: what a log must
// do, the words in which it says no, and one log in memory.
//
// It owns [Log], [Frame], the optional abilities of a log, the errors, and
// [MemoryLog]. It may touch the locks of this module and nothing else. It must not
// know what a record says, nor where a log lies: files are
// reservation/internal/journal's, group commit is reservation/internal/commit's, and
// whoever keeps a log elsewhere imports this package and proves it with
// reservation/log/logtest.
package log
