module github.com/clickcollect/clickcollect

go 1.25.0

require (
	github.com/HdrHistogram/hdrhistogram-go v1.4.0
	github.com/anishathalye/porcupine v1.3.1
	github.com/paulmach/orb v0.14.0
	github.com/puzpuzpuz/xsync/v3 v3.5.1
	github.com/tidwall/btree v1.8.2
	go.uber.org/goleak v1.3.0
	pgregory.net/rapid v1.3.0
)
