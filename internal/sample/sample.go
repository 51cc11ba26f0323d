package sample

import "embed"

// Month is the service month of the embedded files.
const Month = "2025-01"

// Files are the sample month: treating.tsv, center.tsv, insured.tsv,
// prepayment_bases.tsv and expected.json in the folder named by Month, and the
// opening balances, openings.tsv.
//
//go:embed 2025-01 openings.tsv
var Files embed.FS
