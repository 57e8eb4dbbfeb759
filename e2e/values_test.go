package e2e

import (
	"slices"
	"strings"
	"testing"

	"zombiezen.com/go/sqlite"
)

// cells are values that go wrong where somebody converts them.
var cells = []string{
	"NULL", "''", "x''", "0", "0.0", "-0.0", "1", "1.0", "-1", "9223372036854775807", "-9223372036854775808",
	"9007199254740993", "9007199254740993.0", "9223372036854775807.0", "9e999", "-9e999", "5e-324", "1.7976931348623157e308",
	"0.1", "0.30000000000000004", "123456789.123456789", "'1'", "'1.0'", "'1e3'", "' 1'", "'0x10'", "'-0'", "'9223372036854775808'",
	"'null'", "'NULL'", "'a'", "'A'", "'a '", "' a'", "'it''s'", "'\"'", "'%s\\n'", "'line' || char(10) || 'break' || char(13, 9)",
	"char(0)", "'a' || char(0) || 'b'", "'a' || char(0)", "char(0, 0)", "'ü'", "'u' || char(776)", "'日本語'", "'" + "\U0001F9CA" + "'", "char(65279)", "char(65533)",
	"char(1114111)", "x'00'", "x'ff'", "x'61'", "x'0061'", "zeroblob(100)", "randomblob(3000)", "hex(randomblob(5000))",
	"1e15", "1e16", "100000000000000000000", "'2026-11-24 22:30:00.123'", "'19.90'", "19.90", "TRUE",
}

// raw are texts that are no text in the database's encoding.
var raw = []string{"x'61ff62'", "x'c3'", "x'c080'", "x'eda080'", "x'f4908080'", "x'80'", "x'fffe'", "x'ff00fe'"}

// valuesTable fills a table with every value in columns of every affinity.
func valuesTable(name, ddl string, texts bool) string {
	var b strings.Builder
	b.WriteString(ddl + ";\n")
	for _, c := range cells {
		b.WriteString("INSERT INTO " + name + "(n, i, r, t, b, u) VALUES (" + strings.Repeat(c+", ", 5) + c + ");\n")
	}
	if texts {
		for _, c := range raw {
			c = "CAST(" + c + " AS TEXT)"
			b.WriteString("INSERT INTO " + name + "(n, i, r, t, b, u) VALUES (" + strings.Repeat(c+", ", 5) + c + ");\n")
		}
	}
	return b.String()
}

const anyColumns = "n NUMERIC, i INTEGER, r REAL, t TEXT, b BLOB, u"

