package syncline

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
)

func TestPercent(t *testing.T) {
	for share, want := range map[float64]string{
		0: "0%", 0.1: "10%", 0.11: "11%", 0.15: "15%", 0.29: "29%", 0.57: "57%", 1: "100%",
		0.611: "61.1%", 0.6111: "61.2%", 1e-7: "0.1%", 2.0 / 3: "66.7%",
	} {
		if got := percent(share); got != want {
			t.Errorf("percent(%v) = %s, want %s", share, got, want)
		}
	}
}

// The limit that a refusal names would have been enough.
func TestPercentIsEnough(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	for range 10_000 {
		rows := rng.Int64N(1_000_000) + MaxDeleteFrom
		deletes := rng.Int64N(rows) + 1
		text := percent(float64(deletes) / float64(rows))
		limit, err := strconv.ParseFloat(strings.TrimSuffix(text, "%"), 64)
		if err != nil {
			t.Fatal(err)
		}
		o := Options{MaxDelete: min(limit/100, 1)}
		if o.tooMany(deletes, rows) {
			t.Fatalf("%d of %d: %s is not enough", deletes, rows, text)
		}
	}
}
