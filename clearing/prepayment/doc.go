// Package prepayment owns the life of prepayments (预付金, J29–J32, N四): quota
// plans of a year with their notices, the money that moves on them, how far the
// prepayment at another province is used (使用率), emergency top-ups (紧急调增),
// the comparison with the national platform's figures, and interest.
//
// A plan is frozen when it is made: quota, what was held at that moment, and the
// adjustment between the two, which its notices ask for or return. A top-up case
// goes open → proposed → approved → notified, or is declined. Money moves only
// as entries of the posting table, each with the move that names it, in one
// transaction; what a plan or case has got is the sum of its moves.
package prepayment
