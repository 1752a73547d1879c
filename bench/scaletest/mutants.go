package scaletest

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Mutant is a deliberate bug, and the test that sees it. The bug is not in the code:
// it is a change of it that a build lays over the files, so what ships has no branch
// for bugs.
type Mutant struct {
	Name  string
	Edits []Edit
	Test  string   // must fail with the bug,
	Says  string   // and say so: a regular expression
	Flags []string // of go test, and behind them the package of the test if it is another

	of string // the bug's own name, if it is built with others
}

// Edit replaces a text of a file by another. The file is named from the folder in
// which the test runs, and Old stands in it exactly once.
type Edit struct{ File, Old, New string }

// Replace is the one edit of a mutant that has no more.
func Replace(file, old, new string) []Edit { return []Edit{{File: file, Old: old, New: new}} }

// Mutants checks that every bug can still be laid over the code; with the full counts
// it also builds each and runs its test, some of them at the same time. Tests of the
// same bug that stand one behind the other are run so too, and find what the first of
// them has compiled.
func Mutants(t *testing.T, list ...Mutant) {
	t.Helper()
	for len(list) > 0 {
		bug, n := list[0], 1
		for n < len(list) && list[n].Name == bug.Name && slices.Equal(list[n].Edits, bug.Edits) {
			n++
		}
		tests := list[:n]
		list = list[n:]
		t.Run(bug.Name, func(t *testing.T) {
			overlay, err := bug.overlay(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			if !Full() {
				return
			}
			t.Parallel()
			for _, m := range tests {
				t.Run(strings.TrimPrefix(m.of+"/"+m.Test, "/"), func(t *testing.T) {
					Caught(t, m.Test, m.Says, append([]string{"-overlay", overlay}, m.Flags...)...)
				})
			}
		})
	}
}

// Together is Mutants for bugs that do not meet: they are laid over the code all at once,
// and the package is built once for all of their tests, of which each must fail for its
// own bug and say so. A test that another one of the bugs makes say the same must not be
// among them: with CLICKCOLLECT_APART=1, as in make long, each is built alone.
func Together(t *testing.T, list ...Mutant) {
	t.Helper()
	if os.Getenv("CLICKCOLLECT_APART") == "1" {
		Mutants(t, list...)
		return
	}
	var edits []Edit
	for i, m := range list {
		if !slices.ContainsFunc(list[:i], func(o Mutant) bool { return o.Name == m.Name }) {
			edits = append(edits, m.Edits...)
		}
	}
	all := slices.Clone(list)
	for i := range all {
		all[i].of, all[i].Name, all[i].Edits = all[i].Name, list[0].Name+" and others", edits
	}
	Mutants(t, all...)
}

// overlay writes the changed files, and the list of them for go test, to a folder.
func (m *Mutant) overlay(dir string) (list string, err error) {
	changed := map[string]string{} // content, by file
	for _, e := range m.Edits {
		text, ok := changed[e.File]
		if !ok {
			content, err := os.ReadFile(e.File)
			if err != nil {
				return "", err
			}
			text = string(content)
		}
		if n := strings.Count(text, e.Old); n != 1 {
			return "", fmt.Errorf("%s: %d times %q, want once", e.File, n, e.Old)
		}
		changed[e.File] = strings.Replace(text, e.Old, e.New, 1)
	}
	replace := map[string]string{}
	for file, text := range changed {
		whole, err := filepath.Abs(file)
		if err != nil {
			return "", err
		}
		replace[whole] = filepath.Join(dir, fmt.Sprint(len(replace), ".go"))
		if err := os.WriteFile(replace[whole], []byte(text), 0o600); err != nil {
			return "", err
		}
	}
	content, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	list = filepath.Join(dir, "overlay.json")
	return list, os.WriteFile(list, content, 0o600)
}
