package bench

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
)

// A contestant in a process of its own is asked over its standard input and
// answers on its standard output, one JSON value per message.

// hello is the first message: which case, which contestant.
type hello struct {
	Config     Config
	Contestant string
}

// request is each further message.
type request struct {
	Load, Check bool
	Pass        pass
}

// failures are the causes that a message can name.
var failures = map[string]error{"oversold": ErrOversold, "wrong": ErrWrong, "lost": ErrLost}

// answer is the answer to a request.
type answer struct {
	Loaded loaded
	Passed passed
	Error  string
	Kind   string // of failures, the one that Error wraps
}

// ServeSeat seats the contestant that the first message on r names, and
// answers requests until r ends. It is the other end of Config.Command.
func ServeSeat(r io.Reader, w io.Writer) error {
	in, out := json.NewDecoder(r), json.NewEncoder(w)
	var h hello
	if err := in.Decode(&h); err != nil {
		return fmt.Errorf("bench: seat: %w", err)
	}
	var s *seat
	for _, c := range Contestants() {
		if c.Name == h.Contestant {
			s = newSeat(h.Config, c.New())
		}
	}
	if s == nil {
		return fmt.Errorf("bench: seat: no contestant is called %q", h.Contestant)
	}
	for {
		var q request
		if err := in.Decode(&q); errors.Is(err, io.EOF) {
			return s.close()
		} else if err != nil {
			return errors.Join(fmt.Errorf("bench: seat: %w", err), s.close())
		}
		var a answer
		var err error
		switch {
		case q.Load:
			a.Loaded, err = s.load()
		case q.Check:
			err = s.check()
		default:
			a.Passed, err = s.run(q.Pass)
		}
		if err != nil {
			a.Error = err.Error()
		}
		for kind, failure := range failures {
			if errors.Is(err, failure) {
				a.Kind = kind
			}
		}
		if err := out.Encode(a); err != nil {
			return errors.Join(fmt.Errorf("bench: seat: %w", err), s.close())
		}
	}
}

// remote is a seat in a child process. Not safe for concurrent use.
type remote struct {
	command *exec.Cmd
	stdin   io.WriteCloser
	stderr  strings.Builder // complete once the child has ended
	in      *json.Decoder
	out     *json.Encoder
	closed  bool
}

func openRemote(c Config, contestant string) (*remote, error) {
	command := exec.Command(c.Command[0], c.Command[1:]...)
	r := &remote{command: command}
	command.Stderr = &r.stderr
	stdin, err := command.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("bench: start %s: %w", contestant, err)
	}
	stdout, err := command.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("bench: start %s: %w", contestant, err)
	}
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("bench: start %s: %w", contestant, err)
	}
	r.stdin, r.in, r.out = stdin, json.NewDecoder(stdout), json.NewEncoder(stdin)
	if err := r.out.Encode(hello{Config: c, Contestant: contestant}); err != nil {
		return nil, errors.Join(fmt.Errorf("bench: start %s: %w", contestant, err), r.close())
	}
	return r, nil
}

func (r *remote) load() (loaded, error) {
	a, err := r.ask(request{Load: true})
	return a.Loaded, err
}

func (r *remote) check() error {
	_, err := r.ask(request{Check: true})
	return err
}

func (r *remote) run(p pass) (passed, error) {
	a, err := r.ask(request{Pass: p})
	return a.Passed, err
}

func (r *remote) ask(q request) (answer, error) {
	var a answer
	err := r.out.Encode(q)
	if err == nil {
		err = r.in.Decode(&a)
	}
	if err != nil {
		err = errors.Join(err, r.close())
		return a, fmt.Errorf("bench: ask a seat: %w: %s", err, strings.TrimSpace(r.stderr.String()))
	}
	switch {
	case a.Kind != "":
		return a, fmt.Errorf("%w (%s)", failures[a.Kind], a.Error)
	case a.Error != "":
		return a, errors.New(a.Error)
	}
	return a, nil
}

// close ends the child by ending its input, and waits for it. Later calls do
// nothing.
func (r *remote) close() error {
	if r.closed {
		return nil
	}
	r.closed = true
	return errors.Join(r.stdin.Close(), r.command.Wait())
}
