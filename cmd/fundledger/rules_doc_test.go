package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

var (
	quoted     = regexp.MustCompile("`([^`]+)`")
	definition = regexp.MustCompile(`(?m)^func (Test\w+)\(t \*testing\.T\)`)
)

// TestTheTableOfRulesNamesWhatThereIs: every article that moves money or sets a
// date has a row, and the packages, commands and tests of each row exist, the
// tests in one of its packages.
func TestTheTableOfRulesNamesWhatThereIs(t *testing.T) {
	text, err := os.ReadFile("../../docs/rules.md")
	if err != nil {
		t.Fatal(err)
	}
	articles := map[string]bool{}
	for _, line := range strings.Split(string(text), "\n") {
		cells := strings.Split(strings.Trim(line, "| "), "|")
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(cells[0], "article") || strings.HasPrefix(cells[0], "limit") {
			continue
		}
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		article, isLimit := strings.Split(cells[0], "(")[0], len(cells) == 3
		if !isLimit {
			articles[article] = true
			if strings.HasPrefix(cells[1], "no money, no date: left out; ") {
				continue
			}
		}
		packages, tests := cells[1], cells[2]
		if !isLimit {
			if len(cells) != 5 {
				t.Errorf("%s: %d columns", cells[0], len(cells))
				continue
			}
			packages, tests = cells[2], cells[4]
			if !hasCommands(t, cells[3]) {
				t.Errorf("%s names no command", cells[0])
			}
		}
		hasTests(t, cells[0], packages, tests)
	}
	for n := 29; n <= 56; n++ {
		if want := n <= 49 || n == 53 || n == 56; want != articles[strconv.Itoa(n)] {
			t.Errorf("article %d: in the table is %t, want %t", n, articles[strconv.Itoa(n)], want)
		}
	}
}

// hasCommands looks the commands of a cell up in the command line.
func hasCommands(t *testing.T, cell string) bool {
	t.Helper()
	parser, err := kong.New(&cli{})
	if err != nil {
		t.Fatal(err)
	}
	leaves := map[string]bool{}
	for _, leaf := range parser.Model.Leaves(false) {
		leaves[strings.TrimPrefix(leaf.FullPath(), parser.Model.Name+" ")] = true
	}
	names := quoted.FindAllStringSubmatch(cell, -1)
	for _, name := range names {
		if !leaves[name[1]] {
			t.Errorf("there is no command %q", name[1])
		}
	}
	return len(names) > 0
}

// hasTests looks for the tests in the files of the packages.
func hasTests(t *testing.T, row, packages, tests string) {
	t.Helper()
	defined := map[string]bool{}
	for _, name := range quoted.FindAllStringSubmatch(packages, -1) {
		files, err := filepath.Glob(filepath.Join("../..", name[1], "*.go"))
		if err != nil || len(files) == 0 {
			t.Errorf("%s: there is no package %s", row, name[1])
		}
		for _, file := range files {
			if !strings.HasSuffix(file, "_test.go") {
				continue
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, test := range definition.FindAllStringSubmatch(string(text), -1) {
				defined[test[1]] = true
			}
		}
	}
	names := quoted.FindAllStringSubmatch(tests, -1)
	if len(names) == 0 {
		t.Errorf("%s names no test", row)
	}
	for _, name := range names {
		if !defined[name[1]] {
			t.Errorf("%s: its packages have no test %s", row, name[1])
		}
	}
}
