package metrics_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/clickcollect/clickcollect/allocator"
	"github.com/clickcollect/clickcollect/allocator/metrics"
	"github.com/clickcollect/clickcollect/geo"
)

func Example() {
	ctx := context.Background()
	a, err := allocator.Open(ctx, allocator.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer a.Close()
	fmt.Println(a.SetLocations(ctx, allocator.Location{ID: "krakow-1", Kind: allocator.Store, Point: geo.Point{Lat: 50.0619, Lon: 19.9368}}))

	registry := prometheus.NewRegistry()
	registry.MustRegister(metrics.New(a, metrics.Options{Engine: "pl", Locations: true}))
	server := httptest.NewServer(promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	defer server.Close()

	answer, err := http.Get(server.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer answer.Body.Close()
	lines := bufio.NewScanner(answer.Body)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "clickcollect_location") {
			fmt.Println(lines.Text())
		}
	}
	// Output:
	// <nil>
	// clickcollect_location_reservations{engine="pl",location="krakow-1"} 0
	// clickcollect_locations{engine="pl"} 1
}
