package settlement

import "strings"

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

// longestName bounds what may be a name in Latin letters.
const longestName = 19

// isPersonHash tells whether psn_no may be a salted hash: 8 to 64 letters and
// digits (also - and _) that are neither an identity number, with or without
// letters before it, nor a name in letters. A hash in hexadecimal may happen
// to have no digit or, behind a letter, nothing else.
func isPersonHash(s string) bool {
	if len(s) < 8 || len(s) > 64 || !isCode(s) || strings.Contains(s, ".") || isIdentityLike(s) {
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
		return false // digits and the check mark of an identity number
	}
	if digits == 0 && len(s) <= longestName {
		return strings.Trim(s[1:], "abcdef") == "" || strings.Trim(s[1:], "ABCDEF") == ""
	}
	return letters > 0
}

// isIdentityLike tells whether a text is an identity number (GB 11643) as a
// whole, right or mistyped, with dashes, or with letters before it; or 15
// digits, the form of before.
func isIdentityLike(s string) bool {
	if len(s) == 15 && strings.Trim(s, "0123456789") == "" {
		return true
	}
	s = strings.NewReplacer("-", "", "_", "", " ", "").Replace(s)
	s = strings.TrimLeft(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
	return len(s) == 18 && hasIdentityForm(s)
}

// holdsIdentityNumber looks for a text that is like an identity number, and
// for a right one anywhere inside.
func holdsIdentityNumber(s string) bool {
	if isIdentityLike(s) {
		return true
	}
	for i := 0; i+18 <= len(s); i++ {
		if hasIdentityForm(s[i:i+18]) && hasCheckDigit(s[i:i+18]) {
			return true
		}
	}
	return false
}

// hasIdentityForm: region, date of birth, serial, a digit or X.
func hasIdentityForm(s string) bool {
	for i := range 17 {
		if !isDigit(s[i]) {
			return false
		}
	}
	century := s[6:8]
	return s[0] != '0' && (century == "18" || century == "19" || century == "20") &&
		s[10:12] >= "01" && s[10:12] <= "12" && s[12:14] >= "01" && s[12:14] <= "31" &&
		(isDigit(s[17]) || s[17] == 'X' || s[17] == 'x')
}

var identityWeights = [17]int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2}

func hasCheckDigit(s string) bool {
	sum := 0
	for i, w := range identityWeights {
		sum += w * int(s[i]-'0')
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

// IsPersonHash tells whether a value may stand for a person: a salted hash, no
// name and no identity number.
func IsPersonHash(s string) bool { return isPersonHash(s) }
