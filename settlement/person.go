package settlement

import (
	"strings"
)

// looksPersonal tells whether a text may name a person: it has characters
// beyond ASCII, as Chinese names do, or holds an identity number (居民身份证).
// Such a text is never stored.
func looksPersonal(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 || s[i] < ' ' && s[i] != '\t' {
			return true
		}
	}
	return holdsIdentityNumber(s)
}

// isPersonHash tells whether psn_no may be a salted hash: 8 to 64 letters and
// digits (also - and _) with both among them, no identity number inside, and
// more letters than the X at the end of one.
func isPersonHash(s string) bool {
	if len(s) < 8 || len(s) > 64 || !isCode(s) || strings.Contains(s, ".") || holdsIdentityNumber(s) {
		return false
	}
	letters, digits := 0, 0
	for i := range len(s) {
		switch c := s[i]; {
		case isDigit(c):
			digits++
		case c != '-' && c != '_':
			letters++
		}
	}
	if last := s[len(s)-1]; letters == 1 && (last == 'X' || last == 'x') {
		return false // 17 digits and a check mark, whatever they are divided by
	}
	return letters > 0 && digits > 0
}

// holdsIdentityNumber looks for 18 characters that form an identity number
// (GB 11643: region, date of birth, serial, check digit), anywhere in the
// text, and for a text that is 15 or 18 digits as a whole.
func holdsIdentityNumber(s string) bool {
	digits := 0
	for i := range len(s) {
		if isDigit(s[i]) {
			digits++
		}
	}
	if digits < 15 {
		return false
	}
	if digits == len(s) && len(s) == 15 {
		return true
	}
	for i := 0; i+18 <= len(s); i++ {
		if isIdentityNumber(s[i : i+18]) {
			return true
		}
	}
	return false
}

var identityWeights = [17]int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2}

func isIdentityNumber(s string) bool {
	sum := 0
	for i, w := range identityWeights {
		if !isDigit(s[i]) {
			return false
		}
		sum += w * int(s[i]-'0')
	}
	if century := s[6:8]; s[0] == '0' || century != "18" && century != "19" && century != "20" {
		return false
	}
	if s[10:12] < "01" || s[10:12] > "12" || s[12:14] < "01" || s[12:14] > "31" {
		return false
	}
	check := "10X98765432"[sum%11]
	return s[17] == check || check == 'X' && s[17] == 'x'
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// isCode: letters, digits, point, dash and underscore.
func isCode(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case isDigit(c), c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', c == '.', c == '-', c == '_':
		default:
			return false
		}
	}
	return s != ""
}
