package ledger

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"fundledger/accounts"
	"fundledger/internal/fault"
)

var update = flag.Bool("update", false, "write the golden bundle anew")

func TestBundleIsProvedWithoutADatabase(t *testing.T) {
	signer, key := testKey(t, "province")
	for _, frameSize := range []int{1, 600, aimFrame} {
		bundle := testParts(t, 2, signer, 3, 11).write(t, frameSize)
		report, err := VerifyBundle(t.Context(), bytes.NewReader(bundle), key)
		if err != nil {
			t.Fatal(err)
		}
		if !report.OK() || report.Entries != 11 || report.Postings != 22 || report.Position != 11 || report.Signed != 11 {
			t.Errorf("%+v", report)
		}
		want := map[string]int64{"sequence": 11, "entry ids": 11, "entry content": 11, "periods": 11, "entry balance": 11, "merkle tree": 11,
			"floors": 1, "checkpoints": 2, "voucher numbers": 8, "account balances": 5, "reservations": 4, "corrections": 3, "period history": 33}
		for _, c := range report.Checks {
			if n, ok := want[c.Name]; ok && c.Items != n {
				t.Errorf("%s looked at %d items, want %d", c.Name, c.Items, n)
			}
		}
		if len(report.Checks) != len(want)+1 {
			t.Errorf("%d checks", len(report.Checks))
		}
		unverified, err := VerifyBundle(t.Context(), bytes.NewReader(bundle))
		if err != nil || !unverified.OK() || unverified.Signed != 0 {
			t.Errorf("%+v %v", unverified, err)
		}
	}
	empty := newParts(t, nil, 1, signer).write(t, aimFrame)
	if report, err := VerifyBundle(t.Context(), bytes.NewReader(empty)); err != nil || !report.OK() {
		t.Errorf("%+v %v", report, err)
	}
}

// sealAnew signs the whole tree of the changed records, as somebody could who
// has the key: what is wrong must be found in the entries themselves.
func (p *parts) sealAnew(t *testing.T, signer note.Signer) {
	t.Helper()
	var tree peaks
	for _, r := range p.records {
		tree.add(leafOf(r), nil)
	}
	root := tree.root()
	p.header.Root = root[:]
	p.header.Position = Position(tree.size)
	p.sign(t, signer, Checkpoint{p.header.Origin, Position(tree.size), root})
}

func (p *parts) sign(t *testing.T, signer note.Signer, c Checkpoint) {
	t.Helper()
	signed, err := note.Sign(&note.Note{Text: c.Text()}, signer)
	if err != nil {
		t.Fatal(err)
	}
	p.notes = map[Position][]string{min(c.Position, p.records[len(p.records)-1].Position): {string(signed)}}
}

