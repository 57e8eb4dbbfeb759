package sqlite

import "strings"

// indexText takes the text of a CREATE INDEX statement apart: its terms as written,
// without their order, and the condition of a partial index, or "".
func indexText(sql string) (terms []string, where string) {
	sql = withoutComments(sql)
	depth, start := 0, 0
	for i := 0; i < len(sql); {
		tok, n := nextToken(sql[i:])
		switch {
		case tok.quoted:
		case tok.text == "(":
			if depth++; depth == 1 {
				start = i + 1
			}
		case tok.text == "," && depth == 1:
			terms = append(terms, withoutOrder(sql[start:i]))
			start = i + 1
		case tok.text == ")":
			if depth--; depth == 0 {
				terms = append(terms, withoutOrder(sql[start:i]))
				return terms, condition(sql[i+1:])
			}
		}
		i += n
	}
	return terms, ""
}

// condition returns what follows the word WHERE.
func condition(sql string) string {
	sql = skipBlank(sql)
	if sql == "" {
		return ""
	}
	tok, n := nextToken(sql)
	if tok.quoted || fold(tok.text) != "where" {
		return ""
	}
	return strings.TrimSpace(sql[n:])
}

// withoutOrder cuts ASC or DESC off the end of a term of an index.
func withoutOrder(term string) string {
	term = strings.TrimSpace(term)
	for _, word := range []string{"asc", "desc"} {
		n := len(term) - len(word)
		if n > 0 && strings.EqualFold(term[n:], word) && strings.IndexByte(" \t\r\n)\"`]'", term[n-1]) >= 0 {
			return strings.TrimSpace(term[:n])
		}
	}
	return term
}

// withoutComments replaces every comment, and every piece of white space, by a space.
func withoutComments(sql string) string {
	var b strings.Builder
	for sql != "" {
		tok, n := nextToken(sql)
		if tok.text == "" && !tok.quoted {
			b.WriteByte(' ')
		} else {
			b.WriteString(sql[:n])
		}
		sql = sql[n:]
	}
	return b.String()
}

// says reports whether the words follow one another in a statement, outside of quotes.
func says(sql string, words ...string) bool {
	n := 0
	for tok := range tokens(sql) {
		if tok.name && !tok.quoted && fold(tok.text) == words[n] {
			if n++; n == len(words) {
				return true
			}
			continue
		}
		n = 0
		if tok.name && !tok.quoted && fold(tok.text) == words[0] {
			n = 1
		}
	}
	return false
}

// skipBlank cuts white space, comments and empty statements off the front.
func skipBlank(sql string) string {
	for sql != "" {
		tok, n := nextToken(sql)
		if (tok.text != "" || tok.quoted) && tok.text != ";" {
			break
		}
		sql = sql[n:]
	}
	return sql
}
