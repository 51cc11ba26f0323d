package accounts

import (
	"cmp"
	"embed"
	"io/fs"
	"path"
	"slices"
	"strings"

	"fundledger/internal/fault"
)

//go:embed profiles
var profiles embed.FS

// Profile reads the rules of a deployment from the profile of the name that
// comes with the program, without a database. Errors: NotFound for a name
// without profile, Invalid with file, line and field for a mistake in its data.
func Profile(name string) (*Rulebook, error) {
	names := Profiles()
	if !slices.Contains(names, name) {
		return nil, fault.New(fault.NotFound, "there is no profile %q: choose one of %s", name, strings.Join(names, ", "))
	}
	files, err := fs.Sub(profiles, path.Join("profiles", name))
	if err != nil {
		return nil, err
	}
	return readProfile(name, files)
}

// Profiles lists the profiles that come with the program.
func Profiles() []string {
	entries, err := profiles.ReadDir("profiles")
	if err != nil {
		panic(err) // embedded
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// rows are the data of a rulebook as lists, the form of files and tables.
type rows struct {
	regions    []Region
	funds      []Fund
	subjects   []Subject
	postings   []PostingRule
	policy     []Parameter
	calendar   []CalendarDay
	codes      []Code
	access     []AccessRule
	statements []StatementLine
}

func readProfile(name string, files fs.FS) (*Rulebook, error) {
	r := &rows{}
	var err error
	if r.regions, err = readFile(files, "regions.tsv", regionColumns, parseRegion); err != nil {
		return nil, err
	}
	if r.funds, err = readFile(files, "funds.tsv", fundColumns, parseFund); err != nil {
		return nil, err
	}
	if r.subjects, err = readFile(files, "chart.tsv", subjectColumns, parseSubject); err != nil {
		return nil, err
	}
	if r.postings, err = readFile(files, "postings.tsv", postingColumns, newPostingParser()); err != nil {
		return nil, err
	}
	if r.policy, err = readFile(files, "policy.tsv", parameterColumns, parseParameter); err != nil {
		return nil, err
	}
	if r.calendar, err = readFile(files, "calendar.tsv", calendarColumns, parseCalendarDay); err != nil {
		return nil, err
	}
	if r.codes, err = readFile(files, "codes.tsv", codeColumns, parseCode); err != nil {
		return nil, err
	}
	if r.access, err = readFile(files, "access.tsv", accessColumns, parseAccessRule); err != nil {
		return nil, err
	}
	if r.statements, err = readFile(files, "statements.tsv", statementColumns, parseStatementLine); err != nil {
		return nil, err
	}
	return r.rulebook(name)
}

func readFile[T any](files fs.FS, name string, columns []string, parse func(*sheetRow) T) ([]T, error) {
	file, err := files.Open(name)
	if err != nil {
		return nil, fault.New(fault.NotFound, "the profile lacks %s: %w", name, err)
	}
	defer file.Close()
	return readSheet(name, file, columns, parse)
}

// rulebook puts the rows in their order and checks that they fit each other.
func (r *rows) rulebook(profile string) (*Rulebook, error) {
	slices.SortFunc(r.regions, func(a, b Region) int { return cmp.Compare(a.Code, b.Code) })
	slices.SortFunc(r.funds, func(a, b Fund) int { return cmp.Or(cmp.Compare(a.Code, b.Code), compareFrom(a.Effective, b.Effective)) })
	slices.SortFunc(r.subjects, func(a, b Subject) int {
		return cmp.Or(cmp.Compare(a.Role, b.Role), cmp.Compare(a.Code, b.Code), compareFrom(a.Effective, b.Effective))
	})
	slices.SortFunc(r.calendar, func(a, b CalendarDay) int { return a.Date.Compare(b.Date) })
	slices.SortFunc(r.codes, func(a, b Code) int {
		return cmp.Or(cmp.Compare(a.List, b.List), cmp.Compare(a.Code, b.Code), compareFrom(a.Effective, b.Effective))
	})
	book := &Rulebook{
		Profile: profile, Regions: r.regions, Funds: r.funds, Chart: NewChart(r.subjects),
		Postings: NewPostingTable(r.postings), Policy: r.policy, Calendar: NewCalendar(r.calendar), Codes: r.codes,
		Access: r.access, Statements: r.statements,
	}
	if err := book.check(); err != nil {
		return nil, err
	}
	return book, nil
}

func compareFrom(a, b Effective) int { return a.From.Compare(b.From) }
