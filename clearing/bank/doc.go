// Package bank compares the books with money (账款相符) and with each other
// (账账相符). It owns the bank accounts and what of the books each of them backs,
// the statements of banks, which lines of the books stand for which lines of a
// statement, the 银行存款余额调节表 that is made of it, and the lists of
// differences between books that ought to agree, with those of other provinces
// too. It reads the journal and never posts.
package bank
