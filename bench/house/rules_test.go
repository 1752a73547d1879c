package main

import (
	"fmt"
	"go/ast"
	"go/build/constraint"
	"go/doc"
	"go/token"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
)

// rooms reports the rooms of the plan that hold no code.
func rooms(files []source) (faults []string) {
	held := make(map[string]bool)
	for _, s := range goFiles(files) {
		held[s.dir()] = held[s.dir()] || !s.isTest()
	}
	for _, name := range slices.Sorted(maps.Keys(plan)) {
		if !held[name] {
			faults = append(faults, "the room "+name+" is empty")
		}
	}
	return faults
}

// roomOf is the nearest room at or above a folder, "" for none.
func roomOf(dir string) string {
	for d := dir; d != "."; d = path.Dir(d) {
		if _, ok := plan[d]; ok {
			return d
		}
	}
	if dir == "." {
		return dir
	}
	return ""
}

// importPlan reports imports that the plan does not allow, tests included.
func importPlan(files []source) (faults []string) {
	for _, s := range goFiles(files) {
		here := roomOf(s.dir())
		if here == "" {
			faults = append(faults, s.path+": the plan has no such room")
			continue
		}
		for _, imported := range slices.Sorted(maps.Values(s.imports())) {
			if !mayImport(here, imported, s.isTest()) {
				faults = append(faults, s.path+": "+here+" may not import "+imported)
			}
		}
	}
	return faults
}

func mayImport(here, imported string, test bool) bool {
	first, _, _ := strings.Cut(imported, "/")
	ours, isOurs := strings.CutPrefix(imported, module+"/")
	switch {
	case isOurs:
		there := roomOf(ours)
		return there == here || slices.Contains(plan[here].ours, there) || test && slices.Contains(plan[here].tests, there) || there == "bench/scaletest" // see counts
	case imported == "testing" || strings.HasPrefix(imported, "testing/"):
		return test || strings.HasSuffix(here, "test") // package testing registers flags in its importer
	case !strings.Contains(first, "."):
		return true
	}
	return slices.Contains(plan[here].theirs, imported) || test && slices.Contains(trials, imported)
}

// pureCore reports clocks, goroutines, I/O, loggers and random sources in core.
func pureCore(files []source) (faults []string) {
	banned := []string{"bufio", "crypto/rand", "io", "io/fs", "log", "log/slog", "math/rand", "math/rand/v2", "net", "net/http", "os"}
	clocks := []string{"After", "AfterFunc", "NewTicker", "NewTimer", "Now", "Since", "Sleep", "Tick", "Until"}
	for _, s := range goFiles(files) {
		if !slices.Contains(core, roomOf(s.dir())) || s.isTrial() {
			continue
		}
		for _, imported := range slices.Sorted(maps.Values(s.imports())) {
			if slices.Contains(banned, imported) && exceptions[s.path+" "+imported] == "" {
				faults = append(faults, s.path+": the core may not import "+imported)
			}
		}
		for _, u := range s.uses() {
			if u.pkg == "time" && slices.Contains(clocks, u.name) {
				faults = append(faults, s.at(u.pos)+"the core may not call time."+u.name)
			}
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			if g, ok := n.(*ast.GoStmt); ok {
				faults = append(faults, s.at(g.Pos())+"the core may not start a goroutine")
			}
			return true
		})
	}
	return faults
}

// nothingGlobal reports what would make two engines in one process, or an
// engine and its host, meet: init functions, flags, the environment, the
// standard streams, os.Exit, registries, and package-level state.
func nothingGlobal(files []source) (faults []string) {
	banned := map[string]string{
		"os":       "Args Clearenv Environ Exit Getenv LookupEnv Setenv Stderr Stdin Stdout",
		"fmt":      "Print Printf Println Scan Scanf Scanln",
		"net/http": "DefaultClient DefaultServeMux DefaultTransport Handle HandleFunc",
		"log/slog": "Debug Default Error Info SetDefault Warn",
		"flag":     "*", "log": "*", "expvar": "*", "os/signal": "*",
	}
	for _, s := range goFiles(files) {
		if s.isMain() || s.isTrial() {
			continue
		}
		for _, u := range s.uses() {
			if list := strings.Fields(banned[u.pkg]); slices.Contains(list, u.name) || slices.Contains(list, "*") {
				faults = append(faults, s.at(u.pos)+u.pkg+"."+u.name+" is for package main")
			}
		}
		for _, decl := range s.file.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil && d.Name.Name == "init" {
					faults = append(faults, s.at(d.Pos())+"init function")
				}
			case *ast.GenDecl:
				if d.Tok == token.VAR && holdsState(s, d) {
					faults = append(faults, s.at(d.Pos())+"package-level state")
				}
			}
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok {
				if f, ok := call.Fun.(*ast.Ident); ok && (f.Name == "print" || f.Name == "println") {
					faults = append(faults, s.at(call.Pos())+"the builtin "+f.Name+" writes to stderr")
				}
			}
			return true
		})
	}
	return faults
}

