package scaletest

import (
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// A directory is removed while another goroutine goes on making files in it. With
// a single os.RemoveAll this failed now and then, and with it the tests that take
// a journal's directory away.
func TestRemoveMeetsWriter(t *testing.T) {
	for range Of(400, 40) {
		dir := filepath.Join(t.TempDir(), "journal")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		root, err := os.OpenRoot(dir)
		if err != nil {
			t.Fatal(err)
		}
		started, ended := make(chan struct{}), make(chan error)
		go func() {
			for i := 0; ; i++ {
				f, err := root.Create(strconv.Itoa(i))
				if err != nil {
					ended <- err
					return
				}
				f.Close()
				if i == 3 {
					close(started)
				}
			}
		}()
		<-started
		Remove(t, dir)
		if _, err := os.Stat(dir); !os.IsNotExist(err) {
			t.Errorf("the directory is still there: %v", err)
		}
		if err := <-ended; !os.IsNotExist(err) {
			t.Errorf("the writer ended with %v; want %v", err, fs.ErrNotExist)
		}
		root.Close()
	}
}
