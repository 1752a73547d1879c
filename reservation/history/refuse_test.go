package history

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math"
	"math/bits"
	"math/rand/v2"
	"strings"
	"testing"
)

// refused checks that b is refused for the given reason, and that nothing of it
// is left in the record.
func refused(t *testing.T, b []byte, want error, why string) {
	t.Helper()
	r := full()
	err := r.Decode(b)
	if !errors.Is(err, want) || !strings.Contains(err.Error(), why) {
		t.Errorf("%x: error is %v, want %v because %q", b, err, want, why)
	}
	if field := differ(&r, &Record{}); err != nil && field != "" {
		t.Errorf("%x: refused, but %s is set", b, field)
	}
}

const head = "010203040506" // a time

// malformed are bytes that are no record, and next to them some that just are.
// The layout is kind, mask, six bytes of time, fields.
var malformed = []struct {
	hex string
	why error
	say string
}{
	{"", ErrRecord, "end too early"},
	{"06", ErrRecord, "end too early"},
	{"0600", ErrRecord, "end too early"},
	{"06000102030405", ErrRecord, "end too early"},
	{"0080", ErrRecord, "no kind"},
	{"0000" + head, ErrRecord, "no kind"},
	{"2000" + head, nil, ""},
	{"2100" + head, ErrNewer, "kind 33"},
	{"ff", ErrNewer, "kind 255"},
	{"0600" + head + "00", ErrRecord, "bytes behind"},
	{"068000" + head, ErrRecord, "shortest"},
	{"0680808080808080808000" + head, ErrRecord, "shortest"},
	{"0680808080808080808002" + head, ErrRecord, "too large"},
	{"06ffffffffffffffffff01", ErrNewer, "fields 0xffffffffffffffff"},
	{"068080808008" + head, ErrNewer, "fields 0x80000000"},
	{"0680808008" + head, ErrRecord, "end too early"},
	{"0680808008" + head + "00", ErrRecord, "empty"},
	{"0680808008" + head + "02", nil, ""},
	{"0680808020" + head + "00", ErrRecord, "empty"},
	{"0680808020" + head + "ff", nil, ""},
	{"0680808010" + head, ErrRecord, "end too early"},
	{"0680808010" + head + "00", ErrRecord, "empty"},
	{"0680808010" + head + "8002", ErrRecord, "shares"},
	{"0680808010" + head + "02" + "010000", ErrRecord, "end too early"},
	{"0680808010" + head + "01" + "000000", ErrRecord, "empty"},
	{"0680808010" + head + "01" + "010000", nil, ""},
	{"0680808010" + head + "01" + "018080808010" + "00", ErrRecord, "too large"},
	{"0680808010" + head + "01" + "010001", ErrRecord, "shares"},
	{"0680808010" + head + "02" + "020000" + "010000", ErrRecord, "shares"},
	{"0680808010" + head + "02" + "010000" + "010000", ErrRecord, "shares"},
	{"0684808010" + head + "02" + "010001" + "020001" + "02" + "0002" + "0002", nil, ""},
	{"0684808010" + head + "02" + "010001" + "020000" + "02" + "0002" + "0002", ErrRecord, "shares"},
	{"0684808010" + head + "01" + "010001" + "02" + "0002" + "0002", ErrRecord, "shares"},
	{"0680808002" + head, ErrRecord, "end too early"},
	{"0680808002" + head + "00", ErrRecord, "empty"},
	{"0680808002" + head + "02", nil, ""},
	{"0680808004" + head, nil, ""},
	{"0680808004" + head + "01", ErrRecord, "bytes behind"},
	{"0680808040" + head, ErrRecord, "end too early"},
	{"0680808040" + head + "00", ErrRecord, "empty"},
	{"0680808040" + head + "01", nil, ""},
	{"0680808040" + head + "0100", ErrRecord, "bytes behind"},
	{"0680808040" + head + "02", ErrRecord, "end too early"},
	{"0680808040" + head + "0200", nil, ""},
	{"0680808040" + head + "02ffffffff0f", nil, ""},
	{"0680808040" + head + "028000", ErrRecord, "shortest"},
	{"0680808040" + head + "028080808010", ErrRecord, "too large"},
	{"0680808040" + head + "03", nil, ""},
	{"0680808040" + head + "04", ErrNewer, "form 4"},
	{"0680808040" + head + "ff0102", ErrNewer, "form 255"},
	{"1d8080808001" + head, ErrRecord, "end too early"},
	{"1d8080808001" + head + "00", ErrRecord, "empty"},
	{"1d8080808001" + head + "0161", nil, ""},
	{"1d8080808002" + head + "0161", nil, ""},
	{"1d8080808004" + head, ErrRecord, "end too early"},
	{"1d8080808004" + head + "00", ErrRecord, "empty"},
	{"1d8080808004" + head + "11", nil, ""},
	{"1d8080808004" + head + "12", ErrNewer, "state 18"},
	{"1d8080808008" + head, ErrNewer, "fields 0x80000000"},
	{"06808040" + head, ErrRecord, "end too early"},
	{"06808040" + head + "0000", ErrRecord, "time is not in its shortest"},
	{"06808040" + "0000000000000000", ErrRecord, "empty"},
	{"06808040" + head + "0001", nil, ""},
	{"0601" + head + "00", ErrRecord, "empty"},
	{"0601" + head + "02" + "61", ErrRecord, "end too early"},
	{"0601" + head + "8100" + "61", ErrRecord, "shortest"},
	{"0601" + head + "ffffffffffffffffff01" + "61", ErrRecord, "end too early"},
	{"0602" + head + "00", ErrRecord, "empty"},
	{"0602" + head + "ffffffff0f", nil, ""},
	{"0602" + head + "8080808010", ErrRecord, "too large"},
	{"0608" + "020000000000" + "03", ErrRecord, "empty"}, // 2 − 2
	{"0608" + "020000000000" + "00", nil, ""},            // as the time
	{"0610" + head + "0000000000000000", ErrRecord, "empty"},
	{"0620" + head + "0000000000000000", ErrRecord, "empty"},
	{"0620" + head + "00000000000000", ErrRecord, "end too early"},
	{"058001" + head + "00", ErrRecord, "empty"},
	{"058001" + head, ErrRecord, "end too early"},
	{"058001" + head + "0f", nil, ""},
	{"058001" + head + "10", ErrNewer, "cause 16"},
	{"058001" + head + "ff", ErrNewer, "cause 255"},
	{"018080c0" + "00" + head, ErrRecord, "shortest"},
	{"02808020" + head + "00", ErrRecord, "empty"},
	{"02808020" + head + "0200", ErrRecord, "end too early"},
	{"0604" + head + "00", ErrRecord, "empty"},
	{"0604" + head + "01" + "00", ErrRecord, "end too early"},
	{"0604" + head + "01" + "0002", nil, ""},
	{"0604" + head + "01" + "ffffffff0f" + "02", nil, ""},
	{"0604" + head + "01" + "8080808010" + "02", ErrRecord, "ascending"},
	{"0604" + head + "02" + "ffffffff0f" + "02" + "00" + "02", ErrRecord, "ascending"},
	{"0604" + head + "02" + "0102" + "ffffffff0f" + "02", ErrRecord, "ascending"},
	{"0604" + head + "02" + "0502" + "ffffffffffffffffff01" + "02", ErrRecord, "ascending"},
	{"0640" + head, ErrRecord, "have none"},
	{"0644" + head + "01" + "000200", ErrRecord, "have none"},
	{"0644" + head + "01" + "000201", nil, ""},
}

