// Package house has the rules of the house as a test: who may import whom, how
// long a file and a function may be, what has a comment and an example, where
// state, time and chance may live. Each rule carries a canary, a small file that
// breaks it, so that a rule that reports nothing any more is noticed.
//
// It owns no state and is imported by nobody. It may read every file of the
// module; it must not run or change any.
package house
