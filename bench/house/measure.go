package main

import (
	"cmp"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// A Figure is how far one package is from a knot. Tests do not count.
type Figure struct {
	Path         string // from the module's root
	Files, Lines int
	// CircleFiles and CircleLines are the largest set of files that all need each
	// other, directly or not: a file needs another if it names anything declared there,
	// methods included.
	CircleFiles, CircleLines int
	Methods, Exported        Count // of the type that has most
	Fields                   Count // of the struct with a lock, an atomic or a room that has most
	Touched                  Count // by how many files fields of one struct are named, of the one that most name
}

// A Count is a number, and of which type it is.
type Count struct {
	N  int
	Of string
}

func (c *Count) raise(n int, of string) {
	if n > c.N {
		*c = Count{n, of}
	}
}

// A listed package is what the go command says about one.
type listed struct {
	path, dir, export string
	files             []string
}

// list asks the go command for the packages of the module at root, and where the
// compiled packages lie that they import.
func list(root string) (ours []listed, exports map[string]string, err error) {
	const form = "{{.ImportPath}}\t{{.Dir}}\t{{.Export}}\t{{if .Module}}{{.Module.Main}}{{end}}\t{{join .GoFiles \" \"}}"
	command := exec.Command("go", "list", "-export", "-deps", "-f", form, "./...")
	command.Dir = root
	var stderr strings.Builder
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		return nil, nil, fmt.Errorf("go list: %w: %s", err, stderr.String())
	}
	exports = make(map[string]string)
	for line := range strings.Lines(string(out)) {
		words := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(words) != 5 {
			return nil, nil, fmt.Errorf("go list: %q", line)
		}
		exports[words[0]] = words[2]
		if words[3] == "true" {
			ours = append(ours, listed{path: words[0], dir: words[1], export: words[2], files: strings.Fields(words[4])})
		}
	}
	return ours, exports, nil
}

// Measure works out the figures of every package of the module at root.
func Measure(root string) ([]Figure, error) {
	ours, exports, err := list(root)
	if err != nil {
		return nil, err
	}
	var all []Figure
	for _, p := range ours {
		var names []string
		for _, name := range p.files {
			names = append(names, filepath.Join(p.dir, name))
		}
		m := newMeasure(exports)
		for _, name := range names {
			if err := m.add(name, nil); err != nil {
				return nil, err
			}
		}
		f, err := m.figure(p.path)
		if err != nil {
			return nil, err
		}
		all = append(all, f)
	}
	slices.SortFunc(all, func(a, b Figure) int {
		return cmp.Or(cmp.Compare(b.CircleFiles, a.CircleFiles), strings.Compare(a.Path, b.Path))
	})
	return all, nil
}

// A measure reads one package.
type measure struct {
	fset    *token.FileSet
	files   []*ast.File
	exports map[string]string
	info    types.Info
	// needs is, by file, which files it names something of; names, by the struct that
	// declares them, in which files its fields are named.
	needs map[string]map[string]bool
	names map[string]map[string]bool
}

func newMeasure(exports map[string]string) *measure {
	return &measure{fset: token.NewFileSet(), exports: exports, needs: make(map[string]map[string]bool), names: make(map[string]map[string]bool),
		info: types.Info{Defs: make(map[*ast.Ident]types.Object), Uses: make(map[*ast.Ident]types.Object)}}
}

