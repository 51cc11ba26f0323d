package year_test

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"cloud.google.com/go/civil"
	"pgregory.net/rapid"

	"fundledger/accounts"
	"fundledger/clearing"
	"fundledger/clearing/prepayment"
	"fundledger/internal/devdb"
	"fundledger/internal/fault"
	"fundledger/internal/postgres"
	"fundledger/ledger"
	"fundledger/settlement"
	"fundledger/settlement/provider"
	"fundledger/settlement/recovery"
)

const (
	nanjing, wuxi, suzhou = "320100", "320200", "320500"
	shanghai, anhui       = "310000", "340000"
)

var people = []string{"auditor", "clerk", "head"}

// world is three cities and two other provinces, on which anybody does anything.
type world struct {
	t           *testing.T
	r           *rapid.T
	db          *postgres.DB
	book        *accounts.Rulebook
	journal     *ledger.Journal
	settlements *settlement.Settlements
	clearing    *clearing.Clearing
	prepayments *prepayment.Prepayments
	recovery    *recovery.Recovery
	desk        *provider.Desk

	month          accounts.Month // of settlements that come now
	bills, refunds map[string]entered
	count, refused int
	done           map[string]int // steps that were not refused, by name
}

// entered is a settlement as all sides have it: its hifp_pay in fund 310.
type entered struct {
	insured, treating string
	amount            accounts.Fen
}

func openWorld(t *testing.T, r *rapid.T) *world {
	book, err := accounts.Profile("jiangsu")
	if err != nil {
		t.Fatal(err)
	}
	db := devdb.Test(t)
	j := ledger.New(db, book)
	c := clearing.New(db, j, book)
	w := &world{t: t, r: r, db: db, book: book, journal: j, settlements: settlement.New(db, j, book), clearing: c, prepayments: prepayment.New(db, j, book),
		recovery: recovery.New(db, j, book, provider.PaidOf, c), desk: provider.New(db, j, book), month: "2025-01",
		bills: map[string]entered{}, refunds: map[string]entered{}, done: map[string]int{}}
	if _, err := j.OpenBooks(t.Context(), "2024-12", "setup", book.Regions.Books()...); err != nil {
		t.Fatal(err)
	}
	var openings strings.Builder
	openings.WriteString("#date 2024-12-31\nbook\tfund\tsubject\tcounterparty\tside\tamount\n")
	for _, city := range []string{nanjing, wuxi, suzhou} {
		fmt.Fprintf(&openings, "%[1]s.agency\t310\t1003\t\tD\t5000.00\n%[1]s.agency\t310\t3001.01\t\tC\t5000.00\n"+
			"%[1]s.finance\t310\t1001\t\tD\t5000.00\n%[1]s.finance\t310\t3001\t\tC\t5000.00\n", city)
	}
	lines, err := ledger.ReadOpenings(strings.NewReader(openings.String()), "openings")
	if err == nil {
		_, err = j.PostOpenings(t.Context(), lines)
	}
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) next(prefix string) string {
	w.count++
	return fmt.Sprint(prefix, w.count)
}

func (w *world) day(n int) civil.Date { return w.month.First().AddDays(n - 1) }

// fen draws an amount of at most the limit, or sometimes a fen more.
func (w *world) fen(limit accounts.Fen) accounts.Fen {
	if rapid.IntRange(0, 3).Draw(w.r, "all") == 0 {
		return max(limit, 1)
	}
	return accounts.Fen(rapid.Int64Range(1, int64(max(limit, 0))+1).Draw(w.r, "fen"))
}

// allowed accepts that the step was refused for a reason that a user is told;
// a failure of ours is none.
func (w *world) allowed(what string, err error) bool {
	switch kind := fault.KindOf(err); kind {
	case "":
		w.done[what]++
		return true
	case fault.Invalid, fault.NotFound, fault.AlreadyExists, fault.Precondition, fault.Insufficient, fault.Permission:
		w.refused++
		return false
	default:
		w.r.Fatalf("%s: %s: %v", what, kind, err)
		return false
	}
}

func pick[T any](w *world, what string, list []T) (one T, ok bool) {
	if len(list) == 0 {
		return one, false
	}
	return rapid.SampledFrom(list).Draw(w.r, what), true
}

