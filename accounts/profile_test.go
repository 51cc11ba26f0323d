package accounts_test

import (
	"testing"

	"fundledger/accounts"
)

func TestProfile(t *testing.T) {
	book, err := accounts.Profile("jiangsu")
	if err != nil {
		t.Fatal(err)
	}
	t.Log(len(book.Regions))
}