// add reads a file, or its text.
func (m *measure) add(name string, text any) error {
	file, err := parser.ParseFile(m.fset, name, text, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	m.files = append(m.files, file)
	return nil
}

func (m *measure) open(path string) (io.ReadCloser, error) {
	if name := m.exports[path]; name != "" {
		return os.Open(name)
	}
	return nil, errors.New("not built: " + path)
}

func (m *measure) figure(path string) (Figure, error) {
	config := types.Config{Importer: importer.ForCompiler(m.fset, "gc", m.open), FakeImportC: true}
	pkg, err := config.Check(path, m.fset, m.files, &m.info)
	if err != nil {
		return Figure{}, err
	}
	f := Figure{Path: path, Files: len(m.files)}
	lines := make(map[string]int)
	for _, file := range m.files {
		position := m.fset.File(file.FileStart)
		lines[position.Name()] = position.LineCount()
		f.Lines += position.LineCount()
	}
	owners := fieldOwners(pkg)
	for ident, object := range m.info.Uses {
		if object.Pkg() != pkg || object.Pos() == token.NoPos {
			continue
		}
		m.use(ident, object, pkg, owners)
	}
	for _, circle := range circles(m.needs) {
		n := 0
		for _, name := range circle {
			n += lines[name]
		}
		if len(circle) > 1 && n > f.CircleLines {
			f.CircleFiles, f.CircleLines = len(circle), n
		}
	}
	for of, files := range m.names {
		f.Touched.raise(len(files), of)
	}
	m.typesOf(pkg, &f)
	return f, nil
}

// use notes that a file names something.
func (m *measure) use(ident *ast.Ident, object types.Object, pkg *types.Package, owners map[types.Object]string) {
	from, to := m.fset.File(ident.Pos()).Name(), m.fset.File(object.Pos()).Name()
	if owner := owners[object]; owner != "" {
		if m.names[owner] == nil {
			m.names[owner] = make(map[string]bool)
		}
		m.names[owner][from] = true
	}
	v, field := object.(*types.Var)
	local := object.Parent() != pkg.Scope() && object.Parent() != nil
	if from == to || local && !(field && v.IsField()) {
		return
	}
	if m.needs[from] == nil {
		m.needs[from] = make(map[string]bool)
	}
	m.needs[from][to] = true
}

// fieldOwners is, by field, the struct type of the package that declares it.
func fieldOwners(pkg *types.Package) map[types.Object]string {
	owners := make(map[types.Object]string)
	for _, name := range pkg.Scope().Names() {
		if t, ok := pkg.Scope().Lookup(name).(*types.TypeName); ok && !t.IsAlias() {
			if s, ok := t.Type().Underlying().(*types.Struct); ok && guarded(s) {
				for i := range s.NumFields() {
					owners[s.Field(i)] = name
				}
			}
		}
	}
	return owners
}

// typesOf counts the methods and the fields of the types.
func (m *measure) typesOf(pkg *types.Package, f *Figure) {
	for _, name := range pkg.Scope().Names() {
		t, ok := pkg.Scope().Lookup(name).(*types.TypeName)
		if !ok || t.IsAlias() {
			continue
		}
		named, ok := t.Type().(*types.Named)
		if !ok {
			continue
		}
		exported := 0
		for i := range named.NumMethods() {
			if named.Method(i).Exported() {
				exported++
			}
		}
		f.Methods.raise(named.NumMethods(), name)
		f.Exported.raise(exported, name)
		if s, ok := named.Underlying().(*types.Struct); ok && guarded(s) {
			f.Fields.raise(s.NumFields(), name)
		}
	}
}

// guarded tells the structs that are state others share: one of their fields is a
// lock, an atomic, or a pointer to a struct of this module.
func guarded(s *types.Struct) bool {
	for i := range s.NumFields() {
		t := s.Field(i).Type()
		pointer, isPointer := t.(*types.Pointer)
		if isPointer {
			t = pointer.Elem()
		}
		named, ok := t.(*types.Named)
		if !ok || named.Obj().Pkg() == nil {
			continue
		}
		_, isStruct := named.Underlying().(*types.Struct)
		switch path := named.Obj().Pkg().Path(); {
		case path == "sync", path == "sync/atomic", strings.HasSuffix(path, "/reservation/lock"),
			isPointer && isStruct && strings.HasPrefix(path, modulePath):
			return true
		}
	}
	return false
}

const modulePath = "github.com/clickcollect/clickcollect"

// circles are the strongly connected components of the files, after Tarjan (Depth-
// first search and linear graph algorithms, 1972).
func circles(needs map[string]map[string]bool) [][]string {
	index, low, on := make(map[string]int), make(map[string]int), make(map[string]bool)
	var stack []string
	var found [][]string
	var visit func(string)
	visit = func(v string) {
		index[v] = len(index) + 1
		low[v] = index[v]
		stack, on[v] = append(stack, v), true
		for w := range needs[v] {
			if index[w] == 0 {
				visit(w)
				low[v] = min(low[v], low[w])
			} else if on[w] {
				low[v] = min(low[v], index[w])
			}
		}
		if low[v] != index[v] {
			return
		}
		at := slices.Index(stack, v)
		circle := slices.Clone(stack[at:])
		stack = stack[:at]
		for _, w := range circle {
			on[w] = false
		}
		found = append(found, circle)
	}
	for v := range needs {
		if index[v] == 0 {
			visit(v)
		}
	}
	return found
}
