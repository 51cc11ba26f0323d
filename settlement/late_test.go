package settlement_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"cloud.google.com/go/civil"
	"github.com/jackc/pgx/v5"

	"fundledger/accounts"
	"fundledger/clearing"
	"fundledger/internal/fault"
	"fundledger/settlement"
)

// late lists what is late as of the day as setl_id:kind:lateness.
func (f fixture) late(t testing.TB, asOf string, query settlement.LateQuery) string {
	t.Helper()
	day, err := accounts.ParseDate(asOf)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for query.AsOf, query.PageSize = day, 2; ; {
		page, err := f.LateRecords(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page.Records {
			list = append(list, r.SetlID+":"+r.Kind+":"+string(r.Lateness))
		}
		if query.PageToken = page.NextPageToken; query.PageToken == "" {
			return strings.Join(list, " ")
		}
	}
}

func in(month string) []string {
	return []string{"setl_time", month + "-11T09:00:00+08:00", "begndate", month + "-10", "enddate", month + "-11"}
}

func TestRecordsAreLateFromTheDayAfterEachLimit(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.loadAll(t, "all.tsv", bill("A1"), bill("A2", in("2025-10")...), refund("R1", "NONE", "1.00"), bill("A3", append(in("2025-03"), "insu_admdvs", "320300")...))
	f.load(t, settlement.Center, file(t, "c.tsv", text(bill("E1", in("2025-02")...))))
	for _, month := range []accounts.Month{"2025-01", "2025-02", "2025-03", "2025-10"} {
		f.reconcile(t, month)
	}
	none := settlement.LateQuery{}
	for asOf, want := range map[string]string{
		"2025-02-20": "", // the 20th itself is in time
		"2025-02-21": "A1:accepted:carried_over R1:refund_waiting:carried_over",
		"2025-04-20": "A1:accepted:carried_over E1:missing_treating:carried_over R1:refund_waiting:carried_over", // a Sunday; the day counts as it is
		"2025-04-21": "A1:accepted:overdue_deferral A3:accepted:carried_over E1:missing_treating:carried_over R1:refund_waiting:overdue_deferral",
		"2026-01-20": "A1:accepted:overdue_deferral A2:accepted:carried_over A3:accepted:overdue_deferral E1:missing_treating:overdue_deferral R1:refund_waiting:overdue_deferral",
		"2026-03-31": "A1:accepted:overdue_deferral A2:accepted:overdue_deferral A3:accepted:overdue_deferral E1:missing_treating:overdue_deferral R1:refund_waiting:overdue_deferral",
		"2026-04-01": "A1:accepted:overdue_year A2:accepted:overdue_year A3:accepted:overdue_year E1:missing_treating:overdue_year R1:refund_waiting:overdue_year",
	} {
		got := strings.Fields(f.late(t, asOf, none))
		if !slices.Equal(slices.Sorted(slices.Values(got)), strings.Fields(want)) {
			t.Errorf("as of %s:\ngot  %v\nwant %v", asOf, got, want)
		}
	}
	equal(t, "overdue only", f.late(t, "2025-04-21", settlement.LateQuery{Overdue: true}), "A1:accepted:overdue_deferral R1:refund_waiting:overdue_deferral")
	equal(t, "of a region", f.late(t, "2025-04-21", settlement.LateQuery{Region: "320300"}), "A3:accepted:carried_over")
	equal(t, "of one that is hidden", f.late(t, "2025-04-21", settlement.LateQuery{Region: "320300", Regions: []string{"320100"}}), "")
	_, err := f.LateRecords(t.Context(), settlement.LateQuery{})
	mustFail(t, err, fault.Invalid, "the day is needed")

	// What a run takes in is late no more, and says in the run how late it was.
	if _, err := clearing.New(f.db, f.journal, f.book).Clear(t.Context(), "2025-04", civil.Date{}); err != nil {
		t.Fatal(err)
	}
	equal(t, "after the run of April", f.late(t, "2025-06-21", none), "R1:refund_waiting:overdue_deferral E1:missing_treating:overdue_deferral")
	err = f.db.Snapshot(t.Context(), func(tx pgx.Tx) error {
		records, err := settlement.CarriedOver(t.Context(), tx, f.book, "2025-04/in-province", "2025-04")
		equal(t, "carried over", fmt.Sprint(records), "[{A1 2025-01 true overdue_deferral} {A3 2025-03 false carried_over}]")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
