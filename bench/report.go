package bench

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"
)

// Report is the content of a result file: what was run, where, and what came
// out. As JSON, durations are in nanoseconds. Not safe for concurrent use.
type Report struct {
	Command   string // as typed
	Commit    string // "unknown" outside a checkout, with "+" if the checkout was changed
	Date      time.Time
	GoVersion string
	CPU       string // model, "unknown" where the system does not say
	NumCPU    int
	OS        string // and architecture
	Cases     []CaseResults
}

// CaseResults is one case of a Report. A plain value.
type CaseResults struct {
	Config  Config
	Results []Result
}

// NewReport returns a report without cases about this machine, this moment
// and the checkout the process was started in.
func NewReport(command string) *Report {
	return &Report{
		Command: strings.TrimSpace(command), Commit: commit(), Date: time.Now().UTC().Truncate(time.Second),
		GoVersion: runtime.Version(), CPU: cpuModel(), NumCPU: runtime.NumCPU(),
		OS: runtime.GOOS + "/" + runtime.GOARCH,
	}
}

func commit() string {
	id, err := exec.Command("git", "rev-parse", "--short=12", "HEAD").Output()
	if err != nil {
		return "unknown"
	}
	changed, err := exec.Command("git", "status", "--porcelain").Output()
	if err != nil || len(changed) > 0 {
		return strings.TrimSpace(string(id)) + "+"
	}
	return strings.TrimSpace(string(id))
}

func cpuModel() string {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return "unknown"
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if name, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

// WriteTable prints results as a table, one line per contestant, with the
// ratios to the two baselines where they took part.
func WriteTable(w io.Writer, results []Result) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "engine\torders/s\t× plain\t× strong\tp50 µs\tp99 µs\tp99.9 µs\tp99/strong\tcpu µs\tallocs\tB/cell\tload s\t1→2 cores\tfilled\trefused\tcanceled\toversold\t")
	for _, r := range results {
		cut := ""
		if r.Cut {
			cut = " cut short"
		}
		fmt.Fprintf(t, "%s\t%.0f\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%.2f\t%.1f\t%.2f\t%s\t%d\t%d\t%d\t%d\t%s\n",
			r.Engine, r.OrdersPerSecond, ratio(r.Throughput["plain"]), ratio(r.Throughput["strong"]),
			microseconds(r.P50), microseconds(r.P99), microseconds(r.P999), ratio(r.P99Ratio["strong"]),
			microseconds(r.CPUPerOrder), r.AllocsPerOrder, r.BytesPerCell, r.LoadSeconds, ratio(r.Scaling), r.Filled, r.Refused, r.Canceled, r.Oversold, cut)
	}
	_ = t.Flush() // a table is for a terminal; what matters goes into the report
	if len(results) > 0 && results[0].Harness > 0 {
		fmt.Fprintf(w, "the suite itself takes %d ns of processor an order, which is in all figures; the first %d answers of each engine were checked against brute force\n", results[0].Harness, checkedOrders)
	}
}

func ratio(x float64) string {
	switch {
	case x == 0:
		return "-"
	case x < 10:
		return fmt.Sprintf("%.2f", x)
	default:
		return fmt.Sprintf("%.0f", x)
	}
}

func microseconds(d time.Duration) string {
	return fmt.Sprintf("%.2f", float64(d)/1e3)
}

// String describes the case in key=value form.
func (c Config) String() string {
	c = c.withDefaults()
	var b strings.Builder
	fmt.Fprintf(&b, "case=%s/locations=%d/skus=%d/density=%g", c.Name, c.Locations, c.SKUs, c.Density)
	if c.Stocked < 1 {
		fmt.Fprintf(&b, "/stocked=%g", c.Stocked)
	}
	fmt.Fprintf(&b, "/lines=%d-%d/quantity=1-%d", c.MinLines, c.MaxLines, c.MaxQuantity)
	switch {
	case c.OneSKU:
		b.WriteString("/skew=one-sku")
	case c.Zipf > 0:
		fmt.Fprintf(&b, "/skew=zipf%g", c.Zipf)
	default:
		b.WriteString("/skew=uniform")
	}
	if c.InReach > 0 {
		fmt.Fprintf(&b, "/reach=%d", c.InReach)
	}
	fmt.Fprintf(&b, "/goroutines=%d", c.Goroutines)
	if c.CancelAfter > 0 {
		fmt.Fprintf(&b, "/cancel=%d", c.CancelAfter)
	}
	return b.String()
}
