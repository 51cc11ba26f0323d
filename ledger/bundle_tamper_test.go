package ledger

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"
)

// Somebody who has the key signs the tree anew over what is changed.
func TestEveryTamperingWithHistoryCorrectionsAndPendingsIsNamed(t *testing.T) {
	signer, key := testKey(t, "province")
	const b, c, f, g, r, s, k, q = 1, 2, 5, 6, 7, 8, 9, 10 // index of the entry
	for _, x := range []struct {
		name, check, account, entry string
		change                      func(p *parts)
	}{
		{"a state changed", "period history", string(closed), "", func(p *parts) { p.month(closed).state = PeriodReopened }},
		{"a state removed", "period history", string(closed), "", func(p *parts) { p.month(closed).state = "" }},
		{"a month removed", "periods", testClaim, "c", func(p *parts) {
			p.months = slices.DeleteFunc(p.months, func(h monthHistory) bool { return h.book == closed })
		}},
		{"a month twice", "period history", string(closed), "", func(p *parts) { p.months = append(p.months, *p.month(closed)) }},
		{"a month that is none", "period history", string(closed), "", func(p *parts) { p.month(closed).month = "2025-13" }},
		{"a month closed over an open one", "period history", "320100.agency", "", func(p *parts) {
			h := monthHistory{bookMonth{"320100.agency", "2025-02"}, PeriodClosing, []PeriodEvent{{Number: 1, State: PeriodClosing, By: "x"}}}
			p.months = slices.Insert(p.months, 1+slices.IndexFunc(p.months, func(h monthHistory) bool { return h.book == "320100.agency" }), h)
		}},
		{"an event removed", "period history", string(closed), "", func(p *parts) {
			p.month(closed).events = slices.Delete(p.month(closed).events, 3, 4)
		}},
		{"the last events removed", "period history", string(closed), "", func(p *parts) { p.month(closed).events = p.month(closed).events[:4] }},
		{"all events removed", "period history", string(closed), "", func(p *parts) { p.month(closed).events = nil }},
		{"an event that nobody made", "period history", string(closed), "", func(p *parts) { p.month(closed).events[2].By = "" }},
		{"a reopening without a reason", "period history", string(closed), "", func(p *parts) { p.month(closed).events[3].Reason = "" }},
		{"a reopening by who closed it", "period history", string(closed), "", func(p *parts) { p.month(closed).events[3].By = "closer" }},
		{"a reopening later than it was", "period history", testClaim, "c", func(p *parts) { p.month(closed).events[3].Position = 9 }},
		{"a closing earlier than it was", "period history", testClaim, "k", func(p *parts) { p.month(closed).events[5].Position = 9 }},
		{"positions that do not ascend", "period history", string(closed), "", func(p *parts) { p.month(closed).events[4].Position = 1 }},
		{"a closing beyond the end", "period history", "", "", func(p *parts) { p.month(closed).events[5].Position = 12 }},

		{"a time of posting of one entry", "sequence", "", "f", func(p *parts) { p.records[f].PostedAt = testTime.Add(-time.Second) }},
		{"a time of posting of a batch", "sequence", "", "c", func(p *parts) {
			p.records[c].batchAt = testTime.Add(time.Hour)
			p.records[c].PostedAt = p.records[c].batchAt
		}},
		{"the latest time of posting", "sequence", "", "g", func(p *parts) {
			p.records[g].until, p.records[r].until = testTime, testTime
		}},

		{"a link removed", "corrections", "", "r", func(p *parts) { p.records[r].link = bundleLink{} }},
		{"the other end of a link removed", "corrections", "", "r", func(p *parts) { p.records[b].corrected = 0 }},
		{"a correction more than there is", "corrections", "", "b", func(p *parts) { p.records[b].corrected++ }},
		{"a correction of an entry that has none", "corrections", "", "f", func(p *parts) { p.records[f].corrected++ }},
		{"a link of an entry that corrects none", "corrections", "", "g", func(p *parts) { p.records[g].link = p.records[k].link }},
		{"less taken back", "corrections", testSpent, "r", func(p *parts) { p.records[r].link.amounts[0] = 9 }},
		{"amounts removed", "corrections", testSpent, "r", func(p *parts) { p.records[r].link.kind = linkPlain }},
		{"amounts of another number", "corrections", testSpent, "r", func(p *parts) { p.records[r].link.amounts = p.records[r].link.amounts[:1] }},
		{"amounts of what takes nothing back", "corrections", testClaim, "k", func(p *parts) {
			p.records[k].link = bundleLink{kind: linkMeasured, version: 1, amounts: p.records[r].link.amounts}
		}},
		{"more taken back than there was", "corrections", testSpent, "s", func(p *parts) {
			for i := range p.records[s].Postings {
				p.records[s].Postings[i].Amount, p.records[s].link.amounts[i] = -21, 21
			}
			redigest(p.records[s])
			p.sealAnew(t, signer)
		}},
		{"taken back in blue", "corrections", testSpent, "s", func(p *parts) {
			for i := range p.records[s].Postings {
				p.records[s].Postings[i].Amount, p.records[s].link.amounts[i] = 20, -20
			}
			redigest(p.records[s])
			p.sealAnew(t, signer)
		}},
		{"taken back of another account", "corrections", testIncome, "r", func(p *parts) {
			p.records[r].Postings[0].Account = testAccount(t, testIncome)
			redigest(p.records[r])
			p.sealAnew(t, signer)
		}},
		{"taken back before it was posted", "corrections", testSpent, "r", func(p *parts) {
			p.records[r].Date.Day = 1
			redigest(p.records[r])
			p.sealAnew(t, signer)
		}},
		{"taken back in another year", "corrections", testSpent, "r", func(p *parts) {
			p.records[r].Period = "2026-01"
			redigest(p.records[r])
			p.sealAnew(t, signer)
		}},
		{"a reversal of another kind", "corrections", testSpent, "r", func(p *parts) {
			p.records[r].Kind = "manual"
			redigest(p.records[r])
			p.sealAnew(t, signer)
		}},
		{"a correction of what is not there", "corrections", "", "k", func(p *parts) {
			p.records[k].Corrects.UUID = EntryID("nothing")
			redigest(p.records[k])
			p.sealAnew(t, signer)
		}},
		{"a correction before its original", "corrections", "", "k", func(p *parts) {
			p.records[c], p.records[k] = p.records[k], p.records[c]
			p.records[c].Position, p.records[k].Position = c+1, k+1
			p.sealAnew(t, signer)
		}},
		{"a version changed", "corrections", "", "r", func(p *parts) { p.records[r].link.version = 2 }},
		{"versions of one batch that differ", "corrections", "", "s", func(p *parts) { p.records[s].link.version = 1 }},

		{"a reservation released", "reservations", testCash, "", func(p *parts) { p.floors[0].reserved = 0 }},
		{"a reservation made up", "reservations", testCash, "", func(p *parts) { p.floors[0].reserved++ }},
		{"more reserved than there is", "reservations", testCash, "", func(p *parts) { p.pend(t, twoLines(t, "y", testSpent, testCash, 17), Open) }},
		{"a floor moved behind the end", "floors", testCash, "", func(p *parts) { p.floors[0].ahead = 1 }},
		{"a pending removed", "reservations", testCash, "", func(p *parts) { p.pendings = p.pendings[1:] }},
		{"a pending twice", "reservations", "", "", func(p *parts) { p.pendings = slices.Insert(p.pendings, 2, p.pendings[2]) }},
		{"a pending of another key", "reservations", "", "", func(p *parts) { p.pendings[3].key = "y" }},
		{"a pending that cannot be read", "reservations", "", "", func(p *parts) { p.pendings[2].canonical = nil }},
		{"a pending changed", "reservations", testSpent, "", func(p *parts) {
			e := p.pendings[2].Entry
			e.Summary = "x"
			p.pendings[2].canonical = appendCanonical(nil, &e, nil)
		}},
		{"a digest changed", "reservations", testSpent, "", func(p *parts) { p.pendings[2].digest = make([]byte, 32) }},
		{"less held", "reservations", testSpent, "", func(p *parts) { p.pendings[0].Holds = holds{testCash: 9} }},
		{"more held", "reservations", testSpent, "", func(p *parts) { p.pendings[2].Holds = holds{testCash: 1, testIncome: 1} }},
		{"a state made up", "reservations", testSpent, "", func(p *parts) { p.pendings[2].State = "x" }},
		{"an open one that was decided", "reservations", testSpent, "", func(p *parts) { p.pendings[0].Decided = testTime }},
		{"a voiding by nobody", "reservations", testSpent, "", func(p *parts) { p.pendings[2].By = "" }},
		{"a voiding after its time", "reservations", testSpent, "", func(p *parts) { p.pendings[2].Decided = testTime.Add(time.Hour) }},
		{"an expiry before its time", "reservations", testSpent, "", func(p *parts) { p.pendings[3].Decided = testTime }},
		{"an expiry without a time", "reservations", testSpent, "", func(p *parts) { p.pendings[3].Expires = time.Time{} }},
		{"a finishing without an entry", "reservations", "", "finish/v", func(p *parts) { p.pendings[2].State = Finished }},
		{"a finishing that waits, where none does", "reservations", "", "", func(p *parts) {
			p.pendings[2].State, p.pendings[2].waits = Finished, true
		}},
		{"a finishing said to wait", "reservations", "", "finish/q", func(p *parts) { p.pendings[1].waits, p.behind = true, 1 }},
		{"a finishing of less than was posted", "reservations", testSpent, "finish/q", func(p *parts) {
			p.pendings = slices.Delete(p.pendings, 1, 2)
			p.pend(t, twoLines(t, "q", testSpent, testCash, 4), Finished)
			slices.SortFunc(p.pendings, func(a, b *bundlePending) int { return strings.Compare(a.key, b.key) })
		}},
		{"a finishing of something else", "reservations", testSpent, "finish/q", func(p *parts) {
			p.records[q].Source = "x"
			redigest(p.records[q])
			p.sealAnew(t, signer)
		}},
		{"a finishing by somebody else", "reservations", testSpent, "finish/q", func(p *parts) { p.pendings[1].By = "x" }},

		{"another count of months", "bundle format", "", "", func(p *parts) {
			p.counts = &bundleCounts{entries: 11, checkpoints: 2, months: 27, balances: 5, floors: 1, pendings: 4}
		}},
		{"another count of pendings", "bundle format", "", "", func(p *parts) {
			p.counts = &bundleCounts{entries: 11, checkpoints: 2, months: 28, balances: 5, floors: 1, pendings: 5}
		}},
	} {
		t.Run(x.name, func(t *testing.T) {
			p := testParts(t, 2, signer, 3, 11)
			x.change(p)
			report, err := VerifyBundle(t.Context(), bytes.NewReader(p.write(t, 500)), key)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range report.Findings {
				if f.Check == x.check && strings.HasPrefix(f.Account, x.account) && (x.entry == "" || f.Entry == EntryID(x.entry).String()) {
					return
				}
			}
			t.Errorf("no finding of %q on %q, entry %q: %+v", x.check, x.account, x.entry, report.Findings)
		})
	}
}
