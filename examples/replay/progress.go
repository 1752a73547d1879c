package main

import (
	"fmt"
	"io"
	"os"
	"time"
)

// progress writes one line that overwrites itself, once the work has taken
// more than a second. A nil progress is silent.
type progress struct {
	w     io.Writer
	began time.Time
	last  time.Time
	shown bool
}

const (
	progressAfter = time.Second
	progressEvery = 100 * time.Millisecond
)

// newProgress returns nil unless the file is a terminal.
func newProgress(f *os.File) *progress {
	info, err := f.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return nil
	}
	return &progress{w: f, began: time.Now()}
}

func (p *progress) show(what string, done, of int) {
	if p == nil {
		return
	}
	now := time.Now()
	if now.Sub(p.began) < progressAfter || now.Sub(p.last) < progressEvery {
		return
	}
	p.last, p.shown = now, true
	fmt.Fprintf(p.w, "\r\x1b[K%s: %s of %s", what, grouped(int64(done)), grouped(int64(of)))
}

// clear takes the line away.
func (p *progress) clear() {
	if p != nil && p.shown {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.shown = false
	}
}