// holdsState reports whether a package-level variable can only be meant to
// change: a channel, an atomic, a lock, a counter, something made or new. A
// sync.Pool of scratch memory carries nothing from call to call and may stand.
func holdsState(s source, d *ast.GenDecl) (state bool) {
	imports := s.imports()
	for _, spec := range d.Specs {
		v := spec.(*ast.ValueSpec)
		state = state || len(v.Values) == 0 && ast.IsExported(v.Names[0].Name)
		ast.Inspect(v, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncLit:
				return false
			case *ast.ChanType:
				state = true
			case *ast.CallExpr:
				f, ok := n.Fun.(*ast.Ident)
				state = state || ok && (f.Name == "make" || f.Name == "new")
			case *ast.SelectorExpr:
				x, ok := n.X.(*ast.Ident)
				pkg := ""
				if ok {
					pkg = imports[x.Name]
				}
				state = state || pkg == "sync/atomic" || pkg == "sync" && n.Sel.Name != "Pool" ||
					pkg == module+"/reservation/lock" || pkg == names[0]
			}
			return true
		})
	}
	return state
}

// explicitSeeds reports draws that nobody can repeat, and waits by the clock.
func explicitSeeds(files []source) (faults []string) {
	seeded := []string{"ChaCha8", "New", "NewChaCha8", "NewPCG", "NewZipf", "PCG", "Rand", "Source", "Zipf"}
	for _, s := range goFiles(files) {
		imports := slices.Collect(maps.Values(s.imports()))
		if slices.Contains(imports, "math/rand") {
			faults = append(faults, s.path+": math/rand; take math/rand/v2 with an explicit seed")
		}
		for _, u := range s.uses() {
			switch {
			case u.pkg == "math/rand/v2" && !slices.Contains(seeded, u.name):
				faults = append(faults, s.at(u.pos)+"rand."+u.name+" has no seed")
			case u.pkg == "time" && u.name == "Sleep" && !slices.Contains(imports, "testing/synctest"):
				faults = append(faults, s.at(u.pos)+"time.Sleep outside a synctest bubble")
			}
		}
	}
	return faults
}

// counts reports tests whose counts depend on anything but bench/scaletest, so
// that one variable makes all tests of the module thorough, and everything else
// that asks it. Benchmarks, which it does not concern, are short with -short.
func counts(files []source) (faults []string) {
	for _, s := range goFiles(files) {
		if s.dir() == "bench/scaletest" || strings.HasPrefix(s.dir(), "bench/peers") {
			continue
		}
		if !s.isTest() && slices.Contains(slices.Collect(maps.Values(s.imports())), module+"/bench/scaletest") {
			faults = append(faults, s.path+": "+s.dir()+" may not ask how much tests try")
		}
		for _, u := range s.uses() {
			in := func(d ast.Decl) bool {
				f, ok := d.(*ast.FuncDecl)
				return ok && f.Pos() <= u.pos && u.pos < f.End() && strings.HasPrefix(f.Name.Name, "Benchmark")
			}
			if u.pkg == "testing" && u.name == "Short" && !slices.ContainsFunc(s.file.Decls, in) {
				faults = append(faults, s.at(u.pos)+"testing.Short is for benchmarks, tests ask scaletest.Full")
			}
		}
	}
	return faults
}

// oneOrder reports locks that are not in the list of reservation/lock, and ranks
// of the list that nothing has or of which nobody says what they guard. bench is
// exempt: what it compares with has locks of its own, which no call of the
// library's ever takes.
func oneOrder(files []source) (faults []string) {
	const list = "reservation/lock"
	outside := []string{"Mutex", "RWMutex", "Cond", "NewCond"}
	used := make(map[string]bool)
	for _, s := range goFiles(files) {
		if s.isTest() || s.dir() == list || strings.HasPrefix(s.dir()+"/", "bench/") {
			continue
		}
		for _, u := range s.uses() {
			if u.pkg == "sync" && slices.Contains(outside, u.name) {
				faults = append(faults, s.at(u.pos)+"sync."+u.name+" has no place in the order of "+list)
			}
			used[u.name] = used[u.name] || u.pkg == module+"/"+list
		}
	}
	for _, s := range goFiles(files) {
		if s.path != list+"/rank.go" {
			continue
		}
		for _, decl := range s.file.Decls {
			d, ok := decl.(*ast.GenDecl)
			if !ok || d.Tok != token.CONST {
				continue
			}
			for _, spec := range d.Specs {
				v := spec.(*ast.ValueSpec)
				name := v.Names[0].Name
				switch {
				case !ast.IsExported(name):
				case !strings.HasPrefix(v.Doc.Text(), name+" is in "):
					faults = append(faults, s.at(v.Pos())+"nobody says where the rank "+name+" is and what it guards")
				case !used[name]:
					faults = append(faults, s.at(v.Pos())+"no lock has the rank "+name)
				}
			}
		}
	}
	return faults
}

