//go:build !race

package scaletest

// raced tells that the race detector is on.
const raced = false
