package main

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
)

func TestReadWeek(t *testing.T) {
	const head = "invoice,sku,qty\n"
	for _, c := range []struct {
		name, text string
		want       string // baskets as invoice:sku=qty+sku=qty, in order
		bad        string // file:line: why, one a line
	}{
		{"plain", head + "1,A,2\n1,B,3\n2,A,1\n", "1:A=2+B=3 2:A=1", ""},
		{"no final newline", head + "1,A,2", "1:A=2", ""},
		{"other order of columns", "qty, Invoice ,x,SKU\n2,1,,A\n", "1:A=2", ""},
		{"byte order mark, CRLF, blank lines", "\ufeffinvoice,sku,qty\r\n\r\n1,A,2\r\n\n2,B,1\r\n", "1:A=2 2:B=1", ""},
		{"quoted", head + "\"1\",\"A,\"\"B\"\"\",2\n", `1:A,"B"=2`, ""},
		{"quoted over lines", head + "1,\"A\nB\",2\n2,C,1\n", "1:A\nB=2 2:C=1", ""},
		{"semicolon", "invoice;sku;qty\n1;A;2\n", "1:A=2", ""},
		{"tab", "invoice\tsku\tqty\n1\tA\t2\n", "1:A=2", ""},
		{"one invoice in two places", head + "1,A,2\n2,B,1\n1,C,3\n", "1:A=2+C=3 2:B=1", ""},
		{"same SKU twice", head + "1,A,2\n1,A,3\n", "1:A=2+A=3", ""},
		{"an id that only looks like a cancellation", head + "CUST-1,A,2\n", "CUST-1:A=2", ""},
		{"too few fields", head + "1,A\n2,B,1\n", "2:B=1", "f.csv:2: 2 fields where the header has 3"},
		{"too many fields", head + "1,A,2,3\n2,B,1\n", "2:B=1", "f.csv:2: 4 fields where the header has 3"},
		{"no invoice", head + " ,A,2\n2,B,1\n", "2:B=1", "f.csv:2: the row has no invoice"},
		{"no sku", head + "1,,2\n2,B,1\n", "2:B=1", "f.csv:2: the row has no sku"},
		{"no qty", head + "1,A,\n2,B,1\n", "2:B=1", `f.csv:2: qty "" is not a whole number`},
		{"qty no number", head + "1,A,1.5\n2,B,1\n", "2:B=1", `f.csv:2: qty "1.5" is not a whole number`},
		{"qty 0", head + "2,B,1\n1,A,0\n", "2:B=1", "f.csv:3: qty is 0"},
		{"qty too large", head + "1,A,2147483648\n2,B,2147483647\n", "2:B=2147483647", "f.csv:2: qty 2147483648 is out of range"},
		{"qty beyond int64", head + "1,A,99999999999999999999\n2,B,1\n", "2:B=1", `f.csv:2: qty "99999999999999999999" is not a whole number`},
		{"cancellation that adds", head + "C1,A,2\n2,B,1\n", "2:B=1", "f.csv:2: invoice C1 is a cancellation but its quantity is 2"},
		{"long sku", head + "1," + strings.Repeat("A", 256) + ",1\n2,B,1\n", "2:B=1", "f.csv:2: the sku is longer than 255 bytes"},
		{"long invoice", head + strings.Repeat("1", 250) + ",A,1\n2,B,1\n", "2:B=1", "f.csv:2: the invoice is longer than 235 bytes"},
		{"quote in the wrong place", head + "1,A\"B\"x,2\n2,B,1\n", "2:B=1", "f.csv:2: a quote in the wrong place"},
		{"quote never closed", head + "1,\"A,2\n2,B,1\n3,C,1\n", "2:B=1 3:C=1", "f.csv:2: a quote is opened and never closed"},
		{"quote never closed in a long file", head + "1,\"A,2\n" + strings.Repeat("2,B,1\n", 2*maxQuotedLines), "2:B=1" + strings.Repeat("+B=1", 2*maxQuotedLines-1), "f.csv:2: a quote is opened and never closed"},
		{"two quotes never closed", head + "1,\"A,2\n2,B,1\n3,\"C,1\n4,D,1\n", "2:B=1 4:D=1", "f.csv:2: a quote is opened and never closed\nf.csv:4: a quote is opened and never closed"},
		{"a bad line inside an open quote", head + "1,\"A,2\n2,B,1\n\xff\nx\n3,C,1\n", "2:B=1 3:C=1",
			"f.csv:2: a quote is opened and never closed\nf.csv:4: the line is not UTF-8 text\nf.csv:5: 1 fields where the header has 3"},
		{"not text", head + "1,\xff,2\n2,B,1\n", "2:B=1", "f.csv:2: the line is not UTF-8 text"},
		{"zero byte", head + "1,\x00,2\n2,B,1\n", "2:B=1", "f.csv:2: the line is not UTF-8 text"},
		{"long line", head + "1," + strings.Repeat("A", maxLineBytes) + ",2\n2,B,1\n", "2:B=1", "f.csv:2: the line is longer than 65536 bytes"},
		{"point", "invoice,sku,qty,lat,lon\n1,A,1,95,0\n2,B,1,10,181\n3,C,1,x,0\n4,D,1,10,20\n5,E,1,,\n", "4:D=1 5:E=1",
			"f.csv:2: lat \"95\" is not a number of degrees from -90 to 90\nf.csv:3: lon \"181\" is not a number of degrees from -180 to 180\nf.csv:4: lat \"x\" is not a number of degrees from -90 to 90"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var bad strings.Builder
			w, err := readWeek("f.csv", strings.NewReader(c.text), &faults{w: &bad, limit: 10}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := basketsText(w); got != c.want {
				t.Errorf("read %q, want %q", got, c.want)
			}
			want := c.bad
			if want != "" {
				want = "replay: " + strings.ReplaceAll(want, "\n", "\nreplay: ") + "\n"
			}
			if bad.String() != want {
				t.Errorf("reported %q, want %q", bad.String(), want)
			}
		})
	}
}

