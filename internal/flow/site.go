package flow

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/syncline-io/syncline/causal"
	"github.com/syncline-io/syncline/endpoint"
	"github.com/syncline-io/syncline/record"
)

// Site is one of the two databases of a dataset. Name is for people.
type Site struct {
	Name     string
	Endpoint endpoint.Endpoint
}

// Table is one table at both sites, with equal shapes and keys. Name is in lower case, as
// far as it is ASCII: it is what the store knows the table by. At[i] is nil while the
// table is missing at site i.
type Table struct {
	Name string
	At   [2]*endpoint.Table
}

// memory is what the store remembers of a site, kept as JSON under "site/<i>".
type memory struct {
	Origin      causal.Origin
	Progress    endpoint.Progress // of the last apply that is known to have been committed
	Fingerprint []byte            // of the content of which everything was captured
	Cursor      endpoint.Cursor   // the capture log is read up to here
	Capturing   bool
	Captured    []string          `json:",omitempty"` // the tables that the capture log is about
	Bound       bool              // some run has ended with all of this site's rows known
	Partial     bool              // the last run left tables out: it says nothing about those
	Uncaptured  bool              // when it was last looked at its edits did not count
	PassedOver  bool              // nor did rows that only it has
	Known       map[string]extent // by table
	Copying     []copied          `json:",omitempty"`
}

// intent is an apply whose COMMIT may or may not have happened, kept as JSON under
// "intent/<i>". Everything that is due at the site in the store's state was written, but
// for Skipped, or only Only was. Chosen is what was written of records with several versions, which another
// run's rules might show otherwise. Derived is what the site's own triggers left different.
type intent struct {
	From, To endpoint.Progress
	Lead     int
	Delete   bool
	Tables   []string `json:",omitempty"` // that the apply was about
	Skipped  []named  `json:",omitempty"`
	Only     *named   `json:",omitempty"`
	Chosen   []rowOf  `json:",omitempty"`
	Derived  []rowOf  `json:",omitempty"`
}

type named struct {
	Table string
	Key   []byte
}

type rowOf struct {
	named
	Row []byte // nil: none
}

// copied is a batch of a first copy whose COMMIT may or may not have happened: with it,
// the site has the rows of the table up to the key.
type copied struct {
	To    endpoint.Progress
	Table string
	Up    []byte
}

// site is a Site and what is known of it in this run.
type site struct {
	Site
	memory
	marker  [16]byte
	now     endpoint.Progress // what the pair's row in the database says
	unknown bool              // its history cannot be trusted: no shadow of it counts
	same    bool              // its content is as the last run left it
	done    *applied          // an apply that is committed and not yet written down
	// traced is the fingerprint of the content of which everything is captured, nil when
	// there is no such.
	traced []byte
	wrote  bool            // this run has committed to it
	passed endpoint.Cursor // what the database was told of Cursor
	// created: this run made its tables, so that nobody else is likely to use them yet.
	created bool
	cut     bool // its log does not reach back to Cursor, and is of no use any more
}

// copiedTo takes in that a batch of a first copy was the last that was committed, if p says
// so.
func (s *site) copiedTo(p endpoint.Progress) bool {
	for _, c := range s.Copying {
		if c.To == p {
			s.Progress = p
			s.Known[c.Table] = extent{Up: c.Up}
			return true
		}
	}
	return false
}

// captures reports whether site i's capture log is about all of the tables that it has.
func (s *site) captures(i int, tables []Table) bool {
	return s.Capturing && !slices.ContainsFunc(tables, func(t Table) bool {
		return t.At[i] != nil && !slices.Contains(s.Captured, t.Name)
	})
}

// covers reports whether tables has all tables of the site's of which anything is known.
// It has those of the schema.
func (s *site) covers(tables []Table, schema *endpoint.Schema) bool {
	for _, t := range schema.Tables {
		name := lower(t.Name)
		_, known := s.Known[name]
		if known && !slices.ContainsFunc(tables, func(t Table) bool { return t.Name == name }) {
			return false
		}
	}
	return true
}

// unread reports whether there may be something at the site that the last run did not take
// in and one of this mode has to.
func (s *site) unread(i int, m *Mode) bool {
	return (s.Uncaptured && m.counts(i)) || (s.PassedOver && m.Delete)
}

// extent returns for which keys of a table the site's rows are known.
func (s *site) extent(table string) extent {
	if s.unknown {
		return extent{}
	}
	return s.Known[table]
}

func siteName(i int) string   { return fmt.Sprintf("site/%d", i) }
func intentName(i int) string { return fmt.Sprintf("intent/%d", i) }
func spaceName(i int) string  { return fmt.Sprintf("shadow/%d", i) }

// newOrigin draws an origin that nobody ever had.
func newOrigin() causal.Origin {
	o := causal.Origin{Incarnation: 1}
	_, _ = rand.Read(o.Node[:]) // never fails, see crypto/rand
	return o
}

func newNonce() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:])
	var n uint64
	for _, c := range b {
		n = n<<8 | uint64(c)
	}
	return n
}

// readJSON reads a meta value into v; ok is false when there is none.
func readJSON(v View, name string, into any) (ok bool, err error) {
	b, ok, err := v.Meta(name)
	if err != nil || !ok {
		return false, err
	}
	if err := json.Unmarshal(b, into); err != nil {
		return false, fmt.Errorf("state %s: %w", name, record.ErrCorrupt)
	}
	return true, nil
}

func writeJSON(b Batch, name string, from any) error {
	raw, err := json.Marshal(from)
	if err != nil {
		return fmt.Errorf("state %s: %w", name, err)
	}
	return b.SetMeta(name, raw)
}

// extent says for which keys of a table a site's rows are known: those that have no
// shadow of their own are current.
type extent struct {
	All bool   `json:",omitempty"`
	Up  []byte `json:",omitempty"` // else up to this key; nil is none
}

func (x extent) covers(k record.Key) bool {
	return x.All || (x.Up != nil && string(k) <= string(x.Up))
}