func TestEveryTamperingWithABundleIsNamed(t *testing.T) {
	signer, key := testKey(t, "province")
	stranger, _ := testKey(t, "stranger")
	for _, c := range []struct {
		name, check, account, entry string
		change                      func(t *testing.T, p *parts)
	}{
		{"a line changed", "entry content", "", "b", func(t *testing.T, p *parts) { p.records[1].Postings[0].Amount++ }},
		{"a line and the digest changed", "entry balance", "320100.agency/310", "b", func(t *testing.T, p *parts) {
			p.records[1].Postings[0].Amount++
			redigest(p.records[1])
		}},
		{"both lines and the digest changed", "account balances", testIncome, "", func(t *testing.T, p *parts) {
			for i := range p.records[0].Postings {
				p.records[0].Postings[i].Amount++
			}
			redigest(p.records[0])
		}},
		{"a summary and the digest changed", "checkpoints", "", "", func(t *testing.T, p *parts) {
			p.records[2].Summary = "x"
			redigest(p.records[2])
		}},
		{"the same, against the journal's root", "merkle tree", "", "", func(t *testing.T, p *parts) {
			p.records[2].Summary = "x"
			redigest(p.records[2])
		}},
		{"an entry dropped", "sequence", "", "d", func(t *testing.T, p *parts) { p.records = slices.Delete(p.records, 2, 3) }},
		{"the last entry dropped", "sequence", "", "", func(t *testing.T, p *parts) { p.records = p.records[:6] }},
		{"an entry twice", "sequence", "", "c", func(t *testing.T, p *parts) { p.records = slices.Insert(p.records, 3, p.records[2]) }},
		{"an entry twice with a place of its own", "entry ids", "", "c", func(t *testing.T, p *parts) {
			again := *p.records[2].Record
			again.Position = 8
			p.records = append(p.records, &exportedEntry{Record: &again})
			p.sealAnew(t, signer)
		}},
		{"entries exchanged", "sequence", "", "d", func(t *testing.T, p *parts) { p.records[2], p.records[3] = p.records[3], p.records[2] }},
		{"entries exchanged with their places", "floors", testCash, "b", func(t *testing.T, p *parts) {
			p.records[0], p.records[1] = p.records[1], p.records[0]
			p.records[0].Position, p.records[1].Position = 1, 2
			p.sealAnew(t, signer)
		}},
		{"versions of a floor exchanged", "floors", testCash, "d", func(t *testing.T, p *parts) {
			p.records[0].legs[0].Version, p.records[1].legs[1].Version, p.records[3].legs[0].Version = 2, 2, 1
		}},
		{"a version removed", "floors", testCash, "d", func(t *testing.T, p *parts) { p.records[3].legs[0].Version = 0 }},
		{"an id changed", "entry ids", "", "", func(t *testing.T, p *parts) { p.records[4].ID[3] ^= 1 }},
		{"a key changed", "entry ids", "", "e", func(t *testing.T, p *parts) {
			p.records[4].Key = "other"
			redigest(p.records[4])
		}},
		{"a voucher renumbered", "voucher numbers", "320100.agency", "d", func(t *testing.T, p *parts) { p.records[3].Vouchers[0].Number = 7 }},
		{"a voucher removed", "voucher numbers", testCash, "d", func(t *testing.T, p *parts) { p.records[3].Vouchers = nil }},
		{"a voucher of another book", "voucher numbers", testCash, "d", func(t *testing.T, p *parts) { p.records[3].Vouchers[0].Book = "320500.agency" }},
		{"a voucher without cash", "voucher numbers", testClaim, "c", func(t *testing.T, p *parts) {
			p.records[2].Vouchers = []Voucher{{"320500.agency", "2025-01", 1}}
		}},
		{"a period before the opening", "periods", testCash, "a", func(t *testing.T, p *parts) {
			p.records[0].Period, p.records[0].Vouchers[0].Period = "2024-12", "2024-12"
			redigest(p.records[0])
		}},
		{"a book opened later", "periods", testClaim, "c", func(t *testing.T, p *parts) {
			for i := range p.months {
				p.months[i].month = "2025-02"
			}
		}},
		{"no amount", "entry content", testCash, "a", func(t *testing.T, p *parts) {
			p.records[0].Postings[0].Amount = 0
			redigest(p.records[0])
		}},
		{"a heading posted to", "entry content", "320100.agency/310/1101", "a", func(t *testing.T, p *parts) {
			p.records[0].Postings[0].Account.Subject = "1101"
			redigest(p.records[0])
		}},
		{"a subject removed", "entry content", testIncome, "a", func(t *testing.T, p *parts) {
			p.header.Subjects = slices.DeleteFunc(slices.Clone(p.header.Subjects), func(s accounts.Subject) bool { return s.Code == "4001" })
		}},
		{"a floor removed from the chart", "floors", testCash, "", func(t *testing.T, p *parts) {
			p.header.Subjects = slices.Clone(p.header.Subjects)
			for i := range p.header.Subjects {
				p.header.Subjects[i].Floor = false
			}
		}},
		{"a balance changed", "account balances", testCash, "", func(t *testing.T, p *parts) { p.balances[0].debit++ }},
		{"a number of lines changed", "account balances", testCash, "", func(t *testing.T, p *parts) { p.balances[0].lines++ }},
		{"a balance removed", "account balances", testCash, "", func(t *testing.T, p *parts) { p.balances = p.balances[1:] }},
		{"a balance twice", "account balances", testCash, "", func(t *testing.T, p *parts) { p.balances = slices.Insert(p.balances, 0, p.balances[0]) }},
		{"a balance without lines", "account balances", "zzz", "", func(t *testing.T, p *parts) {
			p.balances = append(p.balances, bundleBalance{account: "zzz", debit: 1})
		}},
		{"a floor changed", "floors", testCash, "", func(t *testing.T, p *parts) { p.floors[0].balance++ }},
		{"a floor's version changed", "floors", testCash, "", func(t *testing.T, p *parts) { p.floors[0].version++ }},
		{"a floor removed", "floors", testCash, "", func(t *testing.T, p *parts) { p.floors = nil }},
		{"a checkpoint of another root", "checkpoints", "", "", func(t *testing.T, p *parts) {
			p.sign(t, signer, Checkpoint{Origin: p.header.Origin, Position: 7})
		}},
		{"a checkpoint of another journal", "checkpoints", "", "", func(t *testing.T, p *parts) {
			p.sign(t, signer, Checkpoint{"elsewhere", 7, [32]byte(p.header.Root)})
		}},
		{"a checkpoint beyond the end", "checkpoints", "", "", func(t *testing.T, p *parts) {
			p.sign(t, signer, Checkpoint{p.header.Origin, 9, [32]byte(p.header.Root)})
		}},
		{"a checkpoint of a stranger", "checkpoints", "", "", func(t *testing.T, p *parts) { p.sealAnew(t, stranger) }},
		{"a checkpoint edited", "checkpoints", "", "", func(t *testing.T, p *parts) {
			p.notes[7][0] = strings.Replace(p.notes[7][0], "\n7\n", "\n6\n", 1)
		}},
		{"no checkpoint of the key", "checkpoints", "", "", func(t *testing.T, p *parts) { p.notes = nil }},
		{"another count", "bundle format", "", "", func(t *testing.T, p *parts) {
			p.counts = &bundleCounts{entries: 7, checkpoints: 2, months: int64(len(p.months)), balances: 5, floors: 2}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newParts(t, testEntries(t), 2, signer, 3, 7)
			c.change(t, p)
			report, err := VerifyBundle(t.Context(), bytes.NewReader(p.write(t, 500)), key)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range report.Findings {
				if f.Check == c.check && strings.HasPrefix(f.Account, c.account) && (c.entry == "" || f.Entry == EntryID(c.entry).String()) {
					return
				}
			}
			t.Errorf("no finding of %q on %q, entry %q: %+v", c.check, c.account, c.entry, report.Findings)
		})
	}
}