func basketsText(w week) string {
	var baskets []string
	for _, b := range w.baskets {
		var lines []string
		for _, l := range b.lines {
			lines = append(lines, l.SKU+"="+strconv.FormatInt(l.Quantity, 10))
		}
		baskets = append(baskets, b.invoice+":"+strings.Join(lines, "+"))
	}
	return strings.Join(baskets, " ")
}

// TestUnusableFile lists what ends the reading, each with a sentence that
// names the file.
func TestUnusableFile(t *testing.T) {
	broken := errors.New("the disk is on fire")
	for _, c := range []struct {
		name string
		r    io.Reader
		want string
	}{
		{"empty", strings.NewReader(""), "f.csv: the file is empty; its first line must name the columns invoice, sku, qty"},
		{"column missing", strings.NewReader("invoice,sku\n1,A\n"), `f.csv:1: header: column "qty" is missing; needed are invoice, sku, qty`},
		{"column twice", strings.NewReader("sku,sku\n"), `f.csv:1: header: column "sku" is there twice`},
		{"header not text", strings.NewReader("\xff\n"), "f.csv:1: header: the line is not UTF-8 text"},
		{"no order", strings.NewReader("invoice,sku,qty\nC1,A,-1\n1,A,-1\n"), "f.csv: not one order in it (0 lines are not goods, 1 write-offs, 1 cancellations)"},
		{"reader fails", io.MultiReader(strings.NewReader("invoice,sku,qty\n1,A,1\n"), iotest.ErrReader(broken)), "f.csv:3: the disk is on fire"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := readWeek("f.csv", c.r, &faults{w: io.Discard}, nil)
			if err == nil || err.Error() != c.want {
				t.Errorf("error %v, want %s", err, c.want)
			}
		})
	}
}

