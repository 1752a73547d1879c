package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

const (
	maxLineBytes   = 64 << 10 // a longer line is a bad row
	maxQuotedLines = 16       // a quoted field may run over this many lines
)

// table reads a CSV file row by row: columns by header name in any order, with
// or without a byte order mark, LF or CRLF, quoted fields, comma, semicolon or
// tab. A row it cannot read goes to faults and the next one follows; only a
// failing reader or an unusable header ends the reading.
//
// The standard reader parses each row, but this type cuts the rows itself: an
// opening quote that is never closed would otherwise swallow the whole rest of
// the file as one field.
type table struct {
	name    string
	comma   rune
	columns map[string]int
	width   int
	faults  *faults

	in      *bufio.Reader
	pending []textLine // lines read ahead for a quoted field that did not close
	read    int        // lines read from in
	line    int        // number of the last line taken
}

// textLine is a line of the file, or the reason why it cannot be read.
type textLine struct {
	number int
	text   string
	err    error
}

// row is one readable row. It is valid until the next call of table.next.
type row struct {
	t      *table
	line   int
	fields []string
}

// newTable reads the header and checks that the required columns are there.
func newTable(name string, r io.Reader, f *faults, required ...string) (*table, error) {
	t := &table{name: name, comma: ',', faults: f, in: bufio.NewReaderSize(r, maxLineBytes)}
	header, err := t.takeLine()
	for err == nil && strings.TrimSpace(header) == "" {
		header, err = t.takeLine()
	}
	if errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: the file is empty; its first line must name the columns %s", name, strings.Join(required, ", "))
	}
	if err != nil {
		return nil, fmt.Errorf("%s:%d: header: %w", name, max(t.line, 1), err)
	}
	header = strings.TrimPrefix(header, "\ufeff")
	for _, c := range ";\t" {
		if strings.Count(header, string(c)) > strings.Count(header, string(t.comma)) {
			t.comma = c
		}
	}
	names, err := t.split(header)
	if err != nil {
		return nil, fmt.Errorf("%s:%d: header: %w", name, t.line, err)
	}
	t.width = len(names)
	t.columns = make(map[string]int, len(names))
	for i, n := range names {
		n = strings.ToLower(strings.TrimSpace(n))
		if _, twice := t.columns[n]; twice && n != "" {
			return nil, fmt.Errorf("%s:%d: header: column %q is there twice", name, t.line, n)
		}
		t.columns[n] = i
	}
	for _, n := range required {
		if _, ok := t.columns[n]; !ok {
			return nil, fmt.Errorf("%s:%d: header: column %q is missing; needed are %s", name, t.line, n, strings.Join(required, ", "))
		}
	}
	return t, nil
}

// has tells whether the file has an optional column.
func (t *table) has(column string) bool {
	_, ok := t.columns[column]
	return ok
}

// next returns the next readable row; false at the end of the file.
func (t *table) next() (row, bool, error) {
	for {
		first, err := t.takeLine()
		line := t.line
		switch {
		case errors.Is(err, io.EOF):
			return row{}, false, nil
		case errors.Is(err, errLongLine), errors.Is(err, errNotText):
			t.faults.add(t.name, line, err.Error())
			continue
		case err != nil:
			return row{}, false, fmt.Errorf("%s:%d: %w", t.name, line+1, err)
		case strings.TrimSpace(first) == "":
			continue
		}
		fields, err := t.split(first)
		if errors.Is(err, errOpenQuote) {
			fields, err = t.extend(first)
		}
		if err != nil {
			t.faults.add(t.name, line, err.Error())
			continue
		}
		if len(fields) != t.width {
			t.faults.add(t.name, line, fmt.Sprintf("%d fields where the header has %d", len(fields), t.width))
			continue
		}
		return row{t, line, fields}, true, nil
	}
}

// extend reads on after a line that ends inside a quoted field. If the quote
// does not close soon, the lines read ahead are given back and only the first
// line is bad.
func (t *table) extend(first string) ([]string, error) {
	joined, ahead := first, []textLine(nil)
	for range maxQuotedLines - 1 {
		more, err := t.takeLine()
		if errors.Is(err, io.EOF) {
			break
		}
		ahead = append(ahead, textLine{t.line, more, err})
		if err != nil {
			break
		}
		joined += "\n" + more
		fields, err := t.split(joined)
		if err == nil {
			return fields, nil
		}
		if !errors.Is(err, errOpenQuote) {
			break
		}
	}
	t.pending = append(ahead, t.pending...)
	return nil, errOpenQuote
}

var (
	errOpenQuote = errors.New("a quote is opened and never closed")
	errBadQuote  = errors.New("a quote in the wrong place")
	errLongLine  = fmt.Errorf("the line is longer than %d bytes", maxLineBytes)
	errNotText   = errors.New("the line is not UTF-8 text")
)

func (t *table) split(line string) ([]string, error) {
	if !strings.Contains(line, `"`) {
		return strings.Split(line, string(t.comma)), nil
	}
	r := csv.NewReader(strings.NewReader(line))
	r.Comma = t.comma
	fields, err := r.Read()
	switch {
	case err == nil:
		return fields, nil
	case errors.Is(err, csv.ErrQuote) && strings.Count(line, `"`)%2 == 1:
		return nil, errOpenQuote
	default:
		return nil, errBadQuote
	}
}

// takeLine returns the next line without its end.
func (t *table) takeLine() (string, error) {
	if len(t.pending) > 0 {
		next := t.pending[0]
		t.pending = t.pending[1:]
		t.line = next.number
		return next.text, next.err
	}
	text, err := t.readLine()
	t.line = t.read
	return text, err
}

func (t *table) readLine() (string, error) {
	raw, err := t.in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = t.in.ReadSlice('\n')
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return "", err
		}
		t.read++
		return "", errLongLine
	}
	if err != nil && (!errors.Is(err, io.EOF) || len(raw) == 0) {
		return "", err
	}
	t.read++
	raw = bytes.TrimSuffix(bytes.TrimSuffix(raw, []byte("\n")), []byte("\r"))
	if !utf8.Valid(raw) || bytes.IndexByte(raw, 0) >= 0 {
		return "", errNotText
	}
	return string(raw), nil
}

// text returns a field without the blanks around it; "" if the file has no
// such column.
func (r row) text(column string) string {
	i, ok := r.t.columns[column]
	if !ok {
		return ""
	}
	return strings.TrimSpace(r.fields[i])
}

// bad reports this row.
func (r row) bad(format string, args ...any) {
	r.t.faults.add(r.t.name, r.line, fmt.Sprintf(format, args...))
}

// plain undoes gzip if the file name says so.
func plain(name string, r io.Reader) (io.Reader, error) {
	if !strings.HasSuffix(name, ".gz") {
		return r, nil
	}
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, fmt.Errorf("%s: the name ends in .gz but it is no gzip file: %w", name, err)
	}
	return z, nil
}