// enter loads a settlement for all sides and reconciles the month.
func (w *world) enter(id string, e entered, original string) {
	flag, on, text := "0", w.day(10).String(), e.amount.String()
	if original != "" {
		flag = "1"
	} else {
		original = "null"
	}
	row := []string{id, "S" + id, "P26a4f69d17d3", "310", e.insured, e.treating, "H" + e.treating + "00001", "21", "21", on, on, on + "T10:00:00+08:00",
		text, text, text, "0", "0", "0", "0", "0", "0", "0", "0", flag, original}
	var file bytes.Buffer
	fmt.Fprintf(&file, "%s\n%s\n", strings.Join(settlement.Columns(), "\t"), strings.Join(row, "\t"))
	files := fstest.MapFS{id + ".tsv": {Data: file.Bytes()}}
	for _, side := range settlement.Sides() {
		if _, err := w.settlements.Import(w.t.Context(), side, settlement.FSFile(files, id+".tsv"), settlement.ImportOptions{Strict: true}); err != nil {
			w.r.Fatal(err)
		}
	}
	if _, err := w.settlements.Reconcile(w.t.Context(), w.month, settlement.ReconcileOptions{Workers: 1}); err != nil {
		w.r.Fatal(err)
	}
}

func (w *world) bill(r *rapid.T) {
	w.r = r
	pair := rapid.SampledFrom([][2]string{{nanjing, suzhou}, {wuxi, suzhou}, {suzhou, nanjing}, {nanjing, shanghai}, {wuxi, shanghai}, {suzhou, anhui},
		{shanghai, suzhou}, {anhui, nanjing}}).Draw(r, "pair")
	e := entered{pair[0], pair[1], accounts.Fen(rapid.Int64Range(1, 100_00).Draw(r, "amount"))}
	id := w.next("A")
	w.bills[id] = e
	w.enter(id, e, "")
}

func (w *world) drawBill() (string, entered, accounts.Fen, bool) {
	id, ok := pick(w, "bill", slices.Sorted(maps.Keys(w.bills)))
	if !ok {
		return "", entered{}, 0, false
	}
	s, _, err := w.settlements.Settlement(w.t.Context(), id, 0)
	if err != nil {
		w.r.Fatal(err)
	}
	return id, w.bills[id], s.Remaining, true
}

func (w *world) refund(r *rapid.T) {
	w.r = r
	if id, e, left, ok := w.drawBill(); ok {
		e.amount = -w.fen(left)
		refund := w.next("R")
		w.refunds[refund] = e
		w.enter(refund, e, id)
	}
}

func (w *world) withdraw(r *rapid.T) {
	w.r = r
	id, _, _, ok := w.drawBill()
	if !ok {
		return
	}
	for _, side := range settlement.Sides() {
		text := fmt.Sprintf("setl_id\tdate\treason\tdocument\n%s\t%s\t重复上传\t冲正%s\n", id, w.day(20), id)
		_, err := w.settlements.Withdraw(w.t.Context(), side, w.next("w"), []byte(text))
		w.allowed("withdraw", err)
	}
}

func (w *world) payProvider(r *rapid.T) {
	w.r = r
	city := rapid.SampledFrom([]string{suzhou, nanjing}).Draw(r, "city")
	request := provider.ListRequest{ID: w.next("L"), Treating: city, Provider: "H" + city + "00001", Through: w.day(28), Date: w.day(21), By: "clerk"}
	if rapid.Bool().Draw(r, "part") {
		request.Lines = []provider.Line{{Fund: "310", Amount: w.fen(100_00)}}
	}
	list, err := w.desk.MakeList(w.t.Context(), request)
	if !w.allowed("list", err) {
		return
	}
	if rapid.IntRange(0, 4).Draw(r, "funded") > 0 {
		_, err := w.desk.Fund(w.t.Context(), provider.Funding{Region: city, Lines: list.Lines, Date: w.day(21), Reference: w.next("F"), By: "clerk"})
		w.allowed("fund", err)
	}
	_, err = w.desk.Pay(w.t.Context(), provider.Payment{List: list.ID, Date: w.day(22), Reference: w.next("P"), By: "head"})
	if !w.allowed("pay provider", err) {
		_, err := w.desk.CancelList(w.t.Context(), provider.Undoing{List: list.ID, Date: w.day(22), Reason: "no money", Document: "c", By: "head"})
		w.allowed("cancel list", err)
	}
}

func (w *world) decide(r *rapid.T) {
	w.r = r
	id, _, left, ok := w.drawBill()
	if !ok {
		return
	}
	d := recovery.Decision{Lines: []recovery.Line{{SetlID: id, Part: "hifp_pay", Amount: w.fen(left), Reason: "违规", Document: w.next("d")}},
		Date: w.day(23), By: rapid.SampledFrom(people).Draw(r, "by")}
	if rapid.Bool().Draw(r, "deduct") {
		_, err := w.recovery.Deduct(w.t.Context(), d)
		w.allowed("deduct", err)
		return
	}
	d.Mode = rapid.SampledFrom([]recovery.Mode{recovery.Offset, recovery.Remit, ""}).Draw(r, "mode")
	_, err := w.recovery.OpenClawbacks(w.t.Context(), d)
	w.allowed("claw back", err)
}

