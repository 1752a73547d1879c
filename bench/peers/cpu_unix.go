//go:build unix

package peers

import (
	"syscall"
	"time"
)

// cpuTime returns the processor time this process has used, in user and
// kernel mode, or 0 if the system does not say.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