// shapes are databases with something in them that is easily lost.
var shapes = []struct {
	name, create string
	edit         string // at the second database
	args         []string
}{
	{
		name:   "every storage class",
		create: valuesTable("v", "CREATE TABLE v(id INTEGER PRIMARY KEY, "+anyColumns+")", true),
		edit:   "UPDATE v SET n = u, i = t, r = b, t = n, b = r, u = i; DELETE FROM v WHERE id % 7 = 0",
	},
	{
		name:   "without rowid",
		create: valuesTable("v", "CREATE TABLE v(id INTEGER, "+anyColumns+", PRIMARY KEY(id DESC)) WITHOUT ROWID; CREATE TRIGGER give_id BEFORE INSERT ON v WHEN NEW.id IS NULL BEGIN INSERT INTO v VALUES ((SELECT count(*) FROM v) + 1, NEW.n, NEW.i, NEW.r, NEW.t, NEW.b, NEW.u); SELECT RAISE(IGNORE); END", true),
		edit:   "UPDATE v SET n = u, u = t",
	},
	{
		name:   "UTF-16le",
		create: "PRAGMA encoding = 'UTF-16le'; " + valuesTable("v", "CREATE TABLE v(id INTEGER PRIMARY KEY, "+anyColumns+")", false) + texts16,
		edit:   "UPDATE v SET t = u, u = t; UPDATE k SET v = v || 'x'",
	},
	{
		name:   "UTF-16be",
		create: "PRAGMA encoding = 'UTF-16be'; " + valuesTable("v", "CREATE TABLE v(id INTEGER PRIMARY KEY, "+anyColumns+")", false) + texts16,
		edit:   "UPDATE v SET t = u, u = t; UPDATE k SET v = v || 'x'",
	},
	{
		name:   "any value as key",
		create: "CREATE TABLE k(k PRIMARY KEY NOT NULL, v); CREATE TABLE kw(k PRIMARY KEY, v) WITHOUT ROWID;" + keys("k") + keys("kw"),
		edit:   "UPDATE k SET v = v || 'x' WHERE rowid % 2; UPDATE kw SET v = -v; DELETE FROM k WHERE rowid % 5 = 0",
	},
	{
		name: "composite keys",
		create: `CREATE TABLE k(a TEXT NOT NULL, b INTEGER NOT NULL, c REAL NOT NULL, v, PRIMARY KEY(b, a, c));
			INSERT INTO k VALUES ('', 0, 0, 1), ('a', 0, 0, 2), ('a' || char(0), 0, 0, 3), ('a', 0, -1.5, 4), ('a', -1, 0, 5), ('b', -9223372036854775808, 9e999, 6), ('ab', 0, 0, 7)`,
		edit: "UPDATE k SET v = v * 10; UPDATE k SET a = a || 'z' WHERE v = 20",
	},
	{
		name: "keys as the database compares them",
		create: `CREATE TABLE n(k TEXT COLLATE NOCASE PRIMARY KEY NOT NULL, v); INSERT INTO n VALUES ('a', 1), ('B', 2), ('ä', 3), ('Ä', 4), ('zz', 5);
			CREATE TABLE r(k TEXT COLLATE RTRIM NOT NULL, v, PRIMARY KEY(k)) WITHOUT ROWID; INSERT INTO r VALUES ('a  ', 1), ('b', 2);
			CREATE TABLE f(k NOT NULL PRIMARY KEY, v); INSERT INTO f VALUES (1, 'int'), (2.0, 'real'), ('3', 'text')`,
		edit: "UPDATE n SET k = upper(k), v = v + 1; UPDATE r SET k = 'a' WHERE v = 1; UPDATE f SET k = 1.0 WHERE k = 1; UPDATE f SET k = 2, v = 'now int' WHERE k = 2",
	},
	{
		name: "generated columns",
		create: `CREATE TABLE g(id INTEGER PRIMARY KEY, a, b AS (a * 2), c AS (a || b) STORED, d DEFAULT 7);
			INSERT INTO g(id, a) VALUES (1, 2), (2, 'x'), (3, NULL); CREATE INDEX gb ON g(b)`,
		edit: "UPDATE g SET a = 21 WHERE id = 1; INSERT INTO g(id, a, d) VALUES (9, 4, NULL)",
	},
	{
		name: "strict, checks, defaults, indexes",
		create: `CREATE TABLE s(id INTEGER PRIMARY KEY AUTOINCREMENT, n INT NOT NULL DEFAULT (1 + 1), t TEXT CHECK (length(t) < 20) COLLATE NOCASE, a ANY, b BLOB, r REAL, UNIQUE(t, n)) STRICT;
			CREATE INDEX part ON s(n) WHERE n > 3; CREATE UNIQUE INDEX expr ON s(lower(t)); CREATE INDEX down ON s(r DESC, t COLLATE RTRIM);
			INSERT INTO s(t, a, b, r) VALUES ('x', 1, x'01', 1), ('y', '1', x'', 2.5), ('z', 1.0, NULL, 9e999)`,
		edit: "INSERT INTO s(t, a) VALUES ('new', x'00'); UPDATE s SET a = 1.0 WHERE id = 1",
	},
	{
		name: "any name",
		create: `CREATE TABLE "we ird"("se""lect" TEXT PRIMARY KEY NOT NULL, "from" INT, "日本" BLOB, "a.b[c]" REAL, "'" TEXT); INSERT INTO "we ird" VALUES ('k', 1, x'02', 3, 'four'), ('"', 1, 2, 3, 4);
			CREATE TABLE "select"(id INTEGER PRIMARY KEY, "group" TEXT); INSERT INTO "select" VALUES (1, 'x');
			CREATE TABLE "` + "\U0001F9CA" + `"(id INTEGER PRIMARY KEY, ` + "`tick``ed`" + ` TEXT, [brack et] TEXT); INSERT INTO "` + "\U0001F9CA" + `" VALUES (1, 'x', 'y'); CREATE INDEX "i""x" ON "we ird"("from")`,
		edit: `UPDATE "we ird" SET "from" = 2, "'" = NULL; UPDATE "select" SET "group" = 'y'; UPDATE "` + "\U0001F9CA" + `" SET [brack et] = 'z'`,
	},
	{
		name: "foreign keys in a circle",
		create: `PRAGMA foreign_keys = OFF; CREATE TABLE emp(id INTEGER PRIMARY KEY, boss REFERENCES emp, dept REFERENCES dept(name)); CREATE TABLE dept(name TEXT PRIMARY KEY NOT NULL, head REFERENCES emp(id));
			INSERT INTO emp VALUES (1, 2, 'x'), (2, 3, 'y'), (3, 1, NULL); INSERT INTO dept VALUES ('x', 3), ('y', 1)`,
		edit: `BEGIN; PRAGMA defer_foreign_keys = ON; INSERT INTO dept VALUES ('z', 9); INSERT INTO emp VALUES (9, 9, 'z'); UPDATE emp SET dept = 'z' WHERE id = 1; DELETE FROM emp WHERE id = 0; COMMIT`,
	},
	{
		name:   "no primary key, but columns that are one",
		create: `CREATE TABLE log(at TEXT NOT NULL, n INT NOT NULL, what); INSERT INTO log VALUES ('mon', 1, 'a'), ('mon', 2, 'b'), ('tue', 1, NULL)`,
		edit:   `UPDATE log SET what = 'c' WHERE n = 2; INSERT INTO log VALUES ('wed', 1, x'01')`,
		args:   []string{"--key", "log:at,n"},
	},
	{
		name:   "an empty table, and one of keys only",
		create: `CREATE TABLE "nothing"(id INTEGER PRIMARY KEY, v); CREATE TABLE keys(a, b, PRIMARY KEY(a, b)) WITHOUT ROWID; INSERT INTO keys VALUES (1, 2), (1, 3), ('x', '')`,
		edit:   `INSERT INTO "nothing" VALUES (1, 1); INSERT INTO keys VALUES (2, 2); DELETE FROM keys WHERE b = 3`,
	},
}