func TestMalformed(t *testing.T) {
	for _, c := range malformed {
		b, err := hex.DecodeString(c.hex)
		if err != nil {
			t.Fatal(err)
		}
		if c.why == nil {
			var r Record
			if err := r.Decode(b); err != nil {
				t.Errorf("%x: %v", b, err)
			}
			continue
		}
		refused(t, b, c.why, c.say)
	}
}

// Every kind, cause and mask bit that this version does not know.
func TestNewer(t *testing.T) {
	for kind := int(kindEnd); kind <= math.MaxUint8; kind++ {
		refused(t, append([]byte{byte(kind)}, make([]byte, 20)...), ErrNewer, "kind")
	}
	for cause := int(causeEnd); cause <= math.MaxUint8; cause++ {
		r := Record{Kind: Moved, Cause: Cause(cause)}
		refused(t, r.Append(nil), ErrNewer, "cause")
	}
	for bit := bits.Len32(hasAny); bit < 64; bit++ {
		b := binary.AppendUvarint([]byte{byte(Held)}, 1<<bit|hasID)
		refused(t, append(b, make([]byte, 20)...), ErrNewer, "fields")
	}
}

// Every record of the golden file, cut after every byte and with every byte
// changed to every other value: refused, or the only spelling of what it says.
func TestDamage(t *testing.T) {
	var r Record
	var room []byte
	changed, passed := 0, 0
	for _, sample := range samples() {
		b := sample.Append(nil)
		for end := range b {
			refused(t, b[:end:end], ErrRecord, "")
		}
		refused(t, append(b[:len(b):len(b)], 0), ErrRecord, "bytes behind")
		for at := range b {
			was := b[at]
			for value := range 256 {
				b[at] = byte(value)
				ok := r.accepts(t, b, &room)
				if ok && b[at] != was {
					passed++
				}
				changed++
			}
			b[at] = was
		}
	}
	t.Logf("%d of %d changed records say something else", passed, changed)
}

