package main

import (
	"embed"
	"fmt"
	"io"
	"os"
)

//go:embed data
var embedded embed.FS

const (
	ownOrders  = "orders_week1.csv.gz"
	ownStores  = "stores_us.csv"
	ownPlaces  = "places_us.csv.gz"
	ownSkew    = "skew.csv.gz"
	ownOutline = "us48_states.geojson.gz"
)

// inputs is all that a replay reads.
type inputs struct {
	week   week
	stores []shop
	places []place
	skew   skew
	states []polygon
}

// readInputs reads the user's files where the settings name them and the
// embedded ones otherwise.
func readInputs(s settings, f *faults) (inputs, error) {
	var in inputs
	err := withFile(s.stores, ownStores, func(name string, r io.Reader) (err error) {
		in.stores, err = readStores(name, r, f)
		return err
	})
	if err != nil {
		return inputs{}, err
	}
	err = withFile(s.orders, ownOrders, func(name string, r io.Reader) (err error) {
		in.week, err = readWeek(name, r, f, s.goods)
		return err
	})
	if err != nil {
		return inputs{}, err
	}
	err = withFile(s.places, ownPlaces, func(name string, r io.Reader) (err error) {
		in.places, err = readPlaces(name, r, f)
		return err
	})
	if err != nil {
		return inputs{}, err
	}
	err = withFile("", ownSkew, func(name string, r io.Reader) (err error) {
		in.skew, err = readSkew(name, r, f)
		return err
	})
	if err != nil {
		return inputs{}, err
	}
	err = withFile("", ownOutline, func(name string, r io.Reader) (err error) {
		in.states, err = readOutline(r)
		return err
	})
	return in, err
}

// withFile opens a user's file, or the embedded one if the name is empty.
func withFile(name, own string, read func(string, io.Reader) error) error {
	var f io.ReadCloser
	var err error
	if name == "" {
		name = own
		f, err = embedded.Open("data/" + own)
	} else {
		f, err = os.Open(name)
	}
	if err != nil {
		return err // the os error names the file
	}
	defer f.Close()
	r, err := plain(name, f)
	if err != nil {
		return err
	}
	if err := read(name, r); err != nil {
		return fmt.Errorf("reading input: %w", err)
	}
	return nil
}
