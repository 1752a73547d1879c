// Package journal keeps records in files, in order, and does not lose them. It knows
// their number and nothing of what they say.
//
// It owns the files of one directory, through a [Disk]: [FileLog] is the log of
// reservation/log in them, a frame being what one append wrote, all of it or none;
// beside it lie the snapshots. It may touch the disk, the clock and locks of its own,
// and it has goroutines that prepare files and note how far the log is durable. It
// must not number records, gather them or answer callers: that is
// reservation/internal/commit, which it does not know.
//
// # What a FileLog promises
//
//   - An append that returned nil is there after a power cut, whole, in its
//     place, at every later open. (With NoSync: once Sync has returned nil.)
//   - What is recovered is a prefix of what was appended. An append that got no
//     answer may be in it.
//   - Bytes that are not as they were written are never returned. If something
//     durable is damaged or missing the log does not open, or a read says so:
//     [CorruptError] names the file, the place and the records.
//   - After any failed write or sync the log has stopped: [ErrJournal], always
//     with the first cause. It never syncs again and hopes.
//   - What is refused before anything was written stops nothing: the log goes on,
//     and the same append may be tried again. See Faults.
//
// What it cannot see: damage of the last frame, or of everything from some
// frame on, that leaves no trace and comes before the watermark has caught up
// (10 ms) looks as if the last appends had been torn by a crash. No log on one
// disk can tell the two apart.
//
// It relies on the disk for three things: that a sync which succeeds means what
// it says, that a rename is atomic, and that nobody else writes to the files. It
// does not rely on writes being atomic, not even by sectors, nor on their order.
//
// # Files
//
// All numbers are little-endian. Checksums are CRC-32C (Castagnoli). Everything
// begins at a multiple of 4,096 bytes, here called a block. The magic texts, the
// first 48 bytes of a block and of a frame, and the spans of the checksums are
// frozen: later versions change what comes behind them, and the version.
//
//	superblock              whose directory it is; replaced at every open
//	watermark               how far the log is durable
//	<20 digits>.segment     frames; the digits are the first sequence number
//	prepared-<16 digits>    a file that is ready to become a segment
//	preparing-<16 digits>   one that is not ready yet
//	superblock.new          the next superblock, not yet in place; one is always
//	                        there, so that a full disk has the room
//	lock                    held while the log is open
//
// Superblock, head of a segment, and slots of the watermark are one block each
// and begin alike:
//
//	 0  4  checksum of bytes 4 to 4,095
//	 4  4  version, 1
//	 8 24  magic, filled up with zeros
//	32 16  identity of the log, drawn when it is made
//
// Superblock ("clickcollect journal"), 4,096 bytes:
//
//	48 16  owner, drawn by every open; looked at with every switch of segments
//	       and every watermark, so that a second process is noticed where locks
//	       do not work
//	64  4  schema of the records
//
// Watermark ("clickcollect watermark"), two blocks, written in turn:
//
//	48  8  turn; the whole block with the greater one counts
//	56  8  last sequence number that is durable, or an earlier one
//	64  8  first sequence number of use; segments before are left-overs
//
// Segment, a block of head ("clickcollect segment"), then frames without a gap,
// then whatever was in the file, then in the last block the seal:
//
//	48  8  segment id, drawn for every life of the file
//	56  8  first sequence number, as in the name
//	64  8  length of the file
//	72  4  checksum of the last frame of the segment before; 0 for the first one
//
// Frame, a multiple of 4,096 bytes, never written twice with other content:
//
//	 0  4  checksum of everything from byte 4 to the end of the padding
//	 4  4  magic, "cCJF"
//	 8  1  version, 1
//	 9  1  kind: 1 records, 2 seal
//	10  2  zero
//	12  4  length of the payload in bytes, at most 256 MiB
//	16  4  number of records; 0 in a seal
//	20  4  checksum of the frame before, across segments
//	24  8  segment id
//	32  8  sequence number of the first record; in a seal, of the next segment's
//	40  8  last sequence number that was durable when this was written
//	48     payload
//	       zeros to the next multiple of 4,096
//
// A seal's payload is 8 bytes, the offset at which the frames end.
//
// # Append, and the switch of segments
//
// An append writes one frame with one write and one sync over bytes that are in
// place already. A goroutine keeps two files of zeros ahead, and files of
// segments that were trimmed are used again as they are, if they are long enough:
// their frames have another segment id. The next files are twice as long as all
// segments together, from FirstBytes to SegmentBytes, and as long as a frame has
// asked for. They are more than two where that many frames are owed, up to 32 MiB or
// SegmentBytes, and shorter on a disk that has no space for long ones. When a frame does
// not fit any more:
//
//  1. All frames of the old segment are durable.
//  2. The new head is written into a prepared file and synced, the file renamed
//     to its segment name, and the directory synced.
//  3. The seal is written to the old segment and synced.
//  4. The frame is written to the new segment.
//
// So a sealed segment without one behind it means that one was lost; only the
// last but one can lack its seal, and only while the last has no frame.
//
// # Recovery
//
// Open checks the superblock, the watermark, head and seal of every segment and
// how they follow each other, and reads the last segment frame by frame. A frame
// counts if its checksum holds, its segment id is the segment's, its sequence
// number is the next, and it names the checksum of the frame before. At the
// first place where none does, expecting record s, it decides:
//
//   - A whole frame of this segment further on that knew s to be durable proves
//     that s was: damage.
//   - So does a whole frame in just this place that does not follow the one
//     before: nothing but the frame that did was ever written here.
//   - So does the watermark, if it is at s or later.
//   - Otherwise this is the end, and what lies behind it is a torn tail: the
//     part of a frame that had reached the disk when the power went, or with
//     NoSync frames behind one that had not. It is filled with zeros. Frames
//     that the watermark does not cover are written again as they are, because
//     they may be in a cache and not on the disk. Then all is synced, and only
//     then does Open return.
//
// Nothing on the disk changes before the decision has been made.
//
// A crash, case by case:
//
//	while a log is made             no superblock: the next open makes it
//	while a frame is written        its checksum does not hold: a torn tail
//	frame written, not synced       there or torn; nobody was told
//	synced, not acknowledged        there; repeating under the same ID is safe
//	a file is being prepared        removed by the next open
//	new head written, not renamed   a prepared file like any other
//	renamed, directory not synced   either of the two
//	new segment, old not sealed     the new one has no frame: the seal is written
//	while the seal is written       the same
//	while the watermark is written  the other slot counts
//	watermark moved by Trim         segments below it are removed, if they are there
//	trimmed, names not synced       the same
//	while recovery cuts a tail      the tail is still no frame: it is cut again
//	while the superblock is made    the old one counts, with its identity
//
// # Faults
//
// Each is one of two kinds. A refusal says that nothing was written to the log,
// for certain; all else is unknown, and stops it.
//
//	no file handle, or none to be had     ErrUnavailable. Of all that is opened, made,
//	  for want of memory                  renamed, removed or listed: of segments, drafts,
//	                                      snapshots, and the superblock with every look
//	                                      who owns the directory. The watermark trails
//	                                      for as long.
//	no space for a segment                ErrNoSpace. It is met while one is prepared, not
//	                                      by a record: frames lie over zeros that have
//	                                      their place. Before, shorter ones are made, and
//	                                      the oldest segments that are kept for readers
//	                                      alone become prepared ones (Spare); a frame or
//	                                      a snapshot that needs more gets their room
//	                                      (FreeSpace)
//	no space at open                      opens: the superblock goes into the draft that
//	                                      the last life left, or into a prepared file; a
//	                                      segment's end is written where it is
//	no space at open, and neither there   ErrNoSpace, nothing has changed
//	more than a frame takes               ErrTooLarge, by the queue of commit, before it has a number
//	something foreign has the name of     stepped over: another name; it stays, and the
//	  a draft or of a prepared file       operator is told
//	something foreign, or no permission,  ErrUnavailable, until it is gone: that name has
//	  in the way of a segment's name      to be this one
//	a prepared file was taken away        not missed: another one
//	a write or a sync of a segment, a     ErrJournal, also one that fails for want of
//	  seal or the watermark fails         space: a part may be there
//	a sync of the directory fails         ErrJournal
//	an EIO of whatever is written         ErrJournal; in a file that is prepared ahead
//	                                      only once it is needed
//	the superblock is another's or gone   ErrJournal
//	a file that was synced cannot be      ErrJournal
//	  closed
//	left-overs cannot be removed          told to the operator; the next open tries again
//
// The queue keeps a batch that is refused and tries it again until it is taken: its
// callers wait, new ones are refused by Admit with the same cause, and it goes on by
// itself.
//
// # Why
//
// Zeros in advance, not fallocate or growing files: a write into a new part of
// a file has to change the file system's own log with every sync. 64 records a
// frame took 332 µs so, 369 µs in a growing file, and 116 µs over zeros.
//
// Frames of whole blocks: a frame never shares a block with one that was
// acknowledged, so that no torn write of the one can damage the other. It costs
// nothing on the device: with 64 records a frame, blocks wrote 1.31 to 1.39
// bytes for each byte of payload, and frames packed without padding 1.68 to 2.9,
// since the block that two of them share is written twice.
//
// Segments that grow, not all of 32 MiB: an engine without a record took 97 MB. Twice
// what there is, since a reservation's end takes as much as its begin, and its way
// through the shop more: what is ready then has room for both, also where the queue
// did not say what is owed. Counted by the ledger, because a snapshot lets the log
// forget begins whose ends are still to come.
//
// A chain of checksums was the first design, with the log ending where it
// breaks. It cut the log silently at 29 of 30 flipped bits: the chain cannot
// tell a torn end from a hole. The look for later frames can, and the durable
// number in each frame keeps it from crying wolf over a NoSync log, in which a
// later frame may well have reached the disk before an earlier one.
//
// The watermark is a file of its own, and not in the frames alone, because the
// loss of the whole end takes the frames with it. Written at every append it
// would double the syncs; every 10 ms it is lost in the noise.
//
// Segments before the last are not read at open, only their ends: a log kept
// for months would make every start read it all. The reader that needs a frame
// verifies it, and what is not verified is not returned.
//
// The seal is in the last block and not behind the last frame, so that open
// finds it without walking the segment.
//
// A whole segment as the torn end is not written again, only what the watermark
// does not cover: that is at most what 10 ms can write, and with it a restart
// of the process alone after a failed sync is as safe as one of the machine.
//
// Memory maps were ruled out: a full disk or a bad sector is a signal
// there, not an error.
package journal
