package log

import (
	"errors"
	"fmt"
	"testing"
)

// TestMemoryLogIsBounded drops the oldest frames and says so to readers.
func TestMemoryLogIsBounded(t *testing.T) {
	l := OpenMemory(10_000)
	for range 300 {
		b := fmt.Appendf(nil, "frame %d %s", l.Last()+1, make([]byte, l.Last()%100))
		if err := l.Append(l.Last()+1, 3, b); err != nil {
			t.Fatal(err)
		}
	}
	n := 0
	for _, f := range l.frames {
		n += len(f.Payload) + frameOverhead
	}
	if n != l.bytes || n > 10_000 || l.First() == 1 {
		t.Errorf("%d bytes in frames from %d on", n, l.First())
	}
	next := l.First()
	for f, err := range l.Read(next) {
		if err != nil || f.First != next {
			t.Fatalf("read: record %d, want %d, error %v", f.First, next, err)
		}
		next += uint64(f.Count)
	}
	if next != l.Last()+1 {
		t.Fatalf("read to %d, the log ends at %d", next-1, l.Last())
	}
	for _, err := range l.Read(1) {
		var trimmed *TrimmedError
		if !errors.As(err, &trimmed) || trimmed.First != l.First() {
			t.Errorf("read 1: %v", err)
		}
	}
	if err := l.Trim(l.Last() + 1); err != nil || len(l.frames) != 1 {
		t.Errorf("trim: %v, %d frames", err, len(l.frames))
	}
	if err := l.Append(l.Last()+1, 1, make([]byte, 20_000)); err != nil || len(l.frames) != 1 {
		t.Errorf("a frame above the limit: %v, %d frames", err, len(l.frames))
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}