func (w *world) cases() []*recovery.Case {
	cases, _, err := w.recovery.Cases(w.t.Context(), recovery.Query{Limit: 1000}, 0)
	if err != nil {
		w.r.Fatal(err)
	}
	return cases
}

func (w *world) stepCase(r *rapid.T) {
	w.r = r
	c, ok := pick(w, "case", w.cases())
	if !ok {
		return
	}
	ruling := recovery.Ruling{Case: c.ID, Date: w.day(24), By: rapid.SampledFrom(people).Draw(r, "by"), Reason: "复核"}
	station := rapid.SampledFrom([]recovery.Station{recovery.Received, recovery.Deposited, recovery.Sent, recovery.Arrived, recovery.Home}).Draw(r, "station")
	var err error
	what := rapid.SampledFrom([]string{"approve case", "approve case", "decline case", "cancel case", "move case", "move case", "move case"}).Draw(r, "step")
	switch what {
	case "approve case":
		_, err = w.recovery.Approve(w.t.Context(), ruling)
	case "decline case":
		_, err = w.recovery.Decline(w.t.Context(), ruling)
	case "cancel case":
		_, err = w.recovery.Cancel(w.t.Context(), ruling)
	default:
		m := recovery.Movement{Case: c.ID, Station: station, Date: w.day(25), By: "clerk", Reference: w.next("M")}
		if rapid.Bool().Draw(r, "part") {
			m.Amounts = []recovery.Amount{{Part: "hifp_pay", Amount: w.fen(c.Total.Claimed)}}
		}
		_, err = w.recovery.Move(w.t.Context(), m)
	}
	w.allowed(what, err)
}

// clear freezes the month, as long as the calendar is known.
func (w *world) clear(r *rapid.T) {
	if w.r = r; w.month < "2026-08" {
		w.freeze()
	}
}

// freeze freezes the month and goes on to the next one.
func (w *world) freeze() {
	if _, err := w.clearing.Clear(w.t.Context(), w.month, civil.Date{}); err != nil {
		w.r.Fatal(err)
	}
	if _, err := w.prepayments.Watch(w.t.Context(), w.month); err != nil {
		w.r.Fatal(err)
	}
	w.done["clear"]++
	w.month = w.month.Add(1)
}

func (w *world) remit(r *rapid.T) {
	w.r = r
	notices, err := w.clearing.Notices(w.t.Context(), "")
	if err != nil {
		r.Fatal(err)
	}
	n, ok := pick(w, "notice", notices)
	if !ok {
		return
	}
	p := clearing.Payment{Notice: n.ID, Date: n.Issued.AddDays(3), Reference: w.next("B")}
	if line, ok := pick(w, "line", n.Lines); ok && rapid.Bool().Draw(r, "part") {
		p.Lines = []clearing.Line{{Fund: line.Fund, Amount: w.fen(line.Open)}}
	}
	_, err = w.clearing.Remit(w.t.Context(), p)
	w.allowed("remit", err)
}

// plan makes the plans of 2025: Nanjing prepays 20.00 in the province, 100.00 lie
// at Shanghai, 75.00 of Nanjing and 25.00 of Wuxi.
func (w *world) plan(r *rapid.T) {
	w.r = r
	var file bytes.Buffer
	fmt.Fprintln(&file, "basis\tfund\tregion\tcounterparty\tperiod\tamount")
	of := map[string]string{"in_province_payable 310 " + nanjing: "150.00", "in_province_receivable 310 " + nanjing: "50.00",
		"cross_province_payable 310 " + nanjing: "300.00", "cross_province_payable 310 " + wuxi: "100.00"}
	for _, fund := range []string{"310", "390"} {
		for _, city := range w.book.Regions.Of(accounts.City) {
			for _, basis := range []string{"in_province_payable", "in_province_receivable", "cross_province_payable"} {
				amount := of[basis+" "+fund+" "+city.Code]
				if amount == "" {
					amount = "0.00"
				}
				fmt.Fprintf(&file, "%s\t%s\t%s\tnull\t2024\t%s\n", basis, fund, city.Code, amount)
			}
		}
		for month, amount := range map[string]string{"2024-10": "40.00", "2024-11": "50.00", "2024-12": "60.00"} {
			if fund == "390" {
				amount = "0.00"
			}
			fmt.Fprintf(&file, "cross_province_settled\t%s\tnull\t%s\t%s\t%s\n", fund, shanghai, month, amount)
		}
	}
	bases, err := clearing.ReadBases(w.book, 2025, "bases.tsv", &file)
	if err != nil {
		r.Fatal(err)
	}
	for _, scheme := range prepayment.Schemes() {
		_, err := w.prepayments.MakePlan(w.t.Context(), prepayment.PlanRequest{Year: 2025, Scheme: scheme, File: bases, By: "clerk"})
		w.allowed("plan", err)
	}
}

