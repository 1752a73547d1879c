package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clickcollect/clickcollect/bench"
)

func TestReportOfASmallRun(t *testing.T) {
	out := filepath.Join(t.TempDir(), "result.json")
	var stdout, stderr bytes.Buffer
	args := strings.Fields("-case 100 -rounds 1 -pass 1s -orders 300 -in-process -json -out " + out)
	if err := run(t.Context(), args, nil, &stdout, &stderr); err != nil {
		t.Fatalf("%v\n%s", err, &stderr)
	}
	written, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(written, stdout.Bytes()) {
		t.Error("the file differs from what was printed")
	}
	var report bench.Report
	if err := json.Unmarshal(written, &report); err != nil {
		t.Fatal(err)
	}
	if report.Command == "" || report.Commit == "" || report.GoVersion == "" || report.CPU == "" || report.Date.IsZero() {
		t.Errorf("the report lacks its circumstances: %+v", report)
	}
	if len(report.Cases) != 1 || len(report.Cases[0].Results) != len(bench.Contestants()) {
		t.Fatalf("the report lacks results: %s", written)
	}
	for _, r := range report.Cases[0].Results {
		if r.Orders == 0 || r.Oversold != 0 {
			t.Errorf("%s: %d orders, %d oversold", r.Engine, r.Orders, r.Oversold)
		}
	}
}

func TestTableAndList(t *testing.T) {
	var stdout, stderr bytes.Buffer
	args := strings.Fields("-case 100 -engines strong -rounds 1 -pass 1s -orders 300 -in-process")
	if err := run(t.Context(), args, nil, &stdout, &stderr); err != nil {
		t.Fatal(err)
	}
	if got := stdout.String(); !strings.Contains(got, "case=100/") || !strings.Contains(got, "strong") {
		t.Errorf("no table:\n%s", got)
	}
	stdout.Reset()
	if err := run(t.Context(), []string{"list"}, nil, &stdout, &stderr); err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(stdout.String(), "\n"); got != len(bench.Cases()) {
		t.Errorf("%d cases listed, want %d", got, len(bench.Cases()))
	}
}

func TestBadCommandLines(t *testing.T) {
	for _, line := range []string{"-case none", "-engines none", "-scaling maybe", "extra", "run extra", "doctor -rounds 3", "load -length x", "-list", "-rounds x"} {
		var out bytes.Buffer
		if err := run(t.Context(), strings.Fields(line), nil, &out, &out); err == nil {
			t.Errorf("%q was accepted", line)
		}
	}
}
