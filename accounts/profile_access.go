package accounts

import (
	"path"
	"strings"

	"fundledger/internal/fault"
)

// ProfileAccess reads which roles may do which action from the profile of the
// name that comes with the program. Errors as of Profile.
func ProfileAccess(name string) (map[string][]string, error) {
	file := path.Join("profiles", name, "access.tsv")
	in, err := profiles.Open(file)
	if err != nil {
		return nil, fault.New(fault.NotFound, "there is no profile %q", name)
	}
	defer in.Close()
	type row struct{ action, roles string }
	rows, err := readSheet(file, in, []string{"action", "roles", "title", "source"}, func(r *sheetRow) row {
		return row{r.text("action"), r.text("roles")}
	})
	access := make(map[string][]string, len(rows))
	for _, r := range rows {
		access[r.action] = strings.Split(r.roles, ",")
	}
	return access, err
}