// frameOffsets returns where the frames of a bundle begin.
func frameOffsets(t *testing.T, bundle []byte) (offsets []int) {
	t.Helper()
	for at := len(bundleMagic); at < len(bundle); {
		offsets = append(offsets, at)
		at += frameHead + int(binary.LittleEndian.Uint32(bundle[at+8:]))
	}
	return offsets
}

// proved tells whether a bundle is taken for whole.
func proved(t *testing.T, bundle []byte, keys ...note.Verifier) bool {
	t.Helper()
	report, err := VerifyBundle(t.Context(), bytes.NewReader(bundle), keys...)
	if err != nil && fault.KindOf(err) != fault.Invalid {
		t.Fatal(err)
	}
	return err == nil && report.OK()
}

func TestDamageInAnySectionIsFound(t *testing.T) {
	signer, key := testKey(t, "province")
	bundle := testParts(t, 2, signer, 3, 11).write(t, 500)
	offsets := frameOffsets(t, bundle)
	places := []int{0, len(bundleMagic) - 1}
	for i, at := range offsets {
		end := len(bundle)
		if i+1 < len(offsets) {
			end = offsets[i+1]
		}
		for k := range frameHead {
			places = append(places, at+k)
		}
		for k := at + frameHead; k < end; k += 1 + (end-at)/20 {
			places = append(places, k)
		}
		if proved(t, append(slices.Clone(bundle[:at]), bundle[end:]...), key) {
			t.Errorf("the bundle holds without frame %d, of type %c", i, bundle[at])
		}
		if proved(t, slices.Concat(bundle[:end], bundle[at:end], bundle[end:]), key) {
			t.Errorf("the bundle holds with frame %d, of type %c, twice", i, bundle[at])
		}
		if proved(t, bundle[:at], key) || proved(t, bundle[:end-1], key) {
			t.Errorf("the bundle holds when it ends at frame %d", i)
		}
	}
	for _, place := range places {
		flipped := bytes.Clone(bundle)
		flipped[place] ^= 0x10
		if proved(t, flipped, key) {
			t.Errorf("a changed byte at %d is not found", place)
		}
	}
	if proved(t, append(bytes.Clone(bundle), 0), key) {
		t.Error("a byte behind the end is not found")
	}
}

