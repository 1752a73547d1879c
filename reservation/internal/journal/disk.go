package journal

import "io"

type (
	// A Disk is one flat directory of files. Names have no slashes. It says
	// what the journal needs of a file system and no more, so that a test can
	// put one in its place that loses exactly what a power cut may lose:
	// everything that no Sync covered, in any order, by sectors.
	//
	// Any methods may run at once.
	Disk interface {
		// Lock takes the directory for this process alone, at once or not at
		// all: ErrLocked. The lock ends with the process, however it ends.
		Lock() (unlock func() error, err error)
		// List returns the names of the files, in any order.
		List() ([]string, error)
		// Open opens a file for reading and writing. One that is not there is
		// fs.ErrNotExist.
		Open(name string) (File, error)
		// Create makes a file, or empties the one that is there, and fills it
		// with size zero bytes that have their place on the disk, so that
		// writing over them needs no more space. Neither its content nor its
		// name is durable before both are synced. What has the name and is no
		// file is left alone: fs.ErrExist, or EISDIR.
		Create(name string, size int64) (File, error)
		// Rename gives a file another name, in place of the file that may have
		// it, at once: at no moment, also after a power cut, are both names
		// there, or none. It is durable after Sync.
		Rename(from, to string) error
		// Remove takes a name away. What has the file open may go on using it.
		Remove(name string) error
		// Sync makes the names durable.
		Sync() error
	}

	// A File is one file of a Disk. Any methods may run at once, except Close.
	//
	// A File may also have a method Forget() error, which drops what the
	// operating system has cached of the file and what is the same on the disk
	// as far as it knows. It is called before a log is recovered, because a
	// cache may hold what a failed sync never wrote.
	File interface {
		io.ReaderAt
		io.WriterAt
		// Size is the length in bytes.
		Size() (int64, error)
		// Truncate cuts or extends the file to size bytes.
		Truncate(size int64) error
		// Sync returns once everything written to the file is durable. After an
		// error nobody knows what is, and a second Sync may well say that all
		// is, which is no more than that it has been forgotten.
		Sync() error
		// Close lets go of the file. It makes nothing durable.
		Close() error
	}
)