const texts16 = `CREATE TABLE k(k TEXT PRIMARY KEY NOT NULL, v) WITHOUT ROWID;
	INSERT INTO k VALUES ('', 1), ('a', 2), ('ä', 3), (char(65533), 4), (char(128512), 5), (char(57344), 6), ('日本', 7), ('a' || char(0) || 'b', 8)`

// keys fills a table with values of every class that are different as keys.
func keys(table string) string {
	var b strings.Builder
	for _, k := range []string{
		"0", "1", "-1", "0.5", "-0.5", "9223372036854775807", "-9223372036854775808", "9e999", "-9e999", "9007199254740993", "9007199254740992.0",
		"9223372036854775807.0", "''", "'a'", "'A'", "'a' || char(0)", "'1'", "CAST(x'ff' AS TEXT)", "x''", "x'00'", "x'61'", "x'6100'", "'日本'", "randomblob(2000)",
	} {
		b.WriteString("INSERT INTO " + table + " VALUES (" + k + ", random());\n")
	}
	return b.String()
}

// TestValues copies databases, edits the copy, and syncs the edits back: every value has
// to arrive with its storage class, both times.
func TestValues(t *testing.T) {
	t.Parallel()
	for _, tt := range shapes {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.create("a.db", tt.create)
			args := append([]string{"a.db", "b.db", "--two-way"}, tt.args...)
			w.sync(0, args...)
			w.equal("a.db", "b.db")
			before := w.text("b.db")
			w.edit("b.db", tt.edit)
			if w.text("b.db") == before {
				t.Fatal("the edit changes nothing")
			}
			edited := w.text("b.db")
			if s := w.sync(0, args...); s.ToB.rows() != 0 || s.ToA.rows() == 0 {
				t.Errorf("%+v, want rows written to a.db alone", s)
			}
			w.equal("a.db", "b.db")
			if w.text("b.db") != edited {
				t.Error("the edited side was changed")
			}
			w.must(0, append([]string{"diff", "a.db", "b.db"}, tt.args...)...)
			if s := w.sync(0, args...); s.ToA.rows()+s.ToB.rows() != 0 {
				t.Errorf("a run over equal databases wrote: %+v", s)
			}
		})
	}
}