// mutants reports deliberate bugs that are in the code, behind a tag of the build or a
// constant: they are edits in a canary's table, see scaletest.Mutant.
func mutants(files []source) (faults []string) {
	tag := regexp.MustCompile(`\bmutant_?\w*`)
	for _, s := range goFiles(files) {
		for _, group := range s.file.Comments {
			for _, c := range group.List {
				if c.Pos() < s.file.Package && constraint.IsGoBuild(c.Text) && tag.MatchString(c.Text) {
					faults = append(faults, s.at(c.Pos())+"a deliberate bug has a tag of the build")
				}
			}
		}
		if s.isTest() || s.dir() == "bench/scaletest" || s.dir() == "bench/house" {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok && tag.MatchString(id.Name) {
				faults = append(faults, s.at(id.Pos())+"a deliberate bug is in the code")
			}
			return true
		})
	}
	return faults
}

// sizes reports files and functions that do not fit.
func sizes(files []source) (faults []string) {
	for _, s := range goFiles(files) {
		if n := strings.Count(s.text, "\n"); n > maxFileLines {
			faults = append(faults, fmt.Sprintf("%s: %d lines, at most %d: a noun is missing", s.path, n, maxFileLines))
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch n.(type) {
			case *ast.FuncDecl, *ast.FuncLit:
			default:
				return true
			}
			start := n.Pos()
			if f, ok := n.(*ast.FuncDecl); ok {
				start = f.Type.Pos()
			}
			if lines := s.fset.Position(n.End()).Line - s.fset.Position(start).Line + 1; lines > maxFunctionLines {
				faults = append(faults, fmt.Sprintf("%sfunction of %d lines, at most %d", s.at(start), lines, maxFunctionLines))
			}
			return true
		})
	}
	return faults
}

// A declared name is a package-level name or a method.
type declared struct {
	pos       token.Pos
	name      string
	receiver  string    // "" for a package-level name
	group     token.Pos // of the constants or variables it stands among
	commented bool
}

func (s source) declares() (found []declared) {
	for _, decl := range s.file.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			found = append(found, declared{pos: d.Pos(), name: d.Name.Name, receiver: receiver(d), commented: d.Doc.Text() != ""})
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					commented := spec.Doc.Text() != "" || !d.Lparen.IsValid() && d.Doc.Text() != ""
					found = append(found, declared{pos: spec.Pos(), name: spec.Name.Name, commented: commented})
				case *ast.ValueSpec:
					commented := d.Doc.Text()+spec.Doc.Text()+spec.Comment.Text() != ""
					for _, name := range spec.Names {
						found = append(found, declared{pos: name.Pos(), name: name.Name, group: d.Pos(), commented: commented})
					}
				}
			}
		}
	}
	return found
}

func receiver(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return ""
	}
	t := f.Recv.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.Ident:
			return x.Name
		default:
			return ""
		}
	}
}

// library keeps the Go files users import: no tests, no programs.
func library(files []source) []source {
	return slices.DeleteFunc(goFiles(files), func(s source) bool { return s.isTrial() || s.isMain() })
}

