package sqlite

import (
	"github.com/syncline-io/syncline/endpoint"
	"github.com/syncline-io/syncline/record"
	"zombiezen.com/go/sqlite"
)

// getter looks up rows of one table by key.
type getter struct {
	r   *reader
	sql string
}

func newGetter(c *conn, p *plan) *getter {
	g := &getter{r: newReader(c, p, nil)}
	g.sql = g.selectWhere(nil)
	return g
}

func (g *getter) selectWhere(args []any) string {
	return "SELECT " + g.r.c.selects(g.r.p, "") + " FROM " + g.r.p.name + " WHERE " + g.r.p.whereKey(args)
}

// get returns a row, whose image is valid until the next call.
func (g *getter) get(k record.Key, chunks endpoint.ChunkSink) (im record.Image, found bool, err error) {
	g.r.w.Chunks = chunks
	args, literal, err := g.r.c.keyArgs(g.r.p, k)
	if err != nil {
		return nil, false, err
	}
	var st *sqlite.Stmt
	if literal {
		if st, _, err = g.r.c.PrepareTransient(g.selectWhere(args)); err == nil {
			defer st.Finalize()
		}
	} else if st, err = g.r.c.Prepare(g.sql); err == nil {
		defer st.Reset()
	}
	if err != nil {
		return nil, false, err
	}
	for i, a := range args {
		bind(st, i+1, a)
	}
	return g.find(st, k)
}

// find steps to the row of the key. The database may find more: it compares after
// applying the affinity of the column, and a text may look like a number.
func (g *getter) find(st *sqlite.Stmt, k record.Key) (im record.Image, found bool, err error) {
	for {
		more, err := st.Step()
		if err != nil || !more {
			return nil, false, err
		}
		got, im, err := g.r.read(st, 0)
		if err != nil {
			return nil, false, err
		}
		if string(got) == string(k) {
			return im, true, nil
		}
	}
}
