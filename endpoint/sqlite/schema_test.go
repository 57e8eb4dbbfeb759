package sqlite

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/syncline-io/syncline/endpoint"
	"github.com/syncline-io/syncline/record"
	"zombiezen.com/go/sqlite"
)

func TestSchema(t *testing.T) {
	path := makeRaw(t, `
		CREATE TABLE "Customer" (
			Id INTEGER PRIMARY KEY, -- COLLATE RTRIM
			Name TEXT COLLATE nocase NOT NULL DEFAULT 'a,b) COLLATE RTRIM',
			Total DECIMAL(10, 2) CHECK (Total >= 0 AND Name <> 'x' COLLATE RTRIM),
			"Upper" AS (upper(Name)) STORED, Other AS (1) VIRTUAL);
		CREATE INDEX byName ON Customer(Name) WHERE Total > 0;
		CREATE UNIQUE INDEX byTotal ON Customer(Total, lower(Name));
		CREATE TABLE lines(n INT, "order" INTEGER REFERENCES Customer, b INT, c INT,
			FOREIGN KEY(b, c) REFERENCES pairs, FOREIGN KEY(c) REFERENCES "nowhere"("x"), PRIMARY KEY("order", n)) WITHOUT ROWID;
		CREATE TABLE pairs(x INT, y INT, PRIMARY KEY(y, x));
		CREATE TABLE counted(id INTEGER PRIMARY KEY AUTOINCREMENT);
		CREATE VIEW v AS SELECT * FROM lines;
		CREATE TRIGGER tr AFTER INSERT ON lines BEGIN SELECT 1; END;
		CREATE TRIGGER tv INSTEAD OF INSERT ON v BEGIN SELECT 1; END;
		CREATE VIRTUAL TABLE f USING fts5(body);
		CREATE TABLE keyless(a, b UNIQUE);
		CREATE TABLE _syncline_marker(id); CREATE TRIGGER _syncline_insert_lines AFTER INSERT ON lines BEGIN SELECT 1; END;
		ANALYZE;`)
	s, err := openDatabase(t, path, Options{}).Schema(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, table := range s.Tables {
		names = append(names, table.Name)
	}
	if got := strings.Join(names, " "); got != "Customer counted keyless lines pairs" {
		t.Errorf("tables %s", got)
	}
	var skipped []string
	for _, x := range s.Skipped {
		skipped = append(skipped, x.Kind+" "+x.Name)
	}
	if got := strings.Join(skipped, ", "); got != "shadow table f_config, shadow table f_content, shadow table f_data, shadow table f_docsize, shadow table f_idx, trigger tr, trigger tv, view v, virtual table f" {
		t.Errorf("skipped %s", got)
	}

	c := s.Table("customer")
	var columns []string
	for _, col := range c.Columns {
		columns = append(columns, fmt.Sprintf("%s:%s:%d:%v:%v:%d", col.Name, col.Type, col.Collation, col.NotNull, col.Generated, col.Scale))
	}
	want := []string{
		"Id:INTEGER:0:false:false:-1", "Name:TEXT:1:true:false:-1", "Total:DECIMAL(10, 2):0:false:false:2",
		"Upper::0:false:true:-1", "Other::0:false:true:-1",
	}
	if !slices.Equal(columns, want) {
		t.Errorf("columns %q", columns)
	}
	if got := fmt.Sprint(c.Shape.Fields, c.Key); got != "[Id Name Total] [0]" {
		t.Errorf("fields and key %s", got)
	}
	if len(c.DDL) != 3 || !strings.HasPrefix(c.DDL[0], `CREATE TABLE "Customer"`) || !strings.HasPrefix(c.DDL[1], "CREATE INDEX byName") {
		t.Errorf("DDL %q", c.DDL)
	}
	lines := s.Table("LINES")
	if got := fmt.Sprint(lines.Key, lines.Triggers, lines.ForeignKeys); got != "[1 0] [tr] [{[order] Customer [Id]} {[b c] pairs [y x]} {[c] nowhere [x]}]" {
		t.Errorf("lines: %s", got)
	}
	if k := s.Table("keyless"); k.Refused == "" || k.Fix != "--key keyless:b" {
		t.Errorf("keyless: %q, %q", k.Refused, k.Fix)
	}
}

func TestRefusedTables(t *testing.T) {
	path := makeRaw(t, "")
	// Only a program that knows the collation can make such tables.
	c := openRaw(t, path)
	if err := c.SetCollation("german", strings.Compare); err != nil {
		t.Fatal(err)
	}
	execScript(t, c, "CREATE TABLE t(a TEXT COLLATE german PRIMARY KEY, b); INSERT INTO t VALUES('a', 1); CREATE TABLE u(k INTEGER PRIMARY KEY, a); CREATE INDEX ua ON u(a COLLATE german); CREATE TABLE w(k INTEGER PRIMARY KEY)")
	c.Close()
	s := openSnapshot(t, openDatabase(t, path, Options{}), false)
	for table, refused := range map[string]bool{"t": true, "u": true, "w": false} {
		if got := s.Schema().Table(table).Refused; (got != "") != refused || refused && !strings.Contains(got, "german") {
			t.Errorf("%s: %q", table, got)
		}
	}
	if _, err := s.Scan(s.Schema().Table("t"), nil, nil); err == nil {
		t.Error("a refused table can be scanned")
	}
}

func TestDeclaredKeys(t *testing.T) {
	ddl := `CREATE TABLE t(a TEXT COLLATE NOCASE, b, c); INSERT INTO t VALUES('x', 1, 1), ('y', 1, 2), ('Z', 1, NULL), ('w', 2, 4);
		CREATE TABLE u(a TEXT, b TEXT); CREATE UNIQUE INDEX ui ON u(a COLLATE NOCASE); INSERT INTO u VALUES('B', 1), ('a', 2), ('c', 3);`
	tests := []struct {
		keys    map[string][]string
		table   string
		refused string
	}{
		{nil, "t", "no primary key"},
		{map[string][]string{"T": {"A"}}, "t", ""},
		{map[string][]string{"t": {"b", "a"}}, "t", ""},
		{map[string][]string{"t": {"b"}}, "t", "not unique"},
		{map[string][]string{"t": {"c"}}, "t", "null"},
		{map[string][]string{"t": {"nope"}}, "t", "nope"},
		{map[string][]string{"t": {"a", "A"}}, "t", "A"},
		{map[string][]string{"u": {"a"}}, "u", ""},
	}
	for _, encoding := range []string{"UTF-8", "UTF-16le"} {
		path := makeRaw(t, "PRAGMA encoding='"+encoding+"';"+ddl)
		for _, test := range tests {
			for _, sliced := range []bool{false, true} {
				s := openSnapshot(t, openDatabase(t, path, Options{Keys: test.keys}), sliced)
				table := s.Schema().Table(test.table)
				if (table.Refused == "") != (test.refused == "") || !strings.Contains(table.Refused, test.refused) {
					t.Errorf("%v: %q", test.keys, table.Refused)
				}
				if table.Refused == "" {
					checkScan(t, s, test.table)
				} else if !strings.HasPrefix(table.Fix, "--key "+test.table+":") {
					t.Errorf("%v: fix %q", test.keys, table.Fix)
				}
			}
		}
	}
	// The keys are equal where the database calls them equal.
	s := openSnapshot(t, openDatabase(t, makeRaw(t, ddl), Options{Keys: map[string][]string{"t": {"a"}}}), false)
	k, _ := record.AppendKeyValue(nil, record.TextValue([]byte("X")), record.NoCase)
	if _, found, err := s.Get(s.Schema().Table("t"), k, nil); err != nil || !found {
		t.Errorf("X is not x: %v, %v", found, err)
	}
}

func TestShapeIgnoresOrderOfColumns(t *testing.T) {
	// The shape of a table does not depend on the order in which its columns are declared.
	a := makeRaw(t, "CREATE TABLE t(b, a, K INTEGER PRIMARY KEY)")
	b := makeRaw(t, "CREATE TABLE T(k INTEGER PRIMARY KEY, A, B)")
	sa, err := openDatabase(t, a, Options{}).Schema(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	sb, err := openDatabase(t, b, Options{}).Schema(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if !sa.Tables[0].Shape.Equal(sb.Tables[0].Shape) {
		t.Error("the shapes differ")
	}
	if ds := endpoint.Compare(sa.Tables[0], sb.Tables[0]); len(ds) != 0 {
		t.Errorf("%v", ds)
	}
	// Either description can be used with either database.
	s := openSnapshot(t, openDatabase(t, a, Options{}), false)
	if _, err := s.Count(sb.Tables[0]); err != nil {
		t.Error(err)
	}
	if _, err := s.Count(&endpoint.Table{Name: "t", Shape: &record.Shape{Table: "t", Fields: []string{"a"}}}); err == nil {
		t.Error("a table of other columns is taken for this one")
	}
}

func TestScale(t *testing.T) {
	for typ, want := range map[string]int{
		"": -1, "DECIMAL(10,2)": 2, "numeric ( 12 , 4 )": 4, "NUMERIC(10,0)": 0, "VARCHAR(20)": -1, "DECIMAL(10,-2)": -1, "x(,)": -1, "x(1,y)": -1,
	} {
		if got := scaleOf(typ); got != want {
			t.Errorf("%s: %d, want %d", typ, got, want)
		}
	}
}

func TestColumnCollations(t *testing.T) {
	tests := []struct{ ddl, want string }{
		{"CREATE TABLE t(a, b)", "map[]"},
		{"CREATE TABLE t(a COLLATE NOCASE, b TEXT NOT NULL collate RTrim DEFAULT 'x')", "map[a:NOCASE b:RTrim]"},
		{`CREATE TABLE "co(llate"([a b] COLLATE "nocase", 'c' COLLATE [rtrim], ` + "`d`" + ` COLLATE binary)`, "map[a b:nocase c:rtrim d:binary]"},
		{"CREATE TABLE t(a DEFAULT (1 COLLATE NOCASE), b CHECK(b = 'x' COLLATE RTRIM), PRIMARY KEY(a COLLATE NOCASE))", "map[]"},
		{"CREATE TABLE t(a -- COLLATE NOCASE,\n, b /* COLLATE NOCASE */ COLLATE /* ( */ RTRIM)", "map[b:RTRIM]"},
		{`CREATE TABLE t("primary" COLLATE NOCASE, "a""b" COLLATE RTRIM, CONSTRAINT x UNIQUE(a))`, `map[a"b:RTRIM primary:NOCASE]`},
		{"CREATE TABLE t(a DECIMAL(10,2) COLLATE NOCASE, É COLLATE NOCASE, b DEFAULT 'it''s, COLLATE' COLLATE RTRIM)", "map[a:NOCASE b:RTRIM É:NOCASE]"},
		{"CREATE TABLE t(a COLLATE RTRIM COLLATE NOCASE)", "map[a:NOCASE]"},
		{"CREATE TABLE t(a TEXT CONSTRAINT c COLLATE NOCASE UNIQUE, b AS (a COLLATE RTRIM) STORED COLLATE NOCASE)", "map[a:NOCASE b:NOCASE]"},
	}
	c, err := sqlite.OpenConn(":memory:", sqlite.OpenReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, test := range tests {
		if got := fmt.Sprint(columnCollations(test.ddl)); got != test.want {
			t.Errorf("%s: %s, want %s", test.ddl, got, test.want)
		}
	}
}

// Whatever CREATE TABLE statement SQLite takes, columnCollations finds the collations that
// SQLite found: those that an index over the column has.
func FuzzColumnCollations(f *testing.F) {
	for _, seed := range []string{
		"a COLLATE NOCASE, b", "'a' TEXT COLLATE RTRIM, [b] COLLATE nocase", "a DEFAULT (1), b COLLATE NOCASE CHECK(b <> ')')",
		"a INT CONSTRAINT x COLLATE RTRIM, UNIQUE(a)", "\"COLLATE\" COLLATE NOCASE, collate_ COLLATE RTRIM", "a -- x\n COLLATE /* y */ NOCASE",
		"a REFERENCES t(a) ON DELETE CASCADE COLLATE NOCASE", "a x y(1,2) COLLATE 'rtrim'", "a DEFAULT -1 COLLATE RTRIM", "a DEFAULT x'00' COLLATE RTRIM",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, columns string) {
		for range tokens(columns) { // ends, and does not panic
		}
		if strings.IndexByte(columns, 0) >= 0 {
			return
		}
		c, err := sqlite.OpenConn(":memory:", sqlite.OpenReadWrite)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		wrapped := &conn{Conn: c}
		if wrapped.exec("CREATE TABLE t("+columns+"\n)") != nil {
			return
		}
		ddl := ""
		var names []string
		err = wrapped.query("SELECT sql FROM sqlite_schema WHERE name = 't'", func(st *sqlite.Stmt) error { ddl = st.ColumnText(0); return nil })
		if err != nil {
			t.Fatal(err)
		}
		err = wrapped.query("SELECT name FROM pragma_table_xinfo('t')", func(st *sqlite.Stmt) error { names = append(names, st.ColumnText(0)); return nil })
		if err != nil || ddl == "" {
			return // a table of another name, or one that cannot be described
		}
		got := columnCollations(ddl)
		for i, name := range names {
			index := fmt.Sprintf("i%d", i)
			if wrapped.exec("CREATE INDEX "+index+" ON t("+quote(name)+")") != nil {
				continue // an unknown collation, or a generated column that cannot be indexed
			}
			var want string
			err := wrapped.query("SELECT coll FROM pragma_index_xinfo(?1) WHERE seqno = 0", func(st *sqlite.Stmt) error { want = st.ColumnText(0); return nil }, index)
			if err != nil {
				t.Fatal(err)
			}
			a, _ := collationOf(got[fold(name)])
			b, ok := collationOf(want)
			if ok && a != b {
				t.Errorf("%s: column %s is %q, want %q", ddl, name, got[fold(name)], want)
			}
		}
	})
}