func (w *world) movePrepayment(r *rapid.T) {
	w.r = r
	m := prepayment.Move{Reference: w.next("V"), By: "clerk", Date: w.day(26)}
	if m.Date.Before(accounts.Month("2025-02").Last()) {
		m.Date = accounts.Month("2025-02").Last()
	}
	amount := w.fen(60_00)
	if rapid.IntRange(0, 3).Draw(r, "theirs") == 0 {
		m.Province, m.Document = shanghai, "对方通知"
		m.Direction = rapid.SampledFrom([]clearing.Direction{clearing.Pay, clearing.Pay, clearing.Receive}).Draw(r, "direction")
	} else {
		notices, err := w.prepayments.Notices(w.t.Context(), prepayment.NoticeQuery{})
		if err != nil {
			r.Fatal(err)
		}
		n, ok := pick(w, "prepayment notice", notices)
		if !ok {
			return
		}
		m.Notice, amount = n.ID, w.fen(n.Open)
	}
	m.Lines = []clearing.Line{{Fund: "310", Amount: amount}}
	_, err := w.prepayments.Record(w.t.Context(), m)
	w.allowed("prepay", err)
}

func (w *world) topUp(r *rapid.T) {
	w.r = r
	cases, err := w.prepayments.TopUps(w.t.Context(), prepayment.TopUpQuery{})
	if err != nil {
		r.Fatal(err)
	}
	c, ok := pick(w, "top-up", cases)
	if !ok {
		return
	}
	s := prepayment.TopUpStep{TopUp: c.ID, Date: w.day(27).AddDays(60), By: rapid.SampledFrom(people).Draw(r, "by"), Key: w.next("K"), Document: "核定", Reason: "调增"}
	what := rapid.SampledFrom([]string{"propose", "approve", "approve", "notify", "notify", "decline"}).Draw(r, "step")
	lines := []clearing.Line{{Fund: "310", Amount: w.fen(50_00)}}
	switch what {
	case "propose":
		s.Lines = lines
		_, err = w.prepayments.Propose(w.t.Context(), s)
	case "approve":
		s.Lines = lines
		_, err = w.prepayments.Approve(w.t.Context(), s)
	case "notify":
		_, err = w.prepayments.Notify(w.t.Context(), s)
	default:
		_, err = w.prepayments.Decline(w.t.Context(), s)
	}
	w.allowed(what, err)
}

func (w *world) money(r *rapid.T) {
	w.r = r
	c := prepayment.Charge{Holder: rapid.SampledFrom([]string{"320000", nanjing, shanghai}).Draw(r, "holder"), Deposit: prepayment.FiscalAccount,
		Lines: []clearing.Line{{Fund: "310", Amount: w.fen(5_00)}}, Date: w.day(21), By: "clerk", Reference: w.next("I")}
	_, err := w.prepayments.Interest(w.t.Context(), c)
	w.allowed("interest", err)
	if err := w.prepayments.BankFee(w.t.Context(), c); err == nil {
		r.Fatal("a bank's fee was taken of a fund")
	}
	document := w.next("零报")
	_, err = w.desk.Receive(w.t.Context(), provider.Application{Region: wuxi, Document: document, PsnNo: "P0123456789ab", Category: "11", Bill: 50_00,
		Shares: []provider.Share{{Fund: "310", Amount: w.fen(20_00)}}, Received: w.day(2), By: "clerk"})
	w.allowed("receive application", err)
	step := provider.ReimbursementStep{Region: wuxi, Document: document, Date: w.day(9), By: rapid.SampledFrom(people).Draw(r, "by"), Reference: document}
	_, err = w.desk.Approve(w.t.Context(), step)
	w.allowed("approve application", err)
	_, err = w.desk.Reimburse(w.t.Context(), step)
	w.allowed("reimburse", err)
}

// whole checks every invariant of the books.
func (w *world) whole() {
	report, err := clearing.Check(w.t.Context(), w.journal, w.db, w.book, prepayment.Check)
	if err != nil {
		w.r.Fatal(err)
	}
	for _, finding := range report.Findings {
		w.r.Errorf("check: %+v", finding)
	}
	if len(report.Findings) > 0 {
		w.r.FailNow()
	}
}
