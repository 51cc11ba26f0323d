package provider

import (
	"cmp"
	"encoding/json"

	"cloud.google.com/go/civil"

	"fundledger/accounts"
	"fundledger/internal/fault"
)

// Item is what one settlement has in one fund and part.
type Item struct {
	SetlID  string       `json:"setl_id"` // refunds and deductions count to the settlement that they correct
	Fund    string       `json:"fund"`
	Part    string       `json:"part,omitempty"` // "account" for 个人账户
	Insured string       `json:"insured,omitempty"`
	On      civil.Date   `json:"on"` // date of the settlement
	Amount  accounts.Fen `json:"amount"`
}

// itemKey identifies an item.
type itemKey struct{ setlID, fund, part string }

func (i *Item) key() itemKey { return itemKey{i.SetlID, i.Fund, i.Part} }

// assigned tells whether the item is of a settlement. What is not (an opening
// balance, a manual entry) has no insured region that it could be paid for.
func (i *Item) assigned() bool { return i.Insured != "" }

// byAge puts the oldest settlement first.
func byAge(a, b Item) int {
	return cmp.Or(cmp.Compare(a.On.String(), b.On.String()), bySettlement(a, b))
}

func bySettlement(a, b Item) int {
	return cmp.Or(cmp.Compare(a.SetlID, b.SetlID), cmp.Compare(a.Fund, b.Fund), cmp.Compare(a.Part, b.Part))
}

// itemsPerBlock bounds the items of one row.
const itemsPerBlock = 500

// blocks encodes items, all of a settlement in one block.
func blocks(items []Item) (texts []string, parts [][]Item, err error) {
	for len(items) > 0 {
		n := min(itemsPerBlock, len(items))
		for n < len(items) && items[n].SetlID == items[n-1].SetlID {
			n++
		}
		text, err := json.Marshal(items[:n])
		if err != nil {
			return nil, nil, err
		}
		texts, parts = append(texts, string(text)), append(parts, items[:n])
		items = items[n:]
	}
	return texts, parts, nil
}

func decodeItems(data []byte) (items []Item, err error) {
	if err := json.Unmarshal(data, &items); err != nil {
		return nil, fault.New(fault.Internal, "a block of payable items cannot be read: %w", err)
	}
	return items, nil
}
