//go:build !unix

package peers

import "time"

// cpuTime returns 0: this system is not asked.
func cpuTime() time.Duration { return 0 }