// text is everything in the user's tables of a database.
func (w *world) text(name string) string {
	w.Helper()
	d := w.database(name)
	defer d.close()
	var b strings.Builder
	for _, t := range d.tables() {
		b.WriteString(t + ":\n" + strings.Join(d.rows(t), "\n") + "\n")
	}
	return b.String()
}

// TestLarge syncs a value of 100 MB each way, in memory that the value does not fit into
// three times.
func TestLarge(t *testing.T) {
	const size = 100_000_000
	w := newWorld(t)
	a := w.database("a.db")
	a.exec("CREATE TABLE big(id INTEGER PRIMARY KEY, v, n); CREATE TABLE wr(id INTEGER PRIMARY KEY, v) WITHOUT ROWID; INSERT INTO big VALUES (1, zeroblob(100000000), 1)")
	fill(t, a, size)
	a.close()
	var peaks []int64
	check := func(what string) {
		t.Helper()
		r := w.measured(0, "sync", "--yes", "--two-way", "a.db", "b.db")
		t.Logf("%s: %v, %d MB", what, r.took, r.peak>>20)
		peaks = append(peaks, r.peak)
		w.equal("a.db", "b.db")
	}
	check("first copy")
	w.edit("b.db", "UPDATE big SET n = 2")
	check("another column of the row")
	w.edit("b.db", "INSERT INTO big SELECT 2, v, 2 FROM big WHERE id = 1")
	check("a copy of it")
	w.edit("b.db", "INSERT INTO wr SELECT 1, hex(substr(v, 1, 20000000)) FROM big WHERE id = 1")
	check("40 MB of text in a table without rowid")
	w.edit("a.db", "UPDATE big SET v = substr(v, 2) WHERE id = 1; DELETE FROM big WHERE id = 2")
	check("all of it moved by one byte")
	// How soon garbage is collected depends on what else the machine does, so one run may
	// take more than is aimed at.
	slices.Sort(peaks)
	const limit = 200<<20 + 2*size
	if median, most := peaks[len(peaks)/2], peaks[len(peaks)-1]; median > limit || most > 2*limit {
		t.Errorf("%d MB of memory, %d at most; want %d", median>>20, most>>20, limit>>20)
	}
}

// fill writes bytes that do not compress or repeat into the blob.
func fill(t testing.TB, d *database, size int) {
	t.Helper()
	blob, err := d.conn.OpenBlob("main", "big", "v", 1, true)
	if err != nil {
		t.Fatal(err)
	}
	defer blob.Close()
	state := uint64(88172645463325252)
	buf := make([]byte, 1_000_000)
	for n := 0; n < size; n += len(buf) {
		for i := range buf {
			state ^= state << 13
			state ^= state >> 7
			state ^= state << 17
			buf[i] = byte(state)
		}
		if _, err := blob.Write(buf); err != nil {
			t.Fatal(err)
		}
	}
}

