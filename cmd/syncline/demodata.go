package main

import (
	"fmt"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"
)

// How many rows the play database has: 21,345 together.
const (
	demoCustomers = 345
	demoOrders    = 10_000
	demoLines     = 11_000
)

// demoSchema has what real schemas have and syncing them has to get right: foreign keys,
// a composite key, checks, a unique column, a secondary index, decimals and dates.
var demoSchema = []string{
	`CREATE TABLE customers (
  id    INTEGER PRIMARY KEY,
  name  TEXT NOT NULL,
  email TEXT NOT NULL UNIQUE,
  city  TEXT NOT NULL,
  since DATE NOT NULL
)`,
	`CREATE TABLE orders (
  id          INTEGER PRIMARY KEY,
  customer_id INTEGER NOT NULL REFERENCES customers (id),
  placed      DATE NOT NULL,
  status      TEXT NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'paid', 'shipped', 'returned')),
  total       DECIMAL(10,2) NOT NULL,
  note        TEXT
)`,
	`CREATE INDEX orders_by_customer ON orders (customer_id, placed)`,
	`CREATE TABLE lines (
  order_id INTEGER NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
  no       INTEGER NOT NULL,
  product  TEXT NOT NULL,
  quantity INTEGER NOT NULL CHECK (quantity > 0),
  price    DECIMAL(10,2) NOT NULL,
  PRIMARY KEY (order_id, no)
) WITHOUT ROWID`,
}

var (
	demoFirst = []string{
		"Ada", "Amélie", "Anselm", "Beatriz", "Björn", "Chidi", "Chloé", "Dimitra", "Elif", "Emil",
		"Fatima", "Grace", "Hana", "Igor", "Ines", "Jakob", "Keiko", "Lars", "Linh", "Mateo",
		"Nadia", "Noor", "Oluwaseun", "Paweł", "Priya", "Quentin", "Rosa", "Søren", "Tomás", "Zoë",
	}
	demoLast = []string{
		"Adeyemi", "Andersson", "Bauer", "Çelik", "Dubois", "Fernández", "Haddad", "Ionescu", "Jansen", "Kowalski",
		"Lindqvist", "Moreau", "Müller", "Nakamura", "Nguyen", "O'Brien", "Okafor", "Papadopoulos", "Rossi", "Sharma",
		"Silva", "Tanaka", "Weiß",
	}
	demoCities = []string{
		"Frankfurt", "New York", "São Paulo", "Kraków", "Nairobi", "Osaka", "Lisbon", "Göteborg", "Hanoi", "Toronto", "Cork",
	}
	demoNotes    = []string{"leave at the door", "gift, please wrap", "call before delivery", "fragile", "second attempt"}
	demoStatuses = []string{"shipped", "shipped", "paid", "shipped", "open", "shipped", "paid", "returned"}
	demoProducts = []struct {
		name  string
		cents int
	}{
		{"coffee beans 500 g", 1290},
		{"paper filters 100", 350},
		{"hand grinder", 6490},
		{"kettle 1 l", 4900},
		{"cup, blue", 890},
		{"cup, white", 890},
		{"digital scale", 2795},
		{"cleaning brush", 425},
		{"travel mug", 2150},
		{"tea, Assam 250 g", 995},
		{"honey 500 g", 760},
		{"gift card", 2500},
	}
)

// insertDemo inserts the rows. They follow from their numbers alone, so that every play
// database is the same, and an order's total is that of its lines.
func insertDemo(conn *sqlite.Conn) error {
	day := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	date := func(days int) string { return day.AddDate(0, 0, days).Format(time.DateOnly) }

	customer, err := conn.Prepare("INSERT INTO customers VALUES (?, ?, ?, ?, ?)")
	if err != nil {
		return err
	}
	for id := 1; id <= demoCustomers; id++ {
		first, last := demoFirst[id%len(demoFirst)], demoLast[id%len(demoLast)]
		email := fmt.Sprintf("%s.%d@example.com", strings.ToLower(demoASCII.Replace(first)), id)
		if err := insert(customer, id, first+" "+last, email, demoCities[id*7%len(demoCities)], date(-id)); err != nil {
			return err
		}
	}

	order, err := conn.Prepare("INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?)")
	if err != nil {
		return err
	}
	line, err := conn.Prepare("INSERT INTO lines VALUES (?, ?, ?, ?, ?)")
	if err != nil {
		return err
	}
	for id := 1; id <= demoOrders; id++ {
		lines := demoOrderLines(id)
		cents := 0
		for _, l := range lines {
			cents += l.quantity * demoProducts[l.product].cents
		}
		var note any
		if id%9 == 4 {
			note = demoNotes[id%len(demoNotes)]
		}
		err := insert(order, id, 1+id*31%demoCustomers, date(id/30), demoStatuses[id%len(demoStatuses)], float64(cents)/100, note)
		if err != nil {
			return err
		}
		for i, l := range lines {
			p := demoProducts[l.product]
			if err := insert(line, id, i+1, p.name, l.quantity, float64(p.cents)/100); err != nil {
				return err
			}
		}
	}
	return nil
}

type demoLine struct{ product, quantity int }

// demoOrderLines returns what an order is of. Each tenth order has two lines, order 7
// among them: one bag of coffee and two packs of filters, 19.90.
func demoOrderLines(id int) []demoLine {
	if id%10 == 7 {
		second := 1 + id*id/10%(len(demoProducts)-1)
		if id == 7 {
			second = 1
		}
		return []demoLine{{0, 1 + id/100%2}, {second, 2}}
	}
	return []demoLine{{(id*5 + id/7) % len(demoProducts), 1 + id*id%4}}
}

// demoASCII takes the accents off first names, for addresses.
var demoASCII = strings.NewReplacer("é", "e", "ö", "o", "ł", "l", "ø", "o", "á", "a", "ë", "e")

// insert runs a prepared INSERT.
func insert(stmt *sqlite.Stmt, values ...any) error {
	for i, v := range values {
		switch v := v.(type) {
		case int:
			stmt.BindInt64(i+1, int64(v))
		case float64:
			stmt.BindFloat(i+1, v)
		case string:
			stmt.BindText(i+1, v)
		default:
			stmt.BindNull(i + 1)
		}
	}
	if _, err := stmt.Step(); err != nil {
		return err
	}
	return stmt.Reset()
}
