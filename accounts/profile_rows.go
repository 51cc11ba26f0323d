package accounts

// The columns of the profile files and how a line of each is read.

var (
	regionColumns    = []string{"code", "name", "kind"}
	fundColumns      = effectiveColumns("code", "name", "field")
	subjectColumns   = effectiveColumns("role", "code", "name", "layer", "normal", "postable", "counterparty", "floor", "group", "group_by_counterparty")
	postingColumns   = effectiveColumns("event", "title", "step", "region", "role", "side", "red", "subject", "counterparty", "amount", "detail")
	parameterColumns = effectiveColumns("key", "value", "unit", "title")
	calendarColumns  = []string{"date", "kind", "name", "source"}
	codeColumns      = effectiveColumns("list", "code", "name", "expense")
	accessColumns    = effectiveColumns("action", "roles", "title")
	statementColumns = effectiveColumns("statement", "role", "fund", "line", "title", "section", "subjects", "formula")
)

func effectiveColumns(columns ...string) []string { return append(columns, "from", "to", "source") }

func parseRegion(r *sheetRow) Region {
	region := Region{Code: r.text("code"), Name: r.text("name"),
		Kind: RegionKind(r.oneOf("kind", string(City), string(Province), string(Counterparty)))}
	if len(region.Code) != 6 || !isDigits(region.Code) {
		r.fail("code", "%q is not a 行政区划 code of six digits", region.Code)
	}
	return region
}

func parseFund(r *sheetRow) Fund {
	return Fund{Code: r.text("code"), Name: r.text("name"), Field: r.text("field"), Effective: r.effective()}
}

func parseSubject(r *sheetRow) Subject {
	s := Subject{
		Role: r.role(), Code: r.text("code"), Name: r.text("name"),
		Layer: Layer(r.oneOf("layer", string(Cash), string(Obligation))), Normal: r.side("normal"),
		Postable: r.flag("postable"), Counterparty: r.oneOf("counterparty", "", "region", "provider"),
		Floor: r.flag("floor"), Group: r.optional("group"), GroupByCounterparty: r.flag("group_by_counterparty"),
		Effective: r.effective(),
	}
	if field, reason := s.contradiction(); reason != "" {
		r.fail(field, "%s", reason)
	}
	return s
}

// newPostingParser reads the lines of the posting table: an empty title, from,
// to or source stands for that of the event's first line.
func newPostingParser() func(*sheetRow) PostingRule {
	first := map[string]*sheetRow{}
	return func(r *sheetRow) PostingRule {
		event := r.text("event")
		if head := first[event]; head == nil {
			first[event] = r
		} else {
			for _, field := range []string{"title", "from", "to", "source"} {
				if r.fields[field] == "" {
					r.fields[field] = head.fields[field]
				}
			}
		}
		return PostingRule{
			Event: event, Title: r.text("title"), Step: r.number("step"),
			Region: r.oneOf("region", "I", "T", "P", "H"), Role: r.role(), Side: r.side("side"), Red: r.flag("red"),
			Subject: r.text("subject"), Counterparty: r.oneOf("counterparty", "", "I", "T", "P", "X", "provider", "part"),
			Amount: r.text("amount"), Detail: r.flag("detail"), Effective: r.effective(),
		}
	}
}

func parseParameter(r *sheetRow) Parameter {
	return Parameter{Key: r.text("key"), Value: r.text("value"), Unit: r.text("unit"), Title: r.text("title"), Effective: r.effective()}
}

func parseCalendarDay(r *sheetRow) CalendarDay {
	return CalendarDay{Date: r.date("date"), Kind: DayKind(r.oneOf("kind", string(Holiday), string(Workday))), Name: r.text("name"), Source: r.text("source")}
}

func parseCode(r *sheetRow) Code {
	return Code{
		List: CodeList(r.oneOf("list", string(InsuranceType), string(ClearingType), string(MedicalType), string(SettlementPart), string(SourceMark))),
		Code: r.text("code"), Name: r.text("name"), Expense: r.optional("expense"), Effective: r.effective(),
	}
}

func parseAccessRule(r *sheetRow) AccessRule {
	return AccessRule{Action: r.text("action"), Roles: RoleList(r.text("roles")), Title: r.text("title"), Effective: r.effective()}
}

func parseStatementLine(r *sheetRow) StatementLine {
	sections := make([]string, 0, len(Sections()))
	for _, s := range Sections() {
		sections = append(sections, string(s))
	}
	return StatementLine{
		Statement: StatementKind(r.oneOf("statement", string(BalanceSheet), string(IncomeStatement))), Role: r.role(), Fund: r.optional("fund"),
		Line: r.text("line"), Title: r.text("title"), Section: Section(r.oneOf("section", sections...)),
		Subjects: r.optional("subjects"), Formula: r.optional("formula"), Effective: r.effective(),
	}
}

func (r *sheetRow) role() Role { return Role(r.oneOf("role", string(Agency), string(Finance))) }

func (r *sheetRow) side(field string) Side {
	return Side(r.oneOf(field, string(Debit), string(Credit)))
}
