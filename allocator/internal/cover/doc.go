// Package cover splits an order over locations at the least cost: which
// candidates to use, and which of them fills which line.
//
// # The problem
//
// Using a candidate costs a fixed amount (its parcel, its distance), each line
// it fills a price there, and a line that may be left out a penalty. It is the
// uncapacitated facility location problem with forbidden pairs; with all prices
// 0 it is weighted set cover. Lines that must stay together are merged first
// and are one item from then on; how many candidates may be used can be
// limited. The problem is NP-hard in the number of lines and easy in that of
// candidates.
//
// # Keys
//
// Costs, lines left out and candidates used are packed into one integer, so
// that one minimum settles the cost and its ties, and every bound is a bound on
// the whole key. The limits on costs keep all sums within 63 bits; input beyond
// them is refused, nothing saturates.
//
// # Up to eight items: subsets
//
// For each subset of items the cheapest single candidate is found, which costs
// at most 2^items steps per candidate; then the best partition of the items
// into such subsets, the lowest open item first, in about 3^(items−1)/2 steps.
// A limit on candidates that this answer breaks adds a layer of the table per
// candidate. Beside each key stands the set of candidates as a number that adds
// up like the key, which makes the last tie break exact too. Tables over
// subsets go back to Held and Karp (J. SIAM 10(1), 1962). The alternative,
// candidates one by one over 2^items subsets, takes 64·2^items·items steps and
// was not built: eight items are 131,000 steps there, and at most 16,384 +
// 1,221 here.
//
// # Above: branch and bound
//
// Erlenkotter's dual-based procedure (Operations Research 26(6), 1978): the
// items are given values, raised by turns as far as the candidates can bear;
// the sum of the values is the bound, candidates with no slack left are the
// next assignment to try, candidates with more slack than the best found leaves
// room for are closed. We branch on candidates, not on lines, open before
// closed: a line by line search meets the same set of candidates once for every
// order of its lines. Our deviations: in the first round items share the slack
// of a candidate (where prices are equal, as in set cover, the root bound rises
// from 0.46 to 0.66 of the best cost at 20 lines; orders with unequal costs
// take up to a quarter longer for it); no dual adjustment; a limit on
// candidates enters as a fee per candidate (Lagrange) besides being kept. The
// first assignment is greedy (Chvátal, Mathematics of Operations Research 4(3),
// 1979), improved by dropping, adding and swapping candidates. When the budget
// of nodes is spent, the answer says that it is not exact and gives the lowest
// bound of what was not looked at.
//
// # Which candidates
//
// A candidate is dropped if another fills all it can and is never dearer; up to
// eight items the table over subsets does that by itself. Of more than MaxKept,
// those of the greedy answer and those with the lowest reduced cost are kept:
// what using one costs at the least, by one pass over the values. The reduced
// cost of the best one dropped then bounds every answer that is not among the
// kept, so the answer still says whether it is exact for all.
package cover
