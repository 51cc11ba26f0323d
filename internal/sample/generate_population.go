package sample

import (
	"fmt"
	"math/rand/v2"

	"cloud.google.com/go/civil"

	"fundledger/accounts"
)

// weighted draws codes by how often they come.
type weighted struct {
	codes   []string
	weights []int
	sum     int
}

func weigh(codes []string, weights ...int) weighted {
	w := weighted{codes: codes, weights: weights}
	for _, n := range weights {
		w.sum += n
	}
	return w
}

func (w weighted) draw(rand *rand.Rand) string {
	n := rand.IntN(w.sum)
	for i, weight := range w.weights {
		if n -= weight; n < 0 {
			return w.codes[i]
		}
	}
	panic("sample: weights do not sum")
}

// People go from the north of the province to Nanjing, Suzhou and Shanghai for
// treatment, and come mostly from Anhui.
var (
	cities = []string{"320100", "320200", "320300", "320400", "320500", "320600", "320700",
		"320800", "320900", "321000", "321100", "321200", "321300"}
	provinces = []string{"110000", "310000", "330000", "340000", "370000", "410000", "440000", "510000"}

	homeCities     = weigh(cities, 196, 219, 400, 181, 271, 381, 337, 325, 499, 221, 204, 307, 511)
	hostCities     = weigh(cities, 839, 360, 362, 333, 470, 202, 58, 68, 76, 121, 92, 111, 40)
	hostProvinces  = weigh(provinces, 260, 991, 273, 79, 74, 45, 124, 71)
	homeProvinces  = weigh(provinces, 25, 112, 82, 442, 116, 133, 29, 58)
	directions     = weigh([]string{"in-province", "out", "in"}, 427, 384, 199)
	insuranceTypes = weigh([]string{"310", "390"}, 55, 45)
	medicalTypes   = weigh([]string{"11", "41", "14", "21"}, 663, 238, 40, 59)

	stays = []int{3, 5, 7, 9, 12, 20, 35}

	// Total amounts in fen at 0, 5, 25, 50, 75, 95, 99.9 and 100 % of the
	// bills. A table keeps floating point, which differs by machine, out.
	totals = map[string][]int64{
		"11": {800, 4700, 9300, 15000, 24000, 48800, 165000, 300000},
		"41": {1500, 4200, 8000, 13900, 22300, 46600, 116000, 250000},
		"14": {19000, 33000, 84000, 131000, 180000, 380000, 690000, 900000},
		"21": {160000, 350000, 780000, 1260000, 2260000, 4400000, 11500000, 30000000},
	}
	marks = []int{0, 500, 2500, 5000, 7500, 9500, 9990, 10000}
)

// drawTotal draws the total of a bill.
func drawTotal(rand *rand.Rand, medical string) accounts.Fen {
	at, table := rand.IntN(10000), totals[medical]
	i := 1
	for at >= marks[i] {
		i++
	}
	low, high := table[i-1], table[i]
	fine := int64(at-marks[i-1])*1000 + rand.Int64N(1000)
	return accounts.Fen(low + (high-low)*fine/(int64(marks[i]-marks[i-1])*1000))
}

// draw makes a settlement of the month.
func (g *generator) draw(serial int) record {
	var r record
	switch directions.draw(g.rand) {
	case "in-province":
		r.insured, r.treats = homeCities.draw(g.rand), hostCities.draw(g.rand)
		for r.treats == r.insured {
			r.treats = hostCities.draw(g.rand)
		}
	case "out":
		r.insured, r.treats = homeCities.draw(g.rand), hostProvinces.draw(g.rand)
	default:
		r.insured, r.treats = homeProvinces.draw(g.rand), hostCities.draw(g.rand)
	}
	r.insurance, r.medical = insuranceTypes.draw(g.rand), medicalTypes.draw(g.rand)
	r.clearing, r.person = r.medical, fmt.Sprintf("P%012x", g.rand.Uint64()>>16)
	if r.medical == "14" {
		r.clearing = "11"
	}
	r.provider = g.drawProvider(&r)
	first := g.Month.First()
	r.end = first.AddDays(g.rand.IntN(g.Month.Last().Day))
	r.begin = r.end
	if r.medical == "21" {
		r.begin = r.end.AddDays(-stays[g.rand.IntN(len(stays))])
	}
	r.at = civil.DateTime{Date: r.end, Time: civil.Time{Hour: 8 + g.rand.IntN(10), Minute: g.rand.IntN(60), Second: g.rand.IntN(60)}}
	r.id = fmt.Sprintf("A%s%02d%02d%02d%07d", r.insured, r.end.Year%100, int(r.end.Month), r.end.Day, serial)
	g.drawAmounts(&r)
	return r
}

func (g *generator) drawProvider(r *record) string {
	letter := "H"
	if r.medical == "41" {
		letter = "P"
	}
	return fmt.Sprintf("%s%s%05d", letter, r.treats, 1+g.rand.IntN(60))
}

// drawAmounts splits a bill. Each part takes its share of the bill as far as
// something is left, the patient pays the rest.
func (g *generator) drawAmounts(r *record) {
	left := drawTotal(g.rand, r.medical)
	total := left
	if g.rand.IntN(500) == 0 { // below the deductible
		r.cash = left
		r.sum()
		return
	}
	share := func(percent, low, high int) accounts.Fen { // low, high in per mille
		if g.rand.IntN(1000) >= percent*10 {
			return 0
		}
		take := min(left, total*accounts.Fen(low*1000+g.rand.IntN((high-low)*1000))/1_000_000)
		left -= take
		return take
	}
	employee, ward := r.insurance == "310", r.medical == "21"
	r.pay[hifp] = share(100, 400, 870)
	if employee {
		r.pay[cvlserv] = share(12, 36, 70)
		r.pay[hifes] = share(2, 28, 52)
	}
	switch {
	case ward && employee:
		r.pay[hifob] = share(30, 57, 100)
	case ward:
		r.pay[hifmi] = share(36, 80, 130)
	}
	r.pay[maf] = share(5, 88, 181)
	r.pay[oth] = share(1, 16, 29)
	if employee && g.rand.IntN(100) < 60 {
		r.account = left * accounts.Fen(30+g.rand.IntN(700)) / 1000
		left -= r.account
	}
	r.cash = left
	r.sum()
}

// refunds gives a settlement back: in full, in part, or in two parts, which
// may be everything.
func (g *generator) refunds(r *record) []record {
	shares := []accounts.Fen{1000} // per mille of the settlement
	switch g.rand.IntN(5) {
	case 0:
		shares[0] = accounts.Fen(1 + g.rand.IntN(999))
	case 1:
		first := accounts.Fen(1 + g.rand.IntN(999))
		shares = []accounts.Fen{first, 1000 - first}
	}
	var list []record
	left := *r
	for i, share := range shares {
		back := *r
		back.id, back.original = r.id+"R", r.id
		if i > 0 {
			back.id += "2"
		}
		give := func(whole accounts.Fen, left *accounts.Fen) accounts.Fen {
			amount := whole * share / 1000
			if i > 0 {
				amount = *left
			}
			*left -= amount
			return -amount
		}
		for k := range back.pay {
			back.pay[k] = give(r.pay[k], &left.pay[k])
		}
		back.account, back.cash = give(r.account, &left.account), give(r.cash, &left.cash)
		back.sum()
		back.at.Date = back.at.Date.AddDays(g.rand.IntN(g.Month.Last().Day - r.end.Day + 1))
		back.at.Time = civil.Time{Hour: 18 + i, Minute: g.rand.IntN(60)}
		if back.total != 0 {
			list = append(list, back)
		}
	}
	return list
}
