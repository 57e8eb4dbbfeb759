package record

import "github.com/syncline-io/syncline/causal"

// importedParts is the length of an imported version's array.
const importedParts = 11

// appendImported appends a version with nothing to be looked up elsewhere but its table.
func appendImported(b []byte, v *Version) []byte {
	var fields []string
	var image Image
	table := new(writeTable)
	table.reset(FieldStamp{v.Stamp, v.Dot.Origin})
	if v.Flags&Bury == 0 {
		fields, image = v.Shape.Fields, v.Image
		for _, f := range v.Fields {
			table.place(f)
		}
	}
	b = appendHead(b, majorArray, importedParts)
	b = appendHead(b, majorUint, uint64(v.Flags&versionFlags))
	b = appendHead(b, majorArray, uint64(len(fields)))
	for _, f := range fields {
		b = appendString(b, Text, []byte(f))
	}
	b = appendDot(b, v.Dot)
	b = appendHead(b, majorUint, uint64(v.Stamp))
	b = appendDot(b, v.Birth)
	b = appendHead(b, majorArray, uint64(2*len(table.writes)-2))
	for _, w := range table.writes[1:] {
		b = appendOrigin(b, w.Origin)
		b = appendHead(b, majorUint, uint64(w.Stamp))
	}
	if len(table.writes) == 1 {
		b = appendHead(b, majorArray, 0)
	} else {
		b = appendHead(b, majorArray, uint64(len(v.Fields)))
		for _, f := range v.Fields {
			place, _ := table.place(f)
			b = appendHead(b, majorUint, uint64(place))
		}
	}
	b = appendHead(b, majorArray, uint64(2*len(v.Seen)))
	for _, s := range v.Seen {
		b = appendOrigin(b, s.Origin)
		b = appendHead(b, majorUint, uint64(s.Stamp))
	}
	return appendBytes(b, image)
}

func appendDot(b []byte, d causal.Dot) []byte {
	return appendHead(appendOrigin(b, d.Origin), majorUint, d.Seq)
}

// imported reads what appendImported wrote.
func (r *cborReader) imported(table string) (v Version) {
	if r.array("version") != importedParts {
		r.fail("version")
	}
	flags := r.uint("flags")
	if flags > uint64(versionFlags) {
		r.fail("flags")
	}
	v.Flags = Flags(flags)
	fields := make([]string, 0, 8)
	for range r.array("shape") {
		fields = append(fields, r.text("field"))
		if r.failed != "" {
			return v
		}
	}
	v.Dot = causal.Dot{Origin: r.origin("dot"), Seq: r.uint("dot")}
	v.Stamp = causal.Stamp(r.uint("stamp"))
	v.Birth = causal.Dot{Origin: r.origin("birth"), Seq: r.uint("birth")}
	v.Fields = r.writes(FieldStamp{v.Stamp, v.Dot.Origin}, len(fields))
	v.Seen = r.stamps("seen")
	image := Image(r.bytes("image"))
	if r.failed != "" {
		return v
	}
	if v.Flags&Bury != 0 {
		if len(fields) > 0 || len(image) > 0 {
			r.fail("bury with an image")
		}
		return v
	}
	v.Shape, v.Image = &Shape{Table: table, Fields: fields}, image
	if v.Shape.check() != nil || image.Check() != nil {
		r.fail("image")
	}
	return v
}

// writes reads the distinct writes and the place of each of count fields among them; none
// at all says that every field was written by own.
func (r *cborReader) writes(own FieldStamp, count int) []FieldStamp {
	table := new(writeTable)
	table.reset(own)
	for _, s := range r.stamps("writes") {
		if _, known := table.place(FieldStamp{s.Stamp, s.Origin}); known {
			r.fail("writes")
		}
	}
	places := r.array("fields")
	if len(table.writes) == 1 {
		count = 0
	}
	if places != count {
		r.fail("fields")
		return nil
	}
	var fields []FieldStamp
	next := uint64(1)
	for range places {
		place := r.uint("field")
		if place > next || place >= uint64(len(table.writes)) {
			r.fail("field")
		}
		if r.failed != "" {
			return nil
		}
		if place == next {
			next++
		}
		fields = append(fields, table.writes[place])
	}
	if next != uint64(len(table.writes)) {
		r.fail("writes")
	}
	return fields
}

// stamps reads a flat array of origins and stamps.
func (r *cborReader) stamps(what string) []Seen {
	n := r.array(what)
	if n%2 != 0 {
		r.fail(what)
	}
	var all []Seen
	for range n / 2 {
		s := Seen{Origin: r.origin(what), Stamp: causal.Stamp(r.uint(what))}
		if r.failed != "" {
			return nil
		}
		all = append(all, s)
	}
	return all
}
