package main

import (
	"fundledger/accounts"
	"fundledger/internal/fault"
	"fundledger/internal/postgres"
	"fundledger/ledger"
)

// session is an open database with its rules and its journal.
type session struct {
	db      *postgres.DB
	book    *accounts.Rulebook
	journal *ledger.Journal
}

func (s *session) close() { s.db.Close() }

// open connects as the application and reads the rules that setup has written.
func (a *app) open() (*session, error) {
	db, err := a.store()
	if err != nil {
		return nil, err
	}
	book, err := accounts.Load(a.ctx, db)
	if err != nil {
		db.Close()
		return nil, err
	}
	return &session{db: db, book: book, journal: ledger.New(db, book)}, nil
}

// store connects as the application.
func (a *app) store() (*postgres.DB, error) {
	url, err := a.requireURL()
	if err != nil {
		return nil, err
	}
	return postgres.Open(a.ctx, url)
}

// requireURL is the URL that the user gave; no command makes one up.
func (a *app) requireURL() (string, error) {
	if a.databaseURL == "" {
		return "", fault.New(fault.Invalid, "no database is given: use --database-url postgres://USER@HOST:PORT/NAME or set FUNDLEDGER_DATABASE_URL (fundledger demo brings its own)")
	}
	return a.databaseURL, nil
}
