package export

import (
	"encoding/json"
	"io"
)

// WriteJSON writes the value indented, amounts in yuan as strings.
func WriteJSON(w io.Writer, value any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	return e.Encode(value)
}
