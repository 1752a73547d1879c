// Package index finds references by the tags of what they refer to: a hash table of
// 64-bit slots that the garbage collector does not scan, and that grows without a pause.
//
// It owns its tables. It touches nothing else, and takes no lock: it is for one goroutine
// at a time. It must not know what a reference refers to: whoever looks for an entry
// compares what a slot's reference leads to.
package index
