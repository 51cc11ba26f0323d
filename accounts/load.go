package accounts

import (
	"context"
	"strings"
	"time"

	"cloud.google.com/go/civil"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"fundledger/accounts/internal/db"
	"fundledger/internal/fault"
)

// Load reads all rules of the deployment. A database that was not set up is a
// Precondition error, rows that do not fit each other an Invalid one.
func Load(ctx context.Context, store Store) (*Rulebook, error) {
	var stored *rows
	var profile string
	var version int64
	err := store.Snapshot(ctx, func(tx pgx.Tx) (err error) {
		q := db.New(tx)
		if profile, err = storedProfile(ctx, q); err != nil {
			return err
		}
		if version, err = q.RulesVersion(ctx); err != nil {
			return err
		}
		stored, err = readRows(ctx, q)
		return err
	})
	if err != nil {
		return nil, err
	}
	if profile == "" {
		return nil, fault.New(fault.Precondition, "the database has no rules yet: run fundledger setup")
	}
	book, err := stored.rulebook(profile)
	if err != nil {
		return nil, err
	}
	book.Version = version
	return book, nil
}

// RulesVersion returns the version that the rules in the database have now, 0
// before they were ever set up. It is one cheap read: a server that looks once a
// second and, when its rulebook is of another version, loads it anew, renews its
// journal with it and makes its desks of it, has taken a change up long before
// the change holds.
func RulesVersion(ctx context.Context, store Store) (version int64, err error) {
	err = store.Read(ctx, func(r Reader) (err error) {
		version, err = db.New(r).RulesVersion(ctx)
		return err
	})
	return version, err
}

// storedProfile returns what the deployment was set up from, or "".
func storedProfile(ctx context.Context, q *db.Queries) (string, error) {
	names, err := q.ListProfiles(ctx)
	if err != nil || len(names) == 0 {
		return "", err
	}
	if len(names) > 1 {
		return "", fault.New(fault.Internal, "the books name several profiles: %s", strings.Join(names, ", "))
	}
	return names[0], nil
}

func readRows(ctx context.Context, q *db.Queries) (*rows, error) {
	r := &rows{}
	regions, err := q.ListRegions(ctx)
	if err != nil {
		return nil, err
	}
	for _, x := range regions {
		r.regions = append(r.regions, Region{x.Code, x.Name, RegionKind(x.Kind)})
	}
	funds, err := q.ListFunds(ctx)
	if err != nil {
		return nil, err
	}
	for _, x := range funds {
		r.funds = append(r.funds, Fund{x.Code, x.Name, x.Field, stretch(x.ValidFrom, x.ValidTo, x.Source)})
	}
	subjects, err := q.ListSubjects(ctx)
	if err != nil {
		return nil, err
	}
	for _, x := range subjects {
		r.subjects = append(r.subjects, Subject{
			Role: Role(x.Role), Code: x.Code, Name: x.Name, Layer: Layer(x.Layer), Normal: Side(x.Normal), Postable: x.Postable,
			Counterparty: x.Counterparty, Floor: x.Floor, Group: x.GroupName, GroupByCounterparty: x.GroupByCounterparty,
			Effective: stretch(x.ValidFrom, x.ValidTo, x.Source),
		})
	}
	rules, err := q.ListPostingRules(ctx)
	if err != nil {
		return nil, err
	}
	for _, x := range rules {
		r.postings = append(r.postings, PostingRule{
			Event: x.Event, Title: x.Title, Step: int(x.Step), Region: x.Region, Role: Role(x.Role), Side: Side(x.Side), Red: x.Red,
			Subject: x.Subject, Counterparty: x.Counterparty, Amount: x.Amount, Detail: x.Detail,
			Effective: stretch(x.ValidFrom, x.ValidTo, x.Source),
		})
	}
	return r, readPolicyRows(ctx, q, r)
}

func readPolicyRows(ctx context.Context, q *db.Queries, r *rows) error {
	policy, err := q.ListPolicy(ctx)
	if err != nil {
		return err
	}
	for _, x := range policy {
		r.policy = append(r.policy, Parameter{x.Key, x.Value, x.Unit, x.Title, stretch(x.ValidFrom, x.ValidTo, x.Source)})
	}
	days, err := q.ListCalendarDays(ctx)
	if err != nil {
		return err
	}
	for _, x := range days {
		r.calendar = append(r.calendar, CalendarDay{civil.DateOf(x.Day), DayKind(x.Kind), x.Name, x.Source})
	}
	codes, err := q.ListCodes(ctx)
	if err != nil {
		return err
	}
	for _, x := range codes {
		r.codes = append(r.codes, Code{CodeList(x.List), x.Code, x.Name, x.Expense, stretch(x.ValidFrom, x.ValidTo, x.Source)})
	}
	access, err := q.ListAccessRules(ctx)
	if err != nil {
		return err
	}
	for _, x := range access {
		r.access = append(r.access, AccessRule{x.Action, RoleList(x.Roles), x.Title, stretch(x.ValidFrom, x.ValidTo, x.Source)})
	}
	lines, err := q.ListStatementLines(ctx)
	if err != nil {
		return err
	}
	for _, x := range lines {
		r.statements = append(r.statements, StatementLine{
			StatementKind(x.Statement), Role(x.Role), x.Fund, x.Line, x.Title, Section(x.Section), x.Subjects, x.Formula,
			stretch(x.ValidFrom, x.ValidTo, x.Source),
		})
	}
	return nil
}

func stretch(from time.Time, to pgtype.Date, source string) Effective {
	e := Effective{From: civil.DateOf(from), Source: source}
	if to.Valid {
		e.To = civil.DateOf(to.Time)
	}
	return e
}
