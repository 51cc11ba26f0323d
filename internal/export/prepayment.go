package export

import (
	"fmt"
	"path/filepath"
	"strconv"

	"fundledger/accounts"
	"fundledger/clearing"
	"fundledger/clearing/prepayment"
)

// WritePlan writes the detail table (annexes 2 and 4) and the notices (3 and 5) of
// a plan below dir as XLSX and as JSON and returns the paths. Files of an earlier
// call are replaced.
func WritePlan(dir string, plan *prepayment.Plan, book *accounts.Rulebook) ([]string, error) {
	w := &fileWriter{dir: filepath.Join(dir, string(plan.Scheme))}
	w.document(Document{Name: "detail", value: plan, sheets: PlanSheets(plan, book)})
	w.prepaymentNotices(plan.Notices, strconv.Itoa(plan.Year)+"年度", book)
	return w.paths, w.err
}

// WriteTopUp does the same with the notices of a top-up (annex 6).
func WriteTopUp(dir string, c *prepayment.TopUp, book *accounts.Rulebook) ([]string, error) {
	w := &fileWriter{dir: dir}
	w.prepaymentNotices(c.Notices, fmt.Sprintf("%s %s", c.Month, c.ProvinceName), book)
	return w.paths, w.err
}

func (w *fileWriter) document(d Document) {
	w.file(d.Name+".xlsx", d.XLSX)
	w.file(d.Name+".json", d.JSON)
}

func (w *fileWriter) prepaymentNotices(notices []prepayment.Notice, what string, book *accounts.Rulebook) {
	for _, n := range notices {
		n.Moves = nil // as it was issued, whatever has moved since
		w.document(Document{Name: "notice-" + n.Party + "-" + string(n.Direction), value: n, sheets: []Sheet{PrepaymentNoticeSheet(n, what, book)}})
	}
}

// PlanSheets lays out the 预付金明细表: per city quota, balance carried over and
// adjustment, and for other provinces each city's share of each quota.
func PlanSheets(plan *prepayment.Plan, book *accounts.Rulebook) []Sheet {
	home := book.Regions.Home().Name
	title, annex := home+"省内异地就医费用预付金明细表", "附件2"
	if plan.Scheme == prepayment.CrossProvince {
		title, annex = home+"跨省异地就医费用预付金明细表", "附件4"
	}
	lines := []string{fmt.Sprintf("%s　　年度：%d　　制表日期：%s　　单位：元", annex, plan.Year, date(plan.Issued))}
	positions := func(name, party string, kind accounts.RegionKind) Sheet {
		s := Sheet{Name: name, Title: title, Lines: lines,
			Columns: []Column{{party, 14}, {"代码", 9}, {"险种", 26}, {"险种代码", 9}, {"本年度预付金额度", 20}, {"上年末结转余额", 20}, {"调整额（正数应付，负数退还）", 24}}}
		sums := map[string][3]accounts.Fen{}
		for _, at := range plan.Positions {
			if region, ok := book.Regions.Find(at.Party); !ok || region.Kind != kind {
				continue
			}
			s.Rows = append(s.Rows, []any{at.PartyName, at.Party, fundName(book, at.Fund), at.Fund, at.Quota, at.Held, at.Adjustment})
			sum := sums[at.Fund]
			sums[at.Fund] = [3]accounts.Fen{sum[0] + at.Quota, sum[1] + at.Held, sum[2] + at.Adjustment}
		}
		for _, f := range book.Funds {
			if sum, ok := sums[f.Code]; ok {
				s.Totals = append(s.Totals, []any{"小计", nil, f.Name, f.Code, sum[0], sum[1], sum[2]})
			}
		}
		s.Notes = []string{"注：各险种基金独立预付，不得相互抵充；年末余额结转抵减下一年度预付金额度。"}
		return s
	}
	sheets := []Sheet{positions("各市", "统筹地区", accounts.City)}
	if plan.Scheme == prepayment.InProvince {
		return sheets
	}
	shares := Sheet{Name: "分省分市额度", Title: title, Lines: lines,
		Columns: []Column{{"省份", 14}, {"代码", 9}, {"统筹地区", 14}, {"代码", 9}, {"险种", 26}, {"险种代码", 9}, {"本年度预付金额度", 20}}}
	name := func(code string) string {
		region, _ := book.Regions.Find(code)
		return region.Name
	}
	for _, q := range plan.Quotas {
		shares.Rows = append(shares.Rows, []any{name(q.Province), q.Province, name(q.City), q.City, fundName(book, q.Fund), q.Fund, q.Amount})
	}
	return append(sheets, shares, positions("各省", "省份", accounts.Counterparty))
}

// PrepaymentNoticeSheet lays out a 预付金付款通知书 (annexes 3, 5, 6), or the notice
// of what is returned.
func PrepaymentNoticeSheet(n prepayment.Notice, what string, book *accounts.Rulebook) Sheet {
	title := n.PartyName + map[prepayment.Scheme]string{prepayment.InProvince: "省内异地就医预付金", prepayment.CrossProvince: "跨省异地就医预付金"}[n.Scheme]
	switch region, _ := book.Regions.Find(n.Party); {
	case n.Annex == "6":
		title += "额度紧急调增通知书"
	case n.Direction == clearing.Receive && region.Kind == accounts.City:
		title += "退还通知书"
	case n.Direction == clearing.Receive:
		title += "拨付通知书"
	case n.Scheme == prepayment.CrossProvince:
		title += "额度调整付款通知书"
	default:
		title += "付款通知书"
	}
	head := "编号：" + n.ID + "　　签发日期：" + date(n.Issued) + "　　单位：元"
	if n.Annex != "" {
		head = "附件" + n.Annex + "　　" + head
	}
	s := Sheet{Name: "通知书", Title: title, Lines: []string{head, n.PartyName + "：" + what + "预付金如下。" + prepaymentRequest(n)},
		Columns: []Column{{"序号", 8}, {"险种代码", 12}, {"险种", 40}, {"金额", 24}}}
	for i, line := range n.Lines {
		s.Rows = append(s.Rows, []any{strconv.Itoa(i + 1), line.Fund, fundName(book, line.Fund), line.Amount})
	}
	s.Totals = [][]any{{"合计", nil, nil, n.Amount}}
	s.Notes = []string{"注：预付金专款专用，各险种基金应分别划拨，不得相互抵充。", book.Regions.Home().Name + "医疗保险经办机构（章）"}
	return s
}

// prepaymentRequest says what is to be done and by when.
func prepaymentRequest(n prepayment.Notice) string {
	switch {
	case n.Direction == clearing.Pay && n.Scheme == prepayment.InProvince:
		return fmt.Sprintf("请于%s前上解至省级异地就医结算户。", date(n.Due))
	case n.Direction == clearing.Pay && !n.ApplyBy.IsZero():
		return fmt.Sprintf("请于%s前向同级财政部门申请拨款，财政部门于%s前上划至省级财政专户。", date(n.ApplyBy), date(n.Due))
	case n.Direction == clearing.Pay:
		return "请及时退回我省省级财政专户。"
	case !n.Due.IsZero():
		return fmt.Sprintf("我省将于%s前划拨至贵省省级财政专户。", date(n.Due))
	}
	return "省级将及时拨付。"
}
