package export

import (
	"fmt"

	"fundledger/clearing"
)

// CarriedSheet lists the records that were carried over into the run (J49).
func CarriedSheet(run clearing.Run, t clearing.CarriedTable) Sheet {
	s := Sheet{
		Name: "结转明细", Title: "异地就医费用清算结转及逾期明细",
		Lines:   []string{fmt.Sprintf("清算期：%s　　批次：%s", run.Month, run.ID)},
		Columns: []Column{{"序号", 8}, {"结算流水号", 36}, {"费用所属期", 14}, {"是否逾期", 12}},
	}
	for i, r := range t.Records {
		late := ""
		if r.Overdue {
			late = "逾期"
		}
		s.Rows = append(s.Rows, []any{i + 1, r.SetlID, string(r.ServiceMonth), late})
	}
	if len(t.Records) == 0 {
		s.Notes = []string{"本期无结转。"}
	}
	return s
}