// TestRefusedTables says up front, by name and with what to do, what cannot be synced.
func TestRefusedTables(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, create string
		exit         int
		says         []string
	}{
		{"no primary key", "CREATE TABLE ok(id INTEGER PRIMARY KEY); CREATE TABLE log(at, what)", 7, []string{"log", "--key log:"}},
		{"NULL in a key", "CREATE TABLE t(k TEXT PRIMARY KEY, v); INSERT INTO t VALUES ('a', 1), (NULL, 2)", 6, []string{"t", "NULL"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.create("a.db", tt.create)
			r := w.must(tt.exit, "sync", "--yes", "a.db", "b.db")
			for _, s := range tt.says {
				if !strings.Contains(r.errOut, s) {
					t.Errorf("%s: does not say %q", r, s)
				}
			}
		})
	}
	t.Run("unknown collation", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		a := w.database("a.db")
		if err := a.conn.SetCollation("klingon", strings.Compare); err != nil {
			t.Fatal(err)
		}
		a.exec("CREATE TABLE t(k TEXT COLLATE klingon PRIMARY KEY NOT NULL, v); INSERT INTO t VALUES ('a', 1)")
		a.close()
		if r := w.must(7, "sync", "--yes", "a.db", "b.db"); !strings.Contains(r.errOut, "klingon") {
			t.Errorf("%s: does not name the collation", r)
		}
	})
	t.Run("excluded", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.create("a.db", "CREATE TABLE ok(id INTEGER PRIMARY KEY); CREATE TABLE log(at, what); INSERT INTO ok VALUES (1); INSERT INTO log VALUES (1, 2)")
		w.sync(0, "a.db", "b.db", "-x", "log")
		b := w.database("b.db")
		if got := b.tables(); len(got) != 1 || got[0] != "ok" {
			t.Errorf("b.db has %q, want only ok", got)
		}
	})
	t.Run("key that is none", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.create("a.db", "CREATE TABLE log(at, what); INSERT INTO log VALUES (1, 2), (1, 3)")
		w.must(7, "sync", "--yes", "a.db", "b.db", "--key", "log:at")
	})
}

// TestSkipped names what is not synced: views, triggers, virtual tables and the tables
// behind them.
func TestSkipped(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("a.db", `CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT); INSERT INTO t VALUES (1, 'x');
		CREATE VIEW seen AS SELECT v FROM t; CREATE TRIGGER noisy AFTER INSERT ON t BEGIN SELECT 1; END;
		CREATE VIRTUAL TABLE words USING fts5(v); INSERT INTO words VALUES ('hello world');
		CREATE VIRTUAL TABLE boxes USING rtree(id, x0, x1); INSERT INTO boxes VALUES (1, 2, 3)`)
	p := w.plan("a.db", "b.db")
	named := set[string]{}
	for _, s := range p.Skipped {
		named[s.Name] = true
	}
	for _, name := range []string{"seen", "noisy", "words", "boxes"} {
		if !named[name] {
			t.Errorf("%s is not named among what is skipped: %+v", name, p.Skipped)
		}
	}
	w.sync(0, "a.db", "b.db")
	b := open(t, w.path("b.db"), sqlite.OpenReadOnly)
	if got := b.query("SELECT name FROM sqlite_schema WHERE name NOT LIKE '\\_syncline\\_%' ESCAPE '\\' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"); len(got) != 1 || got[0] != "t" {
		t.Errorf("b.db has %q, want only t", got)
	}
	a := w.database("a.db")
	w.equalRows(a, b, []string{"t"})
}

