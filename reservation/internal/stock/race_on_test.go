//go:build race || lockorder

package stock

// underRace tells whether the race detector is in; rounds are fewer then.
const underRace = true