func TestEntriesBehindADamagedFrameAreStillChecked(t *testing.T) {
	signer, _ := testKey(t, "province")
	p := newParts(t, testEntries(t), 2, signer)
	p.records[6].Postings[0].Amount++
	bundle := p.write(t, 1)
	bundle[frameOffsets(t, bundle)[1+len(p.months)+1]+frameHead+5] ^= 1 // entry b
	report, err := VerifyBundle(t.Context(), bytes.NewReader(bundle))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, f := range report.Findings {
		found[f.Check] += f.Entry + " "
	}
	if report.Entries != 6 || found["bundle format"] == "" || !strings.Contains(found["entry content"], EntryID("g").String()) || !strings.Contains(found["sequence"], EntryID("c").String()) {
		t.Errorf("%+v", report)
	}
}

func TestReadErrorsAndCancellationAreNoFindings(t *testing.T) {
	signer, _ := testKey(t, "province")
	bundle := newParts(t, testEntries(t), 2, signer).write(t, 1)
	broken := errors.New("disk")
	for _, at := range []int{5, len(bundleMagic) + 3, len(bundle) - 3} {
		if _, err := VerifyBundle(t.Context(), &brokenReader{bundle[:at], broken}); !errors.Is(err, broken) {
			t.Errorf("at %d: %v", at, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := VerifyBundle(ctx, bytes.NewReader(bundle)); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	for _, other := range []string{"", "fundledger bundle 2\n", bundleMagic, string(bundle[:200])} {
		if _, err := VerifyBundle(t.Context(), strings.NewReader(other)); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%q: %v", other, err)
		}
	}
}

type brokenReader struct {
	data []byte
	err  error
}

func (r *brokenReader) Read(b []byte) (int, error) {
	if len(r.data) == 0 {
		return 0, r.err
	}
	n := copy(b, r.data)
	r.data = r.data[n:]
	return n, nil
}

// The pinned bundle must stay readable, and what is written today must have
// the same content; only its compression may differ.
func TestGoldenBundle(t *testing.T) {
	file, keyFile := filepath.Join("testdata", "bundle.fundledger"), filepath.Join("testdata", "bundle.key")
	signer, newPublic := newKey(t, "province")
	p := testParts(t, 2, signer, 3, 11)
	if *update {
		if err := errors.Join(os.MkdirAll("testdata", 0o755), os.WriteFile(file, p.write(t, 600), 0o644),
			os.WriteFile(keyFile, []byte(newPublic+"\n"), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	golden, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	public, err := os.ReadFile(keyFile)
	if err != nil {
		t.Fatal(err)
	}
	pinned, err := note.NewVerifier(strings.TrimSpace(string(public)))
	if err != nil {
		t.Fatal(err)
	}
	report, err := VerifyBundle(t.Context(), bytes.NewReader(golden), pinned)
	if err != nil || !report.OK() || report.Signed != 11 || report.Entries != 11 {
		t.Fatalf("%+v %v", report, err)
	}
	old, now := contents(t, golden), contents(t, p.write(t, 600))
	if len(old) != len(now) {
		t.Fatalf("%d frames, %d are pinned", len(now), len(old))
	}
	for i := range old {
		if old[i][0] != frameCheckpoints && old[i] != now[i] {
			t.Errorf("the content of frame %d, of type %c, changed without a new version", i, old[i][0])
		}
	}
}

// contents returns type and content of each frame.
func contents(t *testing.T, bundle []byte) (all []string) {
	t.Helper()
	in := bytes.NewReader(bundle[len(bundleMagic):])
	r, err := newFrameReader()
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	for in.Len() > 0 {
		var f frame
		if err := readFrame(in, &f); err != nil {
			t.Fatal(err)
		}
		content, ok := r.open(&f)
		if !ok {
			t.Fatal("unreadable frame")
		}
		all = append(all, string(f.kind)+string(content))
	}
	return all
}
