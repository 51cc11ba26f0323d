package rpc

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"cloud.google.com/go/civil"

	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/ledger"
	accountsv1 "fundledger/proto/gen/fundledger/accounts/v1"
)

// accountsService serves the rules.
type accountsService struct {
	journal *ledger.Journal
	book    *accounts.Rulebook
	store   accounts.Store
}

// page takes a page of the rows that are wanted and tells them. The token is
// how many of all rows were looked at: rules are read once and stay in order.
func page[T, M any](rows []T, size int32, token string, wanted func(*T) bool, tell func(*T) M) (told []M, next string, err error) {
	from := 0
	if token != "" {
		if from, err = strconv.Atoi(token); err != nil || from < 0 || from > len(rows) {
			return nil, "", fault.New(fault.Invalid, "page token %q was not given out by this list", token).With("field", "page_token")
		}
	}
	for i := from; i < len(rows); i++ {
		if !wanted(&rows[i]) {
			continue
		}
		if len(told) == pageSize(size) {
			return told, strconv.Itoa(i), nil
		}
		told = append(told, tell(&rows[i]))
	}
	return told, "", nil
}

// holding selects the rows that hold on the day of the text; all when it is empty.
func holding(on string) (func(accounts.Effective) bool, error) {
	var r reader
	day := r.date("on", on)
	return func(e accounts.Effective) bool { return day.IsZero() || e.On(day) }, r.err
}

func effectiveOf(e accounts.Effective) *accountsv1.Effective {
	return &accountsv1.Effective{From: e.From.String(), To: dateText(e.To), Source: e.Source}
}

func dateText(d civil.Date) string {
	if d.IsZero() {
		return ""
	}
	return d.String()
}

// under tells whether a code is the heading or stands under it.
func under(code, heading string) bool {
	return heading == "" || code == heading || strings.HasPrefix(code, heading+".")
}

var regionKinds = map[accounts.RegionKind]accountsv1.RegionKind{
	accounts.City: accountsv1.RegionKind_REGION_KIND_CITY, accounts.Province: accountsv1.RegionKind_REGION_KIND_PROVINCE,
	accounts.Counterparty: accountsv1.RegionKind_REGION_KIND_COUNTERPARTY,
}

var institutionRoles = map[accounts.Role]accountsv1.InstitutionRole{
	accounts.Agency: accountsv1.InstitutionRole_INSTITUTION_ROLE_AGENCY, accounts.Finance: accountsv1.InstitutionRole_INSTITUTION_ROLE_FINANCE,
}

var layers = map[accounts.Layer]accountsv1.Layer{
	accounts.Cash: accountsv1.Layer_LAYER_CASH, accounts.Obligation: accountsv1.Layer_LAYER_OBLIGATION,
}

var dayKinds = map[accounts.DayKind]accountsv1.DayKind{
	accounts.Holiday: accountsv1.DayKind_DAY_KIND_HOLIDAY, accounts.Workday: accountsv1.DayKind_DAY_KIND_WORKDAY,
}

func (s *accountsService) ListRegions(_ context.Context, q *accountsv1.ListRegionsRequest) (*accountsv1.ListRegionsResponse, error) {
	told, next, err := page(s.book.Regions, q.GetPageSize(), q.GetPageToken(), func(r *accounts.Region) bool {
		return q.GetKind() == 0 || regionKinds[r.Kind] == q.GetKind()
	}, func(r *accounts.Region) *accountsv1.Region {
		return &accountsv1.Region{Code: r.Code, Name: r.Name, Kind: regionKinds[r.Kind]}
	})
	return &accountsv1.ListRegionsResponse{Regions: told, NextPageToken: next}, err
}

func (s *accountsService) ListInstitutions(ctx context.Context, q *accountsv1.ListInstitutionsRequest) (*accountsv1.ListInstitutionsResponse, error) {
	books := s.book.Regions.Books()
	slices.Sort(books)
	told, next, err := page(books, q.GetPageSize(), q.GetPageToken(), func(b *accounts.Book) bool {
		return (q.GetRegion() == "" || b.Region() == q.GetRegion()) && (q.GetRole() == 0 || institutionRoles[b.Role()] == q.GetRole())
	}, func(b *accounts.Book) *accountsv1.Institution {
		region, _ := s.book.Regions.Find(b.Region())
		return &accountsv1.Institution{Book: string(*b), Region: region.Code, RegionName: region.Name, Role: institutionRoles[b.Role()]}
	})
	for _, institution := range told {
		events, err := s.journal.PeriodHistory(ctx, accounts.Book(institution.GetBook()))
		if err != nil {
			return nil, err
		}
		if len(events) > 0 { // the first change of a book is its opening
			institution.FirstPeriod = string(events[0].Month)
		}
	}
	return &accountsv1.ListInstitutionsResponse{Institutions: told, NextPageToken: next}, err
}

