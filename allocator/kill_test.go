package allocator_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/clickcollect/clickcollect/allocator"
	"github.com/clickcollect/clickcollect/bench/scaletest"
)

var (
	kills    = flag.Int("kills", 0, "how often TestKillLoop kills its process; 0: a default")
	killSeed = flag.Uint64("kill-seed", 1, "of the first world of TestKillLoop; the next ones count on")
)

// killLives is how many processes work on one directory, one after the other.
const killLives = 8

// A process that works on all verbs of the door at once is killed at any moment.
// What it leaves behind has everything that was acknowledged: all orders stand as
// they were read, all settings are as they were set, and every ID that is repeated
// gets its first answer, field by field, and changes nothing.
func TestKillLoop(t *testing.T) {
	var all killJudge
	most := cmp.Or(*kills, scaletest.Of(24, 3))
	for seed, n := *killSeed, 0; n < most; seed++ {
		n += killDirectory(t, seed, min(killLives, most-n), &all)
	}
	t.Logf("%d kills, %d IDs repeated, %d lost, %d answered otherwise", most, all.repeated, all.lost, all.otherwise)
}

// killDirectory kills so many processes that work on one directory.
func killDirectory(t *testing.T, seed uint64, lives int, all *killJudge) int {
	dir := t.TempDir()
	w := newKillWorld(filepath.Join(dir, "data"), filepath.Join(dir, "log"), seed)
	t.Logf("seed %d: %s", seed, killText(w))
	draw := rand.New(rand.NewPCG(seed, 2))
	for ; w.Life < lives; w.Life++ {
		if err := w.kill(t.Context(), draw); err != nil {
			t.Fatalf("seed %d, life %d: %v", seed, w.Life, err)
		}
		j, err := w.look(t.Context())
		if err != nil {
			t.Fatalf("seed %d, life %d: %v", seed, w.Life, err)
		}
		all.repeated, all.lost, all.otherwise = all.repeated+j.repeated, all.lost+j.lost, all.otherwise+j.otherwise
		for i, fault := range j.faults {
			if i == 5 {
				t.Errorf("seed %d, life %d: and %d more", seed, w.Life, len(j.faults)-i)
				break
			}
			t.Errorf("seed %d, life %d: %s", seed, w.Life, fault)
		}
	}
	return lives
}

// kill runs the process and kills it: after a number of acknowledgments and a
// moment more, so that it opens, recovers, works, writes a snapshot or begins a
// segment just then.
func (w *killWorld) kill(ctx context.Context, draw *rand.Rand) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	text, err := json.Marshal(w)
	if err != nil {
		return err
	}
	c := exec.CommandContext(ctx, self, "-test.run", "^TestKillWorker$", "-test.timeout", "10m")
	c.Env = append(os.Environ(), killVariable+"="+string(text))
	c.Stderr = os.Stderr
	beats, err := c.StdoutPipe()
	if err != nil {
		return err
	}
	if err := c.Start(); err != nil {
		return err
	}
	after := draw.Int64N(1500)
	if draw.IntN(6) == 0 {
		after = 0 // while it opens
	}
	_, err = io.CopyN(io.Discard, beats, after)
	moment := time.NewTimer(time.Duration(draw.Int64N(int64(3 * time.Millisecond))))
	if after == 0 {
		moment.Reset(time.Duration(draw.Int64N(int64(60 * time.Millisecond))))
	}
	<-moment.C
	killed := c.Process.Kill()
	io.Copy(io.Discard, beats)
	var exit *exec.ExitError
	if waited := c.Wait(); errors.As(waited, &exit) && !exit.Exited() {
		return nil // killed, as was meant
	} else {
		return fmt.Errorf("the process ended by itself: %w", errors.Join(err, killed, waited))
	}
}

// look opens what is left, judges it, and leaves it to the next life.
func (w *killWorld) look(ctx context.Context) (j *killJudge, err error) {
	lines, err := readKillLog(w.Log)
	if err != nil {
		return nil, err
	}
	log, err := openKillLog(w.Log, io.Discard)
	if err != nil {
		return nil, err
	}
	defer log.file.Close()
	o := w.options()
	// Nothing happens by itself, so that records are those of the repeats.
	o.ManualExpiry, o.SnapshotEvery = true, -1
	a, err := allocator.Open(ctx, o)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	j = newKillJudge(w, a, lines)
	if err := j.judge(ctx); err != nil {
		return nil, err
	}
	return j, j.settle(ctx, log)
}
