// House measures how far each package is from a knot, and its tests are the rules
// of the house: who may import whom, how long a file and a function may be, how many
// files may need each other, what has a comment and an example, where state, time and
// chance may live. Each rule carries a canary, a small file that breaks it, so that a
// rule that reports nothing any more is noticed.
//
//	go run ./bench/house
//
// It owns no state and is imported by nobody. It may read every file of the
// module; it must not run or change any.
package main
