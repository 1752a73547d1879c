package peers

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"

	"github.com/clickcollect/clickcollect/bench"
)

// place is where a contestant sits: in this process, or at the end of a pipe.
type place interface {
	Run(Pass) (Passed, error)
	Close() error
}

// seating is the first line to a process that serves a seat.
type seating struct {
	Case   bench.Config
	Engine string
	Dir    string
}

// answer is each line back: the first says that the engine is loaded.
type answer struct {
	Passed   Passed
	Oversold bool
	Error    string
}

func answerOf(p Passed, err error) answer {
	if err == nil {
		return answer{Passed: p}
	}
	return answer{Passed: p, Oversold: errors.Is(err, bench.ErrOversold), Error: err.Error()}
}

func (a answer) err() error {
	switch {
	case a.Oversold:
		return fmt.Errorf("%s: %w", a.Error, bench.ErrOversold)
	case a.Error != "":
		return errors.New(a.Error)
	}
	return nil
}

// ServeSeat serves one contestant over a pipe until r ends: a line of JSON in,
// a line of JSON out. Each contestant sits in a process of its own, so that
// nobody pays for a rival's memory.
func ServeSeat(r io.Reader, w io.Writer) error {
	in, out := json.NewDecoder(r), json.NewEncoder(w)
	var s seating
	if err := in.Decode(&s); err != nil {
		return fmt.Errorf("peers: seat: %w", err)
	}
	seat, err := sit(s)
	if failed := out.Encode(answerOf(Passed{}, err)); failed != nil || err != nil {
		return failed // err went to the other side
	}
	for {
		var p Pass
		if err := in.Decode(&p); err == io.EOF {
			return seat.Close()
		} else if err != nil {
			return errors.Join(fmt.Errorf("peers: seat: %w", err), seat.Close())
		}
		passed, err := seat.Run(p)
		if failed := out.Encode(answerOf(passed, err)); failed != nil || err != nil {
			return errors.Join(failed, seat.Close())
		}
	}
}

// sit draws the work and loads the engine.
func sit(s seating) (*Seat, error) {
	contestant, err := Named(s.Engine)
	if err != nil {
		return nil, err
	}
	w, err := Draw(s.Case)
	if err != nil {
		return nil, err
	}
	e, err := contestant.New(s.Dir)
	if err != nil {
		return nil, err
	}
	seat, err := Sit(w, e)
	if err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return seat, nil
}

// remote is a seat at the end of a pipe. Not safe for concurrent use.
type remote struct {
	process *exec.Cmd
	stdin   io.WriteCloser
	in      *json.Encoder
	out     *json.Decoder
}

// open starts the command, which must call ServeSeat, and waits until its
// engine is loaded.
func open(ctx context.Context, command []string, s seating) (*remote, error) {
	c := exec.CommandContext(ctx, command[0], command[1:]...)
	c.Stderr = os.Stderr
	stdin, err := c.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := c.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.Start(); err != nil {
		return nil, err
	}
	r := &remote{process: c, stdin: stdin, in: json.NewEncoder(stdin), out: json.NewDecoder(bufio.NewReader(stdout))}
	if _, err := r.ask(s); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

func (r *remote) ask(question any) (Passed, error) {
	if err := r.in.Encode(question); err != nil {
		return Passed{}, fmt.Errorf("peers: asking a seat: %w", err)
	}
	var a answer
	if err := r.out.Decode(&a); err != nil {
		return Passed{}, fmt.Errorf("peers: a seat fell silent: %w", err)
	}
	return a.Passed, a.err()
}

func (r *remote) Run(p Pass) (Passed, error) { return r.ask(p) }

// Close ends the process and waits for it.
func (r *remote) Close() error {
	return errors.Join(r.stdin.Close(), r.process.Wait())
}