func (s *accountsService) ListFunds(_ context.Context, q *accountsv1.ListFundsRequest) (*accountsv1.ListFundsResponse, error) {
	holds, err := holding(q.GetOn())
	if err != nil {
		return nil, err
	}
	told, next, err := page(s.book.Funds, q.GetPageSize(), q.GetPageToken(), func(f *accounts.Fund) bool {
		return holds(f.Effective)
	}, func(f *accounts.Fund) *accountsv1.Fund {
		return &accountsv1.Fund{Code: f.Code, Name: f.Name, Field: f.Field, Effective: effectiveOf(f.Effective)}
	})
	return &accountsv1.ListFundsResponse{Funds: told, NextPageToken: next}, err
}

func (s *accountsService) ListSubjects(_ context.Context, q *accountsv1.ListSubjectsRequest) (*accountsv1.ListSubjectsResponse, error) {
	holds, err := holding(q.GetOn())
	if err != nil {
		return nil, err
	}
	told, next, err := page(s.book.Chart.Subjects(), q.GetPageSize(), q.GetPageToken(), func(c *accounts.Subject) bool {
		return holds(c.Effective) && (q.GetRole() == 0 || institutionRoles[c.Role] == q.GetRole()) && under(c.Code, q.GetSubject())
	}, func(c *accounts.Subject) *accountsv1.Subject {
		return &accountsv1.Subject{
			Role: institutionRoles[c.Role], Code: c.Code, Name: c.Name, Layer: layers[c.Layer], Normal: sides[c.Normal], Postable: c.Postable,
			Counterparty: c.Counterparty, Floor: c.Floor, Group: c.Group, GroupByCounterparty: c.GroupByCounterparty, Effective: effectiveOf(c.Effective),
		}
	})
	return &accountsv1.ListSubjectsResponse{Subjects: told, NextPageToken: next}, err
}

func (s *accountsService) ListPostingRules(_ context.Context, q *accountsv1.ListPostingRulesRequest) (*accountsv1.ListPostingRulesResponse, error) {
	holds, err := holding(q.GetOn())
	if err != nil {
		return nil, err
	}
	told, next, err := page(s.book.Postings.Rules(), q.GetPageSize(), q.GetPageToken(), func(r *accounts.PostingRule) bool {
		return holds(r.Effective) && (q.GetEvent() == "" || r.Event == q.GetEvent())
	}, func(r *accounts.PostingRule) *accountsv1.PostingRule {
		return &accountsv1.PostingRule{
			Event: r.Event, Title: r.Title, Step: int32(r.Step), Region: r.Region, Role: institutionRoles[r.Role], Side: sides[r.Side], Red: r.Red,
			Subject: r.Subject, Counterparty: r.Counterparty, Amount: r.Amount, Detail: r.Detail, Effective: effectiveOf(r.Effective),
		}
	})
	return &accountsv1.ListPostingRulesResponse{PostingRules: told, NextPageToken: next}, err
}

func (s *accountsService) ListParameters(_ context.Context, q *accountsv1.ListParametersRequest) (*accountsv1.ListParametersResponse, error) {
	holds, err := holding(q.GetOn())
	if err != nil {
		return nil, err
	}
	told, next, err := page(s.book.Policy, q.GetPageSize(), q.GetPageToken(), func(p *accounts.Parameter) bool {
		return holds(p.Effective) && under(p.Key, q.GetKey())
	}, func(p *accounts.Parameter) *accountsv1.Parameter {
		return &accountsv1.Parameter{Key: p.Key, Value: p.Value, Unit: p.Unit, Title: p.Title, Effective: effectiveOf(p.Effective)}
	})
	return &accountsv1.ListParametersResponse{Parameters: told, NextPageToken: next}, err
}

func (s *accountsService) ListCalendarDays(_ context.Context, q *accountsv1.ListCalendarDaysRequest) (*accountsv1.ListCalendarDaysResponse, error) {
	told, next, err := page(s.book.Calendar.Days(), q.GetPageSize(), q.GetPageToken(), func(d *accounts.CalendarDay) bool {
		return q.GetYear() == 0 || d.Date.Year == int(q.GetYear())
	}, func(d *accounts.CalendarDay) *accountsv1.CalendarDay {
		return &accountsv1.CalendarDay{Date: d.Date.String(), Kind: dayKinds[d.Kind], Name: d.Name, Source: d.Source}
	})
	return &accountsv1.ListCalendarDaysResponse{Days: told, NextPageToken: next}, err
}

func (s *accountsService) ListCodes(_ context.Context, q *accountsv1.ListCodesRequest) (*accountsv1.ListCodesResponse, error) {
	holds, err := holding(q.GetOn())
	if err != nil {
		return nil, err
	}
	told, next, err := page(s.book.Codes, q.GetPageSize(), q.GetPageToken(), func(c *accounts.Code) bool {
		return holds(c.Effective) && (q.GetList() == "" || string(c.List) == q.GetList())
	}, func(c *accounts.Code) *accountsv1.Code {
		return &accountsv1.Code{List: string(c.List), Code: c.Code, Name: c.Name, Expense: c.Expense, Effective: effectiveOf(c.Effective)}
	})
	return &accountsv1.ListCodesResponse{Codes: told, NextPageToken: next}, err
}
