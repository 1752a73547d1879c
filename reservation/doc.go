// Package reservation keeps stock and the reservations made on it.
package reservation
