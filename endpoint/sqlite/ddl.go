package sqlite

import "strings"

// columnCollations reads the collation of each column, by folded name, from the CREATE
// TABLE statement: SQLite has no other way to ask for those of columns without an index.
// Columns without COLLATE are not in the result.
func columnCollations(ddl string) map[string]string {
	found := map[string]string{}
	depth := 0
	column, named := "", false // the column whose definition this is
	first, collate := true, false
	for tok := range tokens(ddl) {
		switch {
		case tok.text == "(" && !tok.name:
			depth++
			collate = false
			continue
		case tok.text == ")" && !tok.name:
			depth--
			continue
		case depth != 1:
			continue
		case tok.text == "," && !tok.name:
			named, first, collate = false, true, false
			continue
		}
		switch {
		case first:
			first = false
			column, named = tok.text, tok.quoted || !startsConstraint(tok.text)
		case collate:
			collate = false
			if named {
				found[fold(column)] = tok.text
			}
		case tok.name && !tok.quoted && fold(tok.text) == "collate":
			collate = true
		}
	}
	return found
}

// startsConstraint reports whether a word begins a table constraint instead of a column.
func startsConstraint(word string) bool {
	switch fold(word) {
	case "constraint", "primary", "unique", "check", "foreign":
		return true
	}
	return false
}

// token is one token of SQL: a name, whether in quotes or not, or anything else.
type token struct {
	text   string
	name   bool
	quoted bool
}

// tokens yields the tokens of a statement that SQLite has accepted, without comments.
func tokens(sql string) func(func(token) bool) {
	return func(yield func(token) bool) {
		for len(sql) > 0 {
			tok, n := nextToken(sql)
			sql = sql[n:]
			if tok.text != "" || tok.quoted {
				if !yield(tok) {
					return
				}
			}
		}
	}
}

// nextToken returns the token at the start of sql and its length there. White space and
// comments are a token without text.
func nextToken(sql string) (token, int) {
	switch c := sql[0]; {
	case strings.IndexByte(" \t\n\f\r", c) >= 0:
		return token{}, 1
	case strings.HasPrefix(sql, "--"):
		return token{}, through(sql, 2, "\n")
	case strings.HasPrefix(sql, "/*"):
		return token{}, through(sql, 2, "*/")
	case c == '[':
		n := through(sql, 1, "]")
		return token{strings.TrimSuffix(sql[1:n], "]"), true, true}, n
	case c == '"' || c == '`' || c == '\'':
		n := 1
		for n < len(sql) {
			if sql[n] != c {
				n++
			} else if n+1 < len(sql) && sql[n+1] == c {
				n += 2
			} else {
				break
			}
		}
		q := string(c)
		return token{strings.ReplaceAll(sql[1:n], q+q, q), true, true}, min(n+1, len(sql))
	case isWord(c):
		n := 1
		for n < len(sql) && isWord(sql[n]) {
			n++
		}
		return token{sql[:n], true, false}, n
	default:
		return token{text: sql[:1]}, 1
	}
}

// through returns the length of sql up to the end of the first mark after start.
func through(sql string, start int, mark string) int {
	if i := strings.Index(sql[start:], mark); i >= 0 {
		return start + i + len(mark)
	}
	return len(sql)
}

func isWord(c byte) bool {
	return c == '_' || c == '$' || c >= 0x80 ||
		'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}
