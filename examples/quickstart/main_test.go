package main

import (
	"os"
)

// The program is its own example: this runs it in a directory of its own
// and compares what it prints.
func Example() {
	dir, err := os.MkdirTemp("", "quickstart")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	if err := os.Chdir(dir); err != nil {
		panic(err)
	}
	main()
	// Output: SO-1001 held at krakow-1, 0.9 km away
}
