package accounts_test

import (
	"testing"

	"cloud.google.com/go/civil"

	"fundledger/accounts"
	"fundledger/internal/devdb"
)

func TestMain(m *testing.M) { devdb.Main(m) }

func jiangsu(t testing.TB) *accounts.Rulebook {
	t.Helper()
	book, err := accounts.Profile("jiangsu")
	if err != nil {
		t.Fatal(err)
	}
	return book
}

func day(s string) civil.Date {
	d, err := accounts.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}
