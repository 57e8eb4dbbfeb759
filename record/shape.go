package record

// Shape says what the values of an image mean: the table, and the fields in the order of
// their values. Fields are sorted by their lower-case form (ASCII) and unique under it,
// so that two databases that declare the same columns in another order share a shape.
// Key fields are fields like any other.
type Shape struct {
	Table  string
	Fields []string
}

// Image is a row: the CBOR array of its values in the order of a [Shape]. Two rows of one
// shape are equal exactly when their images are equal bytes.
type Image []byte
