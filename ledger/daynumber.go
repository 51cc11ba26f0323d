package ledger

// dayOf numbers days in their order.
func dayOf(year, month, day int) int { return year<<9 | month<<5 | day }

// dayNumber reads "YYYY-MM-DD".
func dayNumber(s []byte) (int, bool) {
	if len(s) != 10 || s[7] != '-' || s[0] == '-' {
		return 0, false
	}
	month, ok := monthNumber(s[:7])
	day, valid := digits(s[8:])
	year, m := month/12, month%12+1
	last := 31
	switch {
	case m == 4 || m == 6 || m == 9 || m == 11:
		last = 30
	case m == 2 && year%4 == 0 && (year%100 != 0 || year%400 == 0):
		last = 29
	case m == 2:
		last = 28
	}
	return dayOf(year, m, day), ok && valid && day >= 1 && day <= last
}

// monthNumber reads "YYYY-MM" and counts months from year 0.
func monthNumber(s []byte) (int, bool) {
	if len(s) != 7 || s[4] != '-' {
		return 0, false
	}
	year, ok := digits(s[:4])
	month, valid := digits(s[5:])
	return year*12 + month - 1, ok && valid && month >= 1 && month <= 12
}

func digits(s []byte) (n int, ok bool) {
	for _, c := range s {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, true
}
