//go:build linux && (amd64 || arm64 || loong64 || ppc64 || ppc64le || riscv64 || s390x)

package journal

import "syscall"

// fadvise advises on a whole file.
func fadvise(fd, advice uintptr) syscall.Errno {
	_, _, errno := syscall.Syscall6(syscall.SYS_FADVISE64, fd, 0, 0, advice, 0, 0)
	return errno
}
