package export

import (
	"fmt"
	"strconv"

	"cloud.google.com/go/civil"

	"fundledger/clearing"
)

// BalanceSheet lays out the 清算平衡总表 (annex 10) of the home province.
func BalanceSheet(home string, t *clearing.BalanceTable) Sheet {
	s := Sheet{
		Name: "清算平衡总表", Title: home + "异地就医医疗费用清算平衡总表",
		Lines: []string{fmt.Sprintf("附件10　　清算期：%s　　制表日期：%s　　批次：%s　　单位：元", t.Month, date(t.NoticeDate), t.Run)},
		Columns: []Column{{"统筹地区", 12}, {"代码", 9}, {"险种", 26}, {"险种代码", 9}, {"应付（本地参保人外出就医）", 18}, {"应收（外地参保人来本地就医）", 18},
			{"差额（应付－应收）", 18}, {"差出（应上解）", 18}, {"差进（应拨付）", 18}},
	}
	row := func(r clearing.BalanceRow, city string) []any {
		return []any{city, r.City, r.FundName, r.Fund, r.Payable, r.Receivable, r.Net, r.Pays, r.Gets}
	}
	for _, r := range t.Rows {
		s.Rows = append(s.Rows, row(r, r.CityName))
	}
	for _, r := range t.Funds {
		s.Totals = append(s.Totals, row(r, "小计"))
	}
	s.Totals = append(s.Totals, row(t.Total, "合计"))
	s.Notes = []string{"注：各险种基金独立清算，合计仅供核对；应付合计与应收合计相等，差额合计为零。"}
	return s
}

// DetailSheets lays out the 跨省清算明细表 (annex 11): city by province, and the
// sums of each city.
func DetailSheets(home string, t *clearing.DetailTable) []Sheet {
	title, way := home+"跨省异地就医费用清算明细表（我省参保人员省外就医）", "就医省份"
	if t.Kind == clearing.CrossIn {
		title, way = home+"跨省异地就医费用清算明细表（外省参保人员在我省就医）", "参保省份"
	}
	lines := []string{fmt.Sprintf("附件11　　清算期：%s　　制表日期：%s　　批次：%s　　单位：人次、元", t.Month, date(t.NoticeDate), t.Run)}
	figures := []Column{{"基金支付人次", 10}, {"基金支付金额", 18}, {"个人账户支付人次", 10}, {"个人账户支付金额", 18}, {"清算金额", 18}}
	detail := Sheet{Name: "明细", Title: title, Lines: lines,
		Columns: append([]Column{{"统筹地区", 12}, {"代码", 9}, {way, 12}, {"省份代码", 9}, {"险种", 26}, {"险种代码", 9}}, figures...)}
	cities := Sheet{Name: "分市汇总", Title: title, Lines: lines,
		Columns: append([]Column{{"统筹地区", 12}, {"代码", 9}, {"险种", 26}, {"险种代码", 9}}, figures...)}
	for _, r := range t.Rows {
		detail.Rows = append(detail.Rows, []any{r.CityName, r.City, r.ProvinceName, r.Province, r.FundName, r.Fund, r.PooledRecords, r.Pooled, r.AccountRecords, r.Account, r.Amount})
	}
	for _, r := range t.Cities {
		cities.Rows = append(cities.Rows, []any{r.CityName, r.City, r.FundName, r.Fund, r.PooledRecords, r.Pooled, r.AccountRecords, r.Account, r.Amount})
	}
	sum := t.Total
	detail.Totals = [][]any{{"合计", nil, nil, nil, nil, nil, nil, sum.Pooled, nil, sum.Account, sum.Amount}}
	cities.Totals = [][]any{{"合计", nil, nil, nil, nil, sum.Pooled, nil, sum.Account, sum.Amount}}
	note := []string{"注：人次为涉及该险种基金的结算笔数（含退费），同一笔可涉及多个险种，故不作合计。"}
	detail.Notes, cities.Notes = note, note
	return []Sheet{detail, cities}
}

// NoticeSheet lays out a 付款通知书 (annex 12) or 收款通知书 (annex 13).
func NoticeSheet(home string, kind clearing.Kind, n clearing.Notice, fundName func(string) string) Sheet {
	scope := "跨省"
	if kind == clearing.InProvince {
		scope = "省内"
	}
	form := "付款通知书"
	if n.Direction == clearing.Receive {
		form = "收款通知书"
	}
	head := "编号：" + n.ID + "　　签发日期：" + date(n.Issued) + "　　单位：元"
	if n.Annex != "" {
		head = "附件" + n.Annex + "　　" + head
	}
	s := Sheet{
		Name: "通知书", Title: n.PartyName + scope + "异地就医清算费用" + form,
		Lines:   []string{head, fmt.Sprintf("%s：%s %s清算费用如下。%s", n.PartyName, n.Month, kindTitle(kind), request(home, kind, n))},
		Columns: []Column{{"序号", 8}, {"险种代码", 12}, {"险种", 40}, {"金额", 24}},
	}
	for i, line := range n.Lines {
		s.Rows = append(s.Rows, []any{strconv.Itoa(i + 1), line.Fund, fundName(line.Fund), line.Amount})
	}
	s.Totals = [][]any{{"合计", nil, nil, n.Amount}}
	s.Notes = []string{"注：各险种基金应分别划拨，不得相互抵充。", home + "医疗保险经办机构（章）"}
	return s
}

func kindTitle(kind clearing.Kind) string {
	switch kind {
	case clearing.CrossOut:
		return "跨省异地就医（我省参保人员省外就医）"
	case clearing.CrossIn:
		return "跨省异地就医（外省参保人员在我省就医）"
	}
	return "省内异地就医"
}

// request says what is to be done and by when.
func request(home string, kind clearing.Kind, n clearing.Notice) string {
	switch {
	case n.Direction == clearing.Pay && kind == clearing.InProvince:
		return fmt.Sprintf("请于%s前将应付差额费用上解至省级异地就医结算户。", date(n.Due))
	case n.Direction == clearing.Pay && !n.ApplyBy.IsZero():
		return fmt.Sprintf("请于%s前向同级财政部门申请拨款，财政部门于%s前上划至省级财政专户。", date(n.ApplyBy), date(n.Due))
	case n.Direction == clearing.Pay:
		return fmt.Sprintf("请于%s前划拨至%s省级财政专户。", date(n.Due), home)
	case !n.Due.IsZero():
		return fmt.Sprintf("我省将于%s前划拨至贵省省级财政专户。", date(n.Due))
	}
	return "省级将及时拨付。"
}

func date(d civil.Date) string {
	if d.IsZero() {
		return "及时"
	}
	return fmt.Sprintf("%d年%d月%d日", d.Year, int(d.Month), d.Day)
}
