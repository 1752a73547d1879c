package main

// The program is its own example: this runs it and compares what it prints.
func Example() {
	main()
	// Output: SO-1001 held at krakow-1 0.9 km away
}
