package config

import (
	"fmt"
	"os"
	"regexp"
	"testing"
)

// The table of the operations guide has every setting with its default.
var documented = regexp.MustCompile("(?m)^\\| `([a-z_.]+)` \\| (?:`([^`]*)`)? ?\\| .+ \\|$")

func TestTheOperationsGuideHasEverySettingWithItsDefault(t *testing.T) {
	guide, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]string{}
	for _, row := range documented.FindAllStringSubmatch(string(guide), -1) {
		told[row[1]] = row[2]
	}
	for key, value := range defaults {
		want := fmt.Sprint(value)
		if key == jobsKey {
			want = ""
		}
		if got, ok := told[key]; !ok || got != want {
			t.Errorf("%s is told as %q (%v), its default is %q", key, got, ok, want)
		}
	}
	for key := range told {
		if _, ok := defaults[key]; !ok {
			t.Errorf("%s is no setting", key)
		}
	}
}