// accepts decodes b; when b is accepted it must be the only spelling.
func (r *Record) accepts(t *testing.T, b []byte, room *[]byte) bool {
	t.Helper()
	err := r.Decode(b)
	if err != nil {
		if !errors.Is(err, ErrRecord) && !errors.Is(err, ErrNewer) {
			t.Fatalf("%x: %v", b, err)
		}
		return false
	}
	*room = r.Append((*room)[:0])
	if string(*room) != string(b) {
		t.Fatalf("%x is accepted as %+v, of which %x is the spelling", b, *r, *room)
	}
	return true
}

// Records put together from parts of true ones: deeper damage than one byte.
func TestSplices(t *testing.T) {
	draw := rand.New(rand.NewPCG(3, 1))
	all := samples()
	var r Record
	var room []byte
	for range 300_000 {
		b := all[draw.IntN(len(all))].Append(nil)
		for range 1 + draw.IntN(3) {
			other := all[draw.IntN(len(all))].Append(nil)
			from := draw.IntN(len(other))
			at := draw.IntN(len(b) + 1)
			part := other[from : from+draw.IntN(len(other)-from+1)]
			b = append(b[:at:at], append(part[:len(part):len(part)], b[at:]...)...)
		}
		r.accepts(t, b, &room)
	}
}

// A length that the bytes do not bear out takes no memory.
func TestHostileLengths(t *testing.T) {
	for _, field := range []uint64{hasID, hasPlace, hasLines} {
		for _, count := range []uint64{30, 1 << 20, 1 << 31, 1 << 40, math.MaxInt64, math.MaxUint64} {
			b := binary.AppendUvarint([]byte{byte(Held)}, field)
			b = append(b, 1, 2, 3, 4, 5, 6)
			b = binary.AppendUvarint(b, count)
			b = append(b, make([]byte, 20)...)
			refused(t, b, ErrRecord, "end too early")
			r := Record{}
			_ = r.Decode(b)
			if cap(r.Lines) != 0 {
				t.Errorf("room for %d lines", cap(r.Lines))
			}
		}
	}
	many := append([]byte{byte(Held), hasLines, 1, 2, 3, 4, 5, 6, 100}, make([]byte, 200)...)
	r := Record{}
	if err := r.Decode(many); err != nil || cap(r.Lines) != 100 {
		t.Errorf("%v with room for %d lines, want 100", err, cap(r.Lines))
	}
}
