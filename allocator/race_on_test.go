//go:build race || lockorder

package allocator

// raced tells that the race detector is on, and that counts should be small.
const raced = true