// TestRowsThatMove swaps unique values and changes keys, which no order of single writes
// could do.
func TestRowsThatMove(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("a.db", `CREATE TABLE u(id INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL, pos INT UNIQUE);
		INSERT INTO u VALUES (1, 'one', 1), (2, 'two', 2), (3, 'three', 3), (4, 'four', 4);
		CREATE TABLE c(id INTEGER PRIMARY KEY, u INTEGER NOT NULL REFERENCES u ON UPDATE CASCADE); INSERT INTO c VALUES (1, 1), (2, 4)`)
	w.sync(0, "a.db", "b.db", "--two-way")
	w.edit("b.db", `BEGIN; UPDATE u SET name = 'x' WHERE id = 1; UPDATE u SET name = 'one' WHERE id = 2; UPDATE u SET name = 'two' WHERE id = 1; COMMIT;
		BEGIN; UPDATE u SET pos = -pos; UPDATE u SET pos = CASE id WHEN 1 THEN 2 WHEN 2 THEN 3 WHEN 3 THEN 4 ELSE 1 END; COMMIT`)
	w.sync(0, "a.db", "b.db", "--two-way")
	w.equal("a.db", "b.db")
	w.edit("a.db", "UPDATE u SET id = 40 WHERE id = 4")
	s := w.sync(0, "a.db", "b.db", "--two-way", "--max-delete", "100%")
	if s.ToB.Deleted != 1 || s.ToB.Inserted != 1 {
		t.Errorf("%+v, want a changed key to be a row deleted and one inserted", s.ToB)
	}
	w.equal("a.db", "b.db")
	if got := w.value("b.db", "SELECT u FROM c WHERE id = 2"); got != "40" {
		t.Errorf("the child of the row whose key changed points to %s, want 40", got)
	}
}

// TestTriggers lets both databases' own triggers answer what arrives: what they change
// comes back, and it ends.
func TestTriggers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create("a.db", `CREATE TABLE t(id INTEGER PRIMARY KEY, v INT, seen INT DEFAULT 0); CREATE TABLE audit(id INTEGER PRIMARY KEY, what TEXT);
		INSERT INTO t VALUES (1, 1, 0), (2, 1, 0)`)
	w.sync(0, "a.db", "b.db", "--two-way")
	w.edit("b.db", `CREATE TRIGGER tell AFTER UPDATE OF v ON t BEGIN INSERT INTO audit(what) VALUES ('t ' || NEW.id || ' is ' || NEW.v); END;
		CREATE TRIGGER mark AFTER UPDATE OF v ON t BEGIN UPDATE t SET seen = seen + 1 WHERE id = NEW.id; END`)
	w.sync(0, "a.db", "b.db", "--two-way")
	w.edit("a.db", "UPDATE t SET v = 2 WHERE id = 1")
	w.sync(0, "a.db", "b.db", "--two-way")
	a := w.database("a.db")
	if got := a.text("SELECT what FROM audit"); got != "t 1 is 2" {
		t.Errorf("what the trigger of b.db wrote did not come to a.db: %q", got)
	}
	if got := a.text("SELECT seen FROM t WHERE id = 1"); got != "1" {
		t.Errorf("a.db has seen = %s, want what the trigger of b.db made of it, 1", got)
	}
	a.close()
	for range 3 {
		if s := w.sync(0, "a.db", "b.db", "--two-way"); s.ToA.rows()+s.ToB.rows() != 0 {
			t.Errorf("the triggers answer for ever: %+v", s)
		}
	}
	// Two databases that both count can never agree: one answer each, and then it rests.
	w.edit("a.db", "CREATE TRIGGER mark AFTER UPDATE ON t BEGIN UPDATE t SET seen = seen + 1 WHERE id = NEW.id; END")
	w.edit("b.db", "DROP TRIGGER mark; CREATE TRIGGER mark AFTER UPDATE ON t BEGIN UPDATE t SET seen = seen + 1 WHERE id = NEW.id; END; UPDATE t SET v = 3 WHERE id = 2")
	w.run("sync", "--yes", "--two-way", "a.db", "b.db")
	r := w.run("sync", "--yes", "--json", "--two-way", "a.db", "b.db")
	if s := r.result(t).Summary; s == nil || s.ToA.rows()+s.ToB.rows() != 0 {
		t.Errorf("%s: two counting triggers answer for ever", r)
	}
}
