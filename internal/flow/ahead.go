package flow

import (
	"github.com/syncline-io/syncline/endpoint"
	"github.com/syncline-io/syncline/record"
)

// Rows are read ahead in blocks of about this many bytes or rows, two blocks in all, by
// one goroutine per scan: reading is half of the work of comparing.
const (
	blockBytes = 256 << 10
	blockRows  = 1024
)

// ahead is a scan that reads ahead. It must be closed.
type ahead struct {
	full  chan *block
	empty chan *block
	quit  chan struct{}
	done  chan struct{}
	now   *block
	at    int
}

// block holds copies of some rows.
type block struct {
	bytes []byte
	ends  []int // of the key and of the image of each row, in turn
	err   error // that ended the scan after these rows
	last  bool
}

// readAhead takes over rows, and closes them.
func readAhead(rows endpoint.Rows) *ahead {
	a := &ahead{
		full: make(chan *block, 1), empty: make(chan *block, 2),
		quit: make(chan struct{}), done: make(chan struct{}),
	}
	a.empty <- new(block)
	a.empty <- new(block)
	go a.read(rows)
	return a
}

func (a *ahead) read(rows endpoint.Rows) {
	defer close(a.done)
	defer rows.Close()
	for {
		var b *block
		select {
		case b = <-a.empty:
		case <-a.quit:
			return
		}
		b.fill(rows)
		select {
		case a.full <- b:
		case <-a.quit:
			return
		}
		if b.last {
			return
		}
	}
}

func (b *block) fill(rows endpoint.Rows) {
	if cap(b.bytes) > 4*blockBytes {
		b.bytes = nil // a large row is not kept for the small ones after it
	}
	b.bytes, b.ends = b.bytes[:0], b.ends[:0]
	for len(b.bytes) < blockBytes && len(b.ends) < 2*blockRows {
		if !rows.Next() {
			b.err, b.last = rows.Err(), true
			return
		}
		b.bytes = append(b.bytes, rows.Key()...)
		b.ends = append(b.ends, len(b.bytes))
		b.bytes = append(b.bytes, rows.Image()...)
		b.ends = append(b.ends, len(b.bytes))
	}
}

// next steps to the next row. The row before is no longer valid.
func (a *ahead) next() bool {
	if a.now != nil {
		if a.at += 2; a.at < len(a.now.ends) {
			return true
		}
		if a.now.last {
			return false
		}
		a.empty <- a.now
	}
	for {
		a.now, a.at = <-a.full, 0
		if len(a.now.ends) > 0 {
			return true
		}
		if a.now.last {
			return false
		}
		a.empty <- a.now
	}
}

func (a *ahead) key() record.Key {
	start := 0
	if a.at > 0 {
		start = a.now.ends[a.at-1]
	}
	return record.Key(a.now.bytes[start:a.now.ends[a.at]])
}

func (a *ahead) image() record.Image {
	return record.Image(a.now.bytes[a.now.ends[a.at]:a.now.ends[a.at+1]:a.now.ends[a.at+1]])
}

func (a *ahead) err() error {
	if a.now == nil {
		return nil
	}
	return a.now.err
}

// close stops reading and waits for it.
func (a *ahead) close() {
	close(a.quit)
	<-a.done
}