// exportedNames reports packages whose door is too wide, measured as go doc
// -short lists it: a line per type and function, and one per group of constants
// or variables.
func exportedNames(files []source) (faults []string) {
	shown := make(map[string]int)
	for _, s := range library(files) {
		groups := make(map[token.Pos]bool)
		for _, d := range s.declares() {
			if d.receiver == "" && ast.IsExported(d.name) && !groups[d.group] {
				shown[s.dir()]++
				groups[d.group] = d.group.IsValid()
			}
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(shown)) {
		if n, limit := shown[dir], exportedLimit(dir); n > limit {
			faults = append(faults, fmt.Sprintf("%s: %d exported names, at most %d", dir, n, limit))
		}
	}
	return faults
}

// docComments reports packages and exported names without a comment, and
// options of which the reader is not told what zero means.
func docComments(files []source) (faults []string) {
	introduced := make(map[string]bool)
	for _, s := range goFiles(files) {
		if !s.isTest() {
			introduced[s.dir()] = introduced[s.dir()] || s.file.Doc.Text() != ""
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(introduced)) {
		if !introduced[dir] {
			faults = append(faults, dir+": no package comment")
		}
	}
	for _, s := range library(files) {
		for _, d := range s.declares() {
			seen := ast.IsExported(d.name) && (d.receiver == "" || ast.IsExported(d.receiver))
			if seen && !d.commented {
				faults = append(faults, s.at(d.pos)+d.name+" has no comment")
			}
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			t, ok := n.(*ast.TypeSpec)
			if !ok || t.Name.Name != "Options" && t.Name.Name != "Config" {
				return true
			}
			if st, ok := t.Type.(*ast.StructType); ok {
				for _, field := range st.Fields.List {
					if field.Doc.Text()+field.Comment.Text() == "" {
						faults = append(faults, s.at(field.Pos())+"a field of "+t.Name.Name+" has no comment")
					}
				}
			}
			return true
		})
	}
	return faults
}

// doorExamples reports verbs of the door without an example that runs: one
// with an Output comment.
func doorExamples(files []source) (faults []string) {
	var verbs []string
	var tests []*ast.File
	for _, s := range goFiles(files) {
		if s.dir() != "allocator" {
			continue
		}
		if s.isTest() {
			tests = append(tests, s.file)
			continue
		}
		for _, d := range s.declares() {
			switch {
			case !ast.IsExported(d.name):
			case d.receiver == "Allocator":
				verbs = append(verbs, "Allocator_"+d.name)
			case d.receiver == "" && d.name == "Open":
				verbs = append(verbs, d.name)
			}
		}
	}
	shown := make(map[string]bool)
	for _, e := range doc.Examples(tests...) {
		shown[e.Name] = shown[e.Name] || e.Output != "" || e.EmptyOutput
	}
	slices.Sort(verbs)
	for _, verb := range verbs {
		suffixed := regexp.MustCompile("^" + verb + "(_[a-z].*)?$")
		if !slices.ContainsFunc(slices.Collect(maps.Keys(shown)), func(name string) bool { return shown[name] && suffixed.MatchString(name) }) {
			faults = append(faults, "allocator: no Example"+verb+" with an Output comment")
		}
	}
	return faults
}

// goMod reports tool lines, replacements, another Go version than the older of
// the two supported ones, and requirements nobody gave us.
func goMod(files []source) (faults []string) {
	given := slices.Concat(linked, histogram, trials, prom)
	for _, s := range files {
		if s.path != "go.mod" {
			continue
		}
		block := ""
		for line := range strings.Lines(s.text) {
			words := strings.Fields(line)
			switch {
			case len(words) == 0:
				continue
			case words[0] == ")":
				block = ""
				continue
			case len(words) > 1 && words[1] == "(":
				block = words[0]
				continue
			case block != "":
				words = slices.Insert(words, 0, block)
			}
			indirect := strings.HasSuffix(strings.TrimSpace(line), "// indirect")
			switch words[0] {
			case "tool", "replace", "toolchain", "godebug":
				faults = append(faults, "go.mod: "+words[0]+" line")
			case "go":
				if words[1] != "1.25.0" {
					faults = append(faults, "go.mod: go "+words[1]+", want 1.25.0")
				}
			case "require":
				if !indirect && !slices.Contains(given, words[1]) {
					faults = append(faults, "go.mod: nobody gave us "+words[1])
				}
			}
		}
	}
	return faults
}

// readme reports a README whose first Go block is not the quick-start from its
// package clause on, or whose first forty lines leave out what we are not.
func readme(files []source) (faults []string) {
	var text, program string
	for _, s := range files {
		switch s.path {
		case "README.md":
			text = s.text
		case "examples/quickstart/main.go":
			program = s.text[s.file.Package-s.file.FileStart:]
		}
	}
	_, block, _ := strings.Cut(text, "```go\n")
	block, _, _ = strings.Cut(block, "```\n")
	if program == "" || block != program {
		faults = append(faults, "README.md: the first Go block differs from examples/quickstart/main.go")
	}
	lines := strings.SplitAfterN(text, "\n", 41)
	first := strings.Join(lines[:min(40, len(lines))], "")
	for _, said := range []string{"oversold", "power cut", "payment", "shipping", "database server", "```go"} {
		if !strings.Contains(first, said) {
			faults = append(faults, "README.md: lines 1-40 do not say "+said)
		}
	}
	return faults
}

// ownText reports paths of somebody's machine. The project speaks of itself.
func ownText(files []source) (faults []string) {
	elsewhere := regexp.MustCompile(`(^|[^\w.)}-])/(work|tmp|root|home|Users)/|\.\./shared|(^|\W)(design|style)\.md`)
	for _, s := range files {
		number := 0
		for line := range strings.Lines(s.text) {
			number++
			if found := elsewhere.FindString(line); found != "" {
				faults = append(faults, fmt.Sprintf("%s:%d: speaks of %q", s.path, number, found))
			}
		}
	}
	return faults
}
