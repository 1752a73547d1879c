package journal

// The deliberate bugs of the queue, see mutant.go.
const (
	_               = iota
	mutantQueueAck  // a record is called durable before the log has it
	mutantQueueFull // a batch that found no space is taken for written
	mutantQueueShow // readers see records before they are acknowledged
	mutantQueueSize // the size of a record is not looked at before it is queued
	mutantCut       // records that belong together lie in frames of their own
)
