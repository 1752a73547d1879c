// Package history says what happened, one record after the other: the codec of
// what the ledger writes into its journal and gives out as its feed. It does no
// I/O, reads no clock, and knows nothing of the rules: any field may stand in a
// record of any kind.
//
// # The bytes of a record, version 1
//
// All numbers of fixed width are little-endian. A uvarint has seven bits to a
// byte, the lowest first, and the high bit set in all but the last byte; a
// zigzag is a uvarint of 0, −1, 1, −2, … folded to 0, 1, 2, 3, … A text is a
// uvarint length, not 0, and so many bytes.
//
//	kind     1 byte    1 to 32, see Kind
//	mask     uvarint   which of the fields below are there
//	time     6 bytes   milliseconds since 1970; 8 bytes with mask bit 20
//
//	bit  field         as
//	  0  ID            text
//	  1  Slot          uvarint, below 2^32
//	  3  Deadline      zigzag of Deadline − time, modulo 2^64
//	  4  Fingerprint   8 bytes
//	  5  Distance      8 bytes, IEEE 754
//	  7  Cause         1 byte, see Cause
//	  8  AsOf          zigzag of AsOf − time, modulo 2^64
//	 21  Promise       zigzag of Promise − time, modulo 2^64
//	 17  SKU           uvarint, below 2^32
//	 18  To            uvarint, below 2^32
//	  9  Change        text
//	 10  Order         text
//	 11  Customer      text
//	 12  Owner         text
//	 13  Channel       text
//	 14  Code          text
//	 15  Ref           text
//	 16  Name          text
//	 19  Place         text, of any bytes
//	 22  Parts         1 byte
//	 24  Part          1 byte
//	 26  Other         1 byte
//	 25  Shares        uvarint count, 2 or more, then so many shares
//	 27  Form          1 byte, see life.Form; of goods that are brought to a store
//	                   the Store behind it: uvarint, below 2^32
//	 28  Carrier       text
//	 29  Tracking      text
//	 30  State         1 byte, see life.OrderState
//	  2  Lines         uvarint count, not 0, then so many lines
//	 20  the time takes 8 bytes, because it does not fit into 6
//	 23  Missing is true; nothing more is there of it
//
//	a share
//	Part     1 byte    not 0; they ascend
//	Slot     uvarint   below 2^32
//	Lines    uvarint   how many of the lines are its own, which come in this order
//
//	a line
//	SKU      uvarint   the first one's; then SKU − 1 − SKU of the line before
//	Units    zigzag
//	OnHand   zigzag    only with mask bit 6
//
// The fields follow each other in this order, without gaps; nothing is behind
// the last one. A hold of three lines takes about 51 bytes with a 12-byte ID.
// There is no checksum and no length: the journal's frames have both.
//
// # One record, one spelling
//
// A field of which the value is 0 or empty is never there, a uvarint never ends
// in a zero byte, bit 6 is set only if a line has units on hand, and bit 20 only
// if it must be. Decode refuses every other spelling. So two records are the same
// if and only if their bytes are, and replay can be compared byte by byte.
//
// # What stays
//
// The numbers of kinds, causes and mask bits, and the place and form of each
// field, are frozen; testdata holds the bytes of one record of every kind. New
// ones go to the end, and this version refuses a record that has one with
// ErrNewer, because what it says cannot be skipped: stock hangs on it.
//
// # Why
//
// Columns of fixed width, 40 bytes and 12 more a line, were the first plan: 76
// bytes for three lines, without location, distance and references, where this
// takes 51 with the first two. Deadlines are told from the time, since most
// are minutes away, and SKUs from the line before. Strings are not copied when
// read, since recovery looks at most of them once.
package history

// Version of the records' content that this package writes and reads. A
// journal keeps it beside the records and refuses a newer one by name.
const Version = 1
