// Package statement makes the statements of a book and fund from the journal:
// 科目余额表, 资产负债表, 收支表, 总账 and 往来账龄, for any accounting periods and
// as of any position of the journal, so that a statement can be made again as it was.
//
// Figures come from the projections (turnover by account and month, and by day),
// so the work grows with accounts and months, not with entries. What a line of a
// statement is made of is data (accounts.StatementLine); each figure can be
// followed to the lines of entries behind it. It also checks tables that others
// have published by the same ties.
package statement
