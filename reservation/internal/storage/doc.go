// Package storage is where a ledger lies that outlives its process: a log, in files of
// its own or one that was given, and with a directory the snapshots beside it.
//
// It owns which of them there are, the directory, the one snapshot that is being
// written, and what is trimmed after it. It may touch reservation/log and
// reservation/internal/journal. It must not know what a record or a snapshot says, and
// never appends to the log: that is reservation/internal/commit's.
package storage
