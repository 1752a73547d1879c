package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
)

func main() {
	root := flag.CommandLine.String("root", ".", "the module's `folder`")
	if err := flag.CommandLine.Parse(os.Args[1:]); err != nil {
		return // flag.ExitOnError has ended the process
	}
	if err := run(os.Stdout, *root); err != nil {
		fmt.Fprintln(os.Stderr, "house:", err)
		os.Exit(1)
	}
}

// run prints the figures of every package, the largest circle first.
func run(w io.Writer, root string) error {
	all, err := Measure(root)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "%-34s %5s %6s  %-14s %-22s %-22s %-20s %s\n", "package", "files", "lines", "circle", "methods", "exported", "fields", "touched by files")
	for _, f := range all {
		path := strings.TrimPrefix(strings.TrimPrefix(f.Path, modulePath), "/")
		if path == "" {
			path = "."
		}
		fmt.Fprintf(w, "%-34s %5d %6d  %-14s %-22s %-22s %-20s %s\n", path, f.Files, f.Lines, fmt.Sprintf("%d / %d", f.CircleFiles, f.CircleLines),
			f.Methods, f.Exported, f.Fields, f.Touched)
	}
	return nil
}

// String is the number and the type.
func (c Count) String() string {
	if c.N == 0 {
		return "-"
	}
	return fmt.Sprintf("%d %s", c.N, c.Of)
}
