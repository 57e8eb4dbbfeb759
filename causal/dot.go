package causal

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Node names whoever writes dots: the hash of a node's public key, or a random id for
// an endpoint of a pair.
type Node [16]byte

// String writes the node as 32 hexadecimal digits.
func (n Node) String() string { return hex.EncodeToString(n[:]) }

// Origin is a writer of dots: a node in one of its incarnations. A node takes a new
// incarnation whenever it cannot prove its past, so that (origin, seq) is never reused
// with other content.
type Origin struct {
	Node        Node
	Incarnation uint32
}

// OriginSize is the length of an origin's binary form.
const OriginSize = 20

// ErrSyntax reports text or bytes that are not the stated form.
var ErrSyntax = errors.New("malformed")

// IsZero reports whether o names nobody.
func (o Origin) IsZero() bool { return o == Origin{} }

// Compare orders origins by node, then incarnation. It is the last tie-break of every
// merge rule, so it must never change.
func (o Origin) Compare(p Origin) int {
	if c := bytes.Compare(o.Node[:], p.Node[:]); c != 0 {
		return c
	}
	return cmp.Compare(o.Incarnation, p.Incarnation)
}

// String writes the origin as "<node>.<incarnation>".
func (o Origin) String() string {
	return o.Node.String() + "." + strconv.FormatUint(uint64(o.Incarnation), 10)
}

// Append appends the binary form: 16 bytes of node, 4 bytes of incarnation, big-endian.
func (o Origin) Append(b []byte) []byte {
	b = append(b, o.Node[:]...)
	return binary.BigEndian.AppendUint32(b, o.Incarnation)
}

// OriginFromBytes reads the form written by [Origin.Append].
func OriginFromBytes(b []byte) (Origin, error) {
	if len(b) != OriginSize {
		return Origin{}, fmt.Errorf("origin of %d bytes: %w", len(b), ErrSyntax)
	}
	var o Origin
	copy(o.Node[:], b)
	o.Incarnation = binary.BigEndian.Uint32(b[16:])
	return o, nil
}

// ParseOrigin reads the form written by [Origin.String].
func ParseOrigin(s string) (Origin, error) {
	node, inc, ok := strings.Cut(s, ".")
	n, err := strconv.ParseUint(inc, 10, 32)
	raw, hexErr := hex.DecodeString(node)
	if !ok || err != nil || hexErr != nil || len(raw) != len(Node{}) ||
		hex.EncodeToString(raw) != node || strconv.FormatUint(n, 10) != inc {
		return Origin{}, fmt.Errorf("origin %q: %w", s, ErrSyntax)
	}
	return Origin{Node: Node(raw), Incarnation: uint32(n)}, nil
}

// Dot names one commit: the seq-th of its origin. Seq is dense and starts at 1.
type Dot struct {
	Origin Origin
	Seq    uint64
}

// IsZero reports whether d names nothing.
func (d Dot) IsZero() bool { return d == Dot{} }

// Compare orders dots by origin, then seq.
func (d Dot) Compare(e Dot) int {
	if c := d.Origin.Compare(e.Origin); c != 0 {
		return c
	}
	return cmp.Compare(d.Seq, e.Seq)
}

// String writes the dot as "<node>.<incarnation>:<seq>".
func (d Dot) String() string { return d.Origin.String() + ":" + strconv.FormatUint(d.Seq, 10) }

// ParseDot reads the form written by [Dot.String].
func ParseDot(s string) (Dot, error) {
	at := strings.LastIndexByte(s, ':')
	if at < 0 {
		return Dot{}, fmt.Errorf("dot %q: %w", s, ErrSyntax)
	}
	o, err := ParseOrigin(s[:at])
	if err != nil {
		return Dot{}, fmt.Errorf("dot %q: %w", s, ErrSyntax)
	}
	seq, err := strconv.ParseUint(s[at+1:], 10, 64)
	if err != nil || strconv.FormatUint(seq, 10) != s[at+1:] {
		return Dot{}, fmt.Errorf("dot %q: %w", s, ErrSyntax)
	}
	return Dot{Origin: o, Seq: seq}, nil
}
