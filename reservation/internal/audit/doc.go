// Package audit compares a state with one that was recomputed from the log, or its
// counters with what its reservations hold.
//
// It owns what is compared, and what is looked at again because it changed meanwhile. It
// reads the live state under its locks; the shadow is its own. It may touch
// internal/state and what that holds, internal/recovery, which brings the shadow up to
// date, and internal/commit, of which it only reads the records. It must not change the
// live state, nor know how a record is made.
package audit
