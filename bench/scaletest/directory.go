package scaletest

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// Unpack is a golden directory, a compressed archive of files in testdata, as a
// directory of the test's own.
func Unpack(t testing.TB, archive string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	content, err := os.ReadFile(archive)
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(z); ; {
		head, err := r.Next()
		if errors.Is(err, io.EOF) {
			return dir
		}
		if err != nil {
			t.Fatal(err)
		}
		if head.Typeflag != tar.TypeReg {
			continue
		}
		file, err := io.ReadAll(r)
		if err = errors.Join(err, os.WriteFile(filepath.Join(dir, filepath.Base(head.Name)), file, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
}

// Pack is the files of a directory as such an archive.
func Pack(t testing.TB, dir string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		err = w.WriteHeader(&tar.Header{Name: filepath.Base(name), Mode: 0o600, Size: int64(len(content)), Format: tar.FormatUSTAR})
		if err == nil {
			_, err = w.Write(content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Remove takes a directory away from under the engine that runs in it. The engine
// may make a file in it at any moment, between the last that is removed and the
// directory, so one try is not enough; once the directory is gone it cannot.
func Remove(t testing.TB, dir string) {
	t.Helper()
	for try := 1; ; try++ {
		err := os.RemoveAll(dir)
		if err == nil {
			return
		}
		if try == 1000 {
			t.Fatal(err)
		}
	}
}
