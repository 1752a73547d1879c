package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/clickcollect/clickcollect/bench/peers"
)

// The seats are processes: this one, started with -seat.
func TestMain(m *testing.M) {
	if slices.Equal(os.Args[1:], []string{seatFlag}) {
		main()
		return
	}
	os.Exit(m.Run())
}

func TestSeatsInProcesses(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "report.json")
	var stdout, stderr strings.Builder
	args := []string{"-case", "flash-10k-dry", "-engines", "strong-journal,ours", "-callers", "2,9", "-batches", "2", "-rounds", "1", "-pass", "5ms", "-dir", dir, "-out", out}
	if err := run(t.Context(), args, strings.NewReader(""), &stdout, &stderr); err != nil {
		t.Fatal(err, stderr.String())
	}
	var report peers.Report
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &report); err != nil {
		t.Fatal(err)
	}
	if len(report.Rows) != 6 || report.Rows[0].Ours == 0 || report.SQLite == "" || report.Config.Case.Name != "flash-10k-dry" {
		t.Errorf("%s\n%s", text, stdout.String())
	}
	if !strings.Contains(stdout.String(), "strong-journal") {
		t.Error(stdout.String())
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestFaults(t *testing.T) {
	for _, c := range []struct{ args, word string }{
		{"-case nowhere", "nowhere"},
		{"-engines nobody -dir .", "nobody"},
		{"-callers x", "no number"},
		{"-callers 0", "positive"},
		{"more", "unexpected"},
		{"-dir /dev/null/x", "/dev/null/x"},
	} {
		var stdout, stderr strings.Builder
		err := run(t.Context(), strings.Fields(c.args), strings.NewReader(""), &stdout, &stderr)
		if err == nil || !strings.Contains(err.Error(), c.word) {
			t.Errorf("%s: %v", c.args, err)
		}
	}
	var answers strings.Builder
	err := run(t.Context(), []string{seatFlag}, strings.NewReader(`{"Engine":"nobody"}`), &answers, &answers)
	if err != nil || !strings.Contains(answers.String(), "nobody") {
		t.Errorf("a seat for nobody: %v, %s", err, answers.String())
	}
	if err := run(t.Context(), []string{seatFlag}, strings.NewReader("?"), &answers, &answers); err == nil {
		t.Error("a seat understood a question mark")
	}
}
