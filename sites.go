package syncline

import "github.com/syncline-io/syncline/causal"

// SiteNode returns the node by which a rule names the first database, "a", or the second,
// "b": the site argument of [merge.ParseRule] for rules that are handed to [Sync]. Who
// that is among the writers of versions is not known before the pair's state is open;
// Sync puts it in its place.
func SiteNode(name string) (causal.Node, error) {
	for i, own := range siteNames {
		if name == own {
			return standIn(i), nil
		}
	}
	return causal.Node{}, usage("there is no side %q, the sides are a and b", name)
}

var siteNames = [2]string{"a", "b"}

// standIn stands for the i-th database. The nodes of real sites are random.
func standIn(i int) causal.Node { return causal.Node{15: siteNames[i][0]} }
