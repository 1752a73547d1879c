// Package settings has what a retailer sets once and orders are served by: how
// many orders a location can process, pickup windows, units kept for channels,
// bundles. They are plain values; package allocator has the methods that take
// them, checks them, and keeps them in its journal.
package settings
