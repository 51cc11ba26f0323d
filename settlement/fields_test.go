package settlement_test

import (
	"slices"
	"testing"

	"fundledger/settlement"
)

// TestListsOfFieldsAreTheCallers: who appends to one or writes into it changes
// nothing of how files are read.
func TestListsOfFieldsAreTheCallers(t *testing.T) {
	t.Parallel()
	columns, parts := slices.Clone(settlement.Columns()), slices.Clone(settlement.PartFields())
	given := settlement.Columns()
	given[0] = "changed"
	_ = append(settlement.PartFields(), "changed", "changed")
	settlement.PartFields()[0] = "changed"
	if now := settlement.Columns(); !slices.Equal(now, columns) {
		t.Errorf("the columns are %v now", now)
	}
	if now := settlement.PartFields(); !slices.Equal(now, parts) {
		t.Errorf("the parts are %v now", now)
	}
}
