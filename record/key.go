package record

// Key is the memcomparable encoding of a tuple of values (docs/format/keys.md): keys are
// equal exactly when the database calls them equal, and bytes.Compare orders them by
// numbers, then text, then bytes. Integers and floats of the same value are one key.
type Key []byte
