package main

import (
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

var quickstart = regexp.MustCompile("(?s)## Sixty seconds\n.*?```sh\n(.*?)```")

// The lines that the README promises are run as they stand there.
func TestReadmeQuickstart(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no sh")
	}
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	found := quickstart.FindSubmatch(readme)
	if found == nil {
		t.Fatal(`README.md has no sh block under "## Sixty seconds"`)
	}
	w := newWorld(t)
	var script strings.Builder
	for line := range strings.Lines(string(found[1])) {
		command, comment, _ := strings.Cut(strings.TrimRight(line, "\n"), "#")
		command = strings.TrimSpace(command)
		if command == "" || strings.HasPrefix(command, "go install") || strings.Contains(command, "--watch") {
			continue
		}
		want := "0"
		if m := regexp.MustCompile(`exit (\d+)`).FindStringSubmatch(comment); m != nil {
			want = m[1]
		}
		script.WriteString(command + "\ncode=$?; if [ $code != " + want + " ]; then echo 'exit' $code, want " + want + ": " + shellQuote(command) + "; exit 99; fi\n")
	}
	if err := os.MkdirAll(w.path("bin"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(binary, w.path("bin/syncline")); err != nil {
		t.Fatal(err)
	}
	w.env = append(w.env, "PATH="+w.path("bin")+":"+os.Getenv("PATH"))
	cmd := exec.Command("sh", "-c", script.String())
	cmd.Dir, cmd.Env = w.dir, w.env
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s\nthe script was\n%s", err, out, script.String())
	}
}

func shellQuote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
