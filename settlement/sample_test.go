package settlement_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"fundledger/internal/sample"
	"fundledger/settlement"
)

func TestTheSampleMonthEqualsWhatWasComputedIndependently(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.loadSample(t)
	report := f.reconcile(t, sample.Month)
	equal(t, "matched", report.Matched, 5009)
	equal(t, "posted", report.Posted, 5009)
	month, err := f.MonthReport(t.Context(), sample.Month)
	if err != nil {
		t.Fatal(err)
	}
	var want struct {
		settlement.MonthReport
		QuotaInProvince    json.RawMessage `json:"quota_in_province"`
		QuotaCrossProvince json.RawMessage `json:"quota_cross_province"`
	}
	d := json.NewDecoder(bytes.NewReader(sampleFile(t, "expected.json")))
	d.DisallowUnknownFields()
	if err := d.Decode(&want); err != nil {
		t.Fatal(err)
	}
	if diff := firstDifference(indented(t, month), indented(t, want.MonthReport)); diff != "" {
		t.Error(diff)
	}
	// The file itself, line by line, up to the quotas.
	lines := bytes.Split(sampleFile(t, "expected.json"), []byte("\n"))
	for i, line := range indented(t, month) {
		if got := []byte(line); !bytes.Equal(got, lines[i]) && !bytes.Equal(append(got, ','), lines[i]) && line != "}" {
			t.Fatalf("line %d: %s, expected.json has %s", i+1, got, lines[i])
		}
	}
	again := f.reconcile(t, sample.Month)
	equal(t, "posted by a second run", again.Posted, 0)
	equal(t, "matched after a second run", again.Matched, 5009)
	f.mustBeWhole(t)
}
