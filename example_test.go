package syncline_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/syncline-io/syncline"
	"github.com/syncline-io/syncline/endpoint/sqlite"
	zsqlite "zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

func ExampleSync() {
	dir, err := os.MkdirTemp("", "syncline")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	a := exampleDatabase(dir, "a.db", `CREATE TABLE orders(id INTEGER PRIMARY KEY, customer TEXT, total DECIMAL(10,2));
		INSERT INTO orders VALUES(7, 'Ada', 19.9), (8, 'Grace', 3);`)
	b, err := sqlite.Open(filepath.Join(dir, "b.db"), sqlite.Options{}) // is created
	if err != nil {
		log.Fatal(err)
	}
	options := syncline.Options{StateDir: filepath.Join(dir, "state"), TwoWay: true}

	ctx := context.Background()
	report, err := syncline.Sync(ctx, a, b, options)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("copied", report.ToB.Inserts)

	exampleExec(a.Path(), `UPDATE orders SET total = 1 WHERE id = 7; DELETE FROM orders WHERE id = 8`)
	exampleExec(b.Path(), `UPDATE orders SET customer = 'Ada L.' WHERE id = 7`)
	options.Confirm = func(_ context.Context, p *syncline.Plan) (bool, error) {
		for _, t := range p.Tables {
			fmt.Printf("%s: %d to delete\n", t.Name, t.ToB.Deletes)
		}
		return true, nil
	}
	if report, err = syncline.Sync(ctx, a, b, options); err != nil {
		log.Fatal(err)
	}
	fmt.Println("to a", report.ToA.Updates, "to b", report.ToB.Updates, "settled", report.Settled)
	// Output:
	// copied 2
	// orders: 1 to delete
	// to a 1 to b 1 settled true
}

func ExampleDiff() {
	dir, err := os.MkdirTemp("", "syncline")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	a := exampleDatabase(dir, "a.db", `CREATE TABLE orders(id INTEGER PRIMARY KEY, total DECIMAL(10,2));
		INSERT INTO orders VALUES(6, 4.2), (7, 19.9), (8, 3);`)
	b := exampleDatabase(dir, "b.db", `CREATE TABLE orders(id INTEGER PRIMARY KEY, total DECIMAL(10,2));
		INSERT INTO orders VALUES(6, 4.2), (7, 1);`)

	c, err := syncline.Diff(context.Background(), a, b, syncline.DiffOptions{
		Row: func(r syncline.RowDifference) error {
			fmt.Printf("%c %s\n", r.Kind, r.Record)
			for _, i := range r.Fields {
				fmt.Printf("  %s: %v -> %v\n", r.A.Fields[i], r.A.Values[i], r.B.Values[i])
			}
			return nil
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(c.Equal, "equal")
	// Output:
	// * orders/7
	//   total: 19.9 -> 1
	// + orders/8
	// 1 equal
}

// exampleDatabase makes a database out of SQL.
func exampleDatabase(dir, name, sql string) *sqlite.Database {
	path := filepath.Join(dir, name)
	exampleExec(path, sql)
	d, err := sqlite.Open(path, sqlite.Options{})
	if err != nil {
		log.Fatal(err)
	}
	return d
}

// exampleExec runs SQL as another program would.
func exampleExec(path, sql string) {
	c, err := zsqlite.OpenConn(path, zsqlite.OpenReadWrite|zsqlite.OpenCreate)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	if err := sqlitex.ExecuteScript(c, sql, nil); err != nil {
		log.Fatal(err)
	}
}