func TestReadStores(t *testing.T) {
	var bad strings.Builder
	text := "id,lat,lon\na,1,2\n,1,2\na,3,4\nb,91,0\nc,NaN,0\nd,0,\n" + strings.Repeat("e", 256) + ",1,2\nf,-90,180\n"
	stores, err := readStores("s.csv", strings.NewReader(text), &faults{w: &bad, limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	if len(stores) != 2 || stores[0].id != "a" || stores[1].id != "f" {
		t.Errorf("read %v, want a and f", stores)
	}
	want := []string{
		"replay: s.csv:3: the store has no id",
		`replay: s.csv:4: store "a" is already on line 2`,
		`replay: s.csv:5: store "b": lat "91" is not a number of degrees from -90 to 90`,
		`replay: s.csv:6: store "c": lat "NaN" is not a number of degrees from -90 to 90`,
		`replay: s.csv:7: store "d": lon "" is not a number of degrees from -180 to 180`,
		"replay: s.csv:8: the store id is longer than 255 bytes",
		"",
	}
	if got := strings.Split(bad.String(), "\n"); !slices.Equal(got, want) {
		t.Errorf("reported\n%s\nwant\n%s", bad.String(), strings.Join(want, "\n"))
	}
}

func TestReadPlaces(t *testing.T) {
	var bad strings.Builder
	text := "name,lat,lon,population,admin1\nX,1,2,30,TX\nY,1,2,-1,TX\nZ,1,2,many,TX\nW,1,200,5,TX\n"
	places, err := readPlaces("p.csv", strings.NewReader(text), &faults{w: &bad, limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	if len(places) != 1 || places[0].population != 30 || places[0].region != "TX" {
		t.Errorf("read %v, want X alone", places)
	}
	if n := strings.Count(bad.String(), "\n"); n != 3 {
		t.Errorf("reported %d rows, want 3:\n%s", n, bad.String())
	}
}

func TestFaultsAreCappedAndCounted(t *testing.T) {
	var out strings.Builder
	f := &faults{w: &out, limit: 2}
	for i := range 5 {
		f.add("f.csv", i+2, "why")
	}
	want := "replay: f.csv:2: why\nreplay: f.csv:3: why\nreplay: further bad rows are only counted\n"
	if f.count != 5 || out.String() != want {
		t.Errorf("counted %d and printed %q, want 5 and %q", f.count, out.String(), want)
	}
}

func TestGzipBySuffix(t *testing.T) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	io.WriteString(z, "invoice,sku,qty\n1,A,2\n")
	z.Close()
	whole := packed.Bytes()
	r, err := plain("f.csv.gz", bytes.NewReader(whole))
	if err != nil {
		t.Fatal(err)
	}
	w, err := readWeek("f.csv.gz", r, &faults{w: io.Discard}, nil)
	if err != nil || basketsText(w) != "1:A=2" {
		t.Errorf("read %q, %v", basketsText(w), err)
	}
	if r, err = plain("f.csv.gz", bytes.NewReader(whole[:len(whole)-4])); err != nil {
		t.Fatal(err)
	}
	if _, err = readWeek("f.csv.gz", r, &faults{w: io.Discard}, nil); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a cut gzip file gave %v, want an unexpected EOF", err)
	}
	if _, err = plain("f.csv.gz", strings.NewReader("plain text")); !errors.Is(err, gzip.ErrHeader) {
		t.Errorf("plain text named .gz gave %v, want %v", err, gzip.ErrHeader)
	}
}

// FuzzReadWeek looks for input that panics, hangs, slips past a check, or is
// counted as more rows than it has lines.
func FuzzReadWeek(f *testing.F) {
	f.Add("invoice,sku,qty\n1,A,2\nC1,A,-1\n1,B,-3\n")
	f.Add("\ufeffqty;sku;invoice;lat;lon\r\n1;\"a\";2;50;20\r\n")
	f.Add("invoice,sku,qty\n1,\"A,2\n2,B,1\n3,\"C\n\",1\n")
	f.Fuzz(func(t *testing.T, text string) {
		bad := &faults{w: io.Discard}
		w, err := readWeek("f.csv", strings.NewReader(text), bad, nil)
		if err != nil {
			return
		}
		lines := 0
		for _, b := range w.baskets {
			if b.invoice == "" || len(b.lines) == 0 {
				t.Errorf("basket %+v", b)
			}
			if b.placed && (!(b.near.Lat >= -90 && b.near.Lat <= 90) || !(b.near.Lon >= -180 && b.near.Lon <= 180)) {
				t.Errorf("point %v", b.near)
			}
			for _, l := range b.lines {
				lines++
				if l.SKU == "" || l.Quantity < 1 {
					t.Errorf("line %+v", l)
				}
			}
		}
		for _, c := range w.cancellations {
			if c.line.Quantity < 1 || c.after > len(w.baskets) {
				t.Errorf("cancellation %+v", c)
			}
		}
		rows := lines + len(w.cancellations) + w.writeOffs + bad.count
		if most := strings.Count(text, "\n"); lines != w.lines || rows > most+1 {
			t.Errorf("%d lines (said %d) and %d rows from a text of %d line ends", lines, w.lines, rows, most)
		}
	})
}
