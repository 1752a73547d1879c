package log_test

import (
	"testing"

	"github.com/clickcollect/clickcollect/reservation/log"
	"github.com/clickcollect/clickcollect/reservation/log/logtest"
)

// TestMemoryLogPasses runs the suite on the log in memory.
func TestMemoryLogPasses(t *testing.T) {
	logtest.RunLog(t, func(*testing.T) log.Log { return log.OpenMemory(64 << 20) })
}
