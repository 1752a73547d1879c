package journal

// The deliberate bugs of the queue, see mutant.go.
const (
	_               = iota
	mutantQueueAck  // a record is called durable before the log has it
	mutantQueueFull // a batch that found no space is taken for written
	mutantQueueShow // readers see records before they are acknowledged
	mutantCut       // records that belong together lie in frames of their own
)
