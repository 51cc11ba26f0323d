package proto_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const accessTable = "../accounts/profiles/jiangsu/access.tsv"

// readAccess reads the roles of each action.
func readAccess(t *testing.T) map[string][]string {
	t.Helper()
	content, err := os.ReadFile(accessTable)
	if err != nil {
		t.Fatal(err)
	}
	roles := map[string][]string{}
	header := true
	for line := range strings.Lines(string(content)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		cells := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if header {
			if header = false; !slices.Equal(cells, []string{"action", "roles", "title", "from", "to", "source"}) {
				t.Fatalf("%s has the columns %q", accessTable, cells)
			}
			continue
		}
		if len(cells) != 6 || cells[0] == "" || cells[1] == "" {
			t.Fatalf("%s: a row that is not whole: %q", accessTable, line)
		}
		if cells[4] == "" { // the roles of today; accounts checks that only one row of an action holds
			roles[cells[0]] = strings.Split(cells[1], ",")
		}
	}
	return roles
}

func TestEveryActionHasRolesAndEveryRoleIsKnown(t *testing.T) {
	used := map[string]bool{}
	table := readAccess(t)
	for _, m := range methods() {
		action := access(m).GetAction()
		used[action] = true
		if table[action] == nil {
			t.Errorf("%s: nobody may do %q by the table", m.FullName(), action)
		}
	}
	for action, roles := range table {
		if !used[action] {
			t.Errorf("no method has the action %q of the table", action)
		}
		for _, role := range roles {
			if !slices.Contains([]string{"viewer", "operator", "approver", "auditor", "admin"}, role) {
				t.Errorf("%s: there is no role %q", action, role)
			}
		}
	}
}

var rolesComment = regexp.MustCompile(`(?s)// Errors: [^\n]+\n(?:  // [^\n]+\n)*?  // Roles: ([a-z, ]+) \(([a-z_.]+)\)\.\n  rpc (\w+)\(.*?action: "([a-z_.]+)"`)

// TestCommentsTellTheRolesOfTheTable: what people read in the contracts is what
// the server enforces.
func TestCommentsTellTheRolesOfTheTable(t *testing.T) {
	table := readAccess(t)
	told := 0
	err := filepath.WalkDir("fundledger", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_service.proto") {
			return err
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, m := range rolesComment.FindAllStringSubmatch(string(source), -1) {
			told++
			if m[2] != m[4] || strings.ReplaceAll(m[1], ", ", ",") != strings.Join(table[m[2]], ",") {
				t.Errorf("%s: the comment of %s names %s (%s), the action is %s, the table has %q", path, m[3], m[1], m[2], m[4], table[m[4]])
			}
		}
		return nil
	})
	if err != nil || told != len(methods()) {
		t.Errorf("comments of %d methods tell errors and roles, there are %d methods: %v", told, len(methods()), err)
	}
}
