module github.com/syncline-io/syncline

go 1.26.8

require (
	github.com/fxamacker/cbor/v2 v2.9.6
	pgregory.net/rapid v1.3.0
)

require github.com/x448/float16 v0.8.4 // indirect
