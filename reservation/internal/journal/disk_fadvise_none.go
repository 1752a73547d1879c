//go:build linux && !(amd64 || arm64 || loong64 || ppc64 || ppc64le || riscv64 || s390x)

package journal

import "syscall"

// fadvise is left out where its arguments are passed in pairs. Recovery writes
// doubtful frames again, with or without it.
func fadvise(fd, advice uintptr) syscall.Errno { return syscall.ENOSYS }
