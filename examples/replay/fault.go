package main

import (
	"fmt"
	"io"
)

// faults counts the bad rows of the input files and prints the first of them.
// It is not safe for concurrent use.
type faults struct {
	w     io.Writer
	limit int // rows printed at most; the rest is only counted
	count int
}

// add reports one bad row as file:line: why.
func (f *faults) add(file string, line int, why string) {
	f.count++
	switch {
	case f.count <= f.limit:
		fmt.Fprintf(f.w, "replay: %s:%d: %s\n", file, line, why)
	case f.count == f.limit+1:
		fmt.Fprintln(f.w, "replay: further bad rows are only counted")
	}
}
