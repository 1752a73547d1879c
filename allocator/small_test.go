package allocator_test

import (
	"io/fs"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/clickcollect/clickcollect/allocator"
)

// An engine in which nothing happens takes at most 4 MB of memory and 4 MB of its
// directory, with the defaults, while it is open and after.
func TestEmptyEngineIsSmall(t *testing.T) {
	dir := t.TempDir()
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	a, err := allocator.Open(t.Context(), allocator.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if grown := int64(heap() - before); grown > 4_000_000 {
		t.Errorf("an empty engine takes %d bytes of memory", grown)
	}
	check := func() {
		t.Helper()
		used := int64(0)
		err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return nil // the engine gives a file another name
			}
			if info, err := e.Info(); err == nil {
				used += info.Size()
			}
			return nil
		})
		if err != nil || used > 4_000_000 {
			t.Errorf("the directory of an empty engine takes %d bytes, %v", used, err)
		}
	}
	check()
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	check()
}
