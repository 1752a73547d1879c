//go:build lockorder && !amd64 && !arm64

package lock

import (
	"bytes"
	"runtime"
	"strconv"
)

// goroutine is the number of the calling goroutine, which the runtime tells in
// stack traces alone: "goroutine 7 [running]:".
func goroutine() uintptr {
	var b [64]byte
	text := bytes.TrimPrefix(b[:runtime.Stack(b[:], false)], []byte("goroutine "))
	text, _, _ = bytes.Cut(text, []byte(" "))
	id, err := strconv.ParseUint(string(text), 10, 64)
	if err != nil {
		panic("lock: a stack trace of another form: " + string(text))
	}
	return uintptr(id)
}
