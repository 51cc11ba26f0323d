package export

import (
	"fmt"

	"fundledger/clearing/bank"
)

// kindName are the names of the four kinds of 未达账项.
var kindName = map[bank.Kind]string{
	bank.BookIn: "企业已收、银行未收", bank.BookOut: "企业已付、银行未付", bank.BankIn: "银行已收、企业未收", bank.BankOut: "银行已付、企业未付",
}

// ReconciliationSheets lays out the 银行存款余额调节表 and the list of its 未达账项.
func ReconciliationSheets(t *bank.Table) []Sheet {
	head := []string{
		fmt.Sprintf("账套：%s　　户名：%s　　开户行：%s　　账号：%s", t.Account.Book, t.Account.Holder, t.Account.Bank, t.Account.Number),
		fmt.Sprintf("截止日期：%s　　账簿位置：%d　　单位：元", date(t.Day), t.Position),
	}
	table := Sheet{
		Name: "余额调节表", Title: "银行存款余额调节表", Lines: head,
		Columns: []Column{{"项目", 36}, {"金额", 20}, {"项目", 36}, {"金额", 20}},
		Rows: [][]any{
			{"企业账面存款余额", t.Book, "银行对账单存款余额", t.Statement},
			{"加：" + kindName[bank.BankIn], t.BankIn, "加：" + kindName[bank.BookIn], t.BookIn},
			{"减：" + kindName[bank.BankOut], t.BankOut, "减：" + kindName[bank.BookOut], t.BookOut},
		},
		Totals: [][]any{{"调节后存款余额", t.AdjustedBook, "调节后存款余额", t.AdjustedStatement}},
	}
	for _, f := range t.Funds {
		table.Notes = append(table.Notes, fmt.Sprintf("其中 %s：%s", f.Account, f.Balance))
	}
	if t.Ties() {
		table.Notes = append(table.Notes, "调节后余额相符。")
	} else {
		table.Notes = append(table.Notes, fmt.Sprintf("调节后余额不符，差额 %s：", t.Difference))
		for _, c := range t.Causes {
			table.Notes = append(table.Notes, fmt.Sprintf("%s　%s", c.Amount, c.Text))
		}
	}
	table.Notes = append(table.Notes, "注：本表仅用于核对，不得作为调整账面记录的依据。")
	list := Sheet{
		Name: "未达账项", Title: "未达账项明细表", Lines: head,
		Columns: []Column{{"类别", 22}, {"日期", 14}, {"金额", 18}, {"账龄（天）", 10}, {"银行流水号", 20}, {"科目", 30}, {"摘要", 40}, {"凭证、参考号", 30}, {"提示", 12}},
	}
	for _, i := range t.Items {
		var account, alert any
		if i.Posting != nil {
			account = i.Book.String()
		}
		if i.Alert {
			alert = "逾期未说明"
		}
		list.Rows = append(list.Rows, []any{kindName[i.Kind], i.Date.String(), i.Amount, i.Age, i.Serial, account, i.Text, i.Source, alert})
	}
	for _, k := range bank.Kinds() {
		list.Totals = append(list.Totals, []any{kindName[k], nil, t.Sum(k)})
	}
	return []Sheet{table, list}
}

// ReconciliationDocument is the 银行存款余额调节表 as a file.
func ReconciliationDocument(t *bank.Table) Document {
	sheets := ReconciliationSheets(t)
	return Document{Name: fmt.Sprintf("reconciliation-%s-%s", t.Account.Number, t.Day), Title: sheets[0].Title, value: t, sheets: sheets}
}

// WriteReconciliation writes the table below dir as XLSX and as JSON, and returns
// the paths.
func WriteReconciliation(dir string, t *bank.Table) ([]string, error) {
	w, d := &fileWriter{dir: dir}, ReconciliationDocument(t)
	w.file(d.Name+".xlsx", d.XLSX)
	w.file(d.Name+".json", d.JSON)
	return w.paths, w.err
}
