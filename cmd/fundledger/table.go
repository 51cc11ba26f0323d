package main

import (
	"fmt"
	"io"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// textTable is a table for people: aligned, wide characters included.
type textTable struct {
	writer table.Writer
}

func newTable(header ...any) textTable {
	w := table.NewWriter()
	w.SetStyle(table.StyleLight)
	w.Style().Format.Header = text.FormatDefault
	w.Style().Options.DrawBorder = false
	w.Style().Options.SeparateColumns = false
	w.AppendHeader(header)
	return textTable{w}
}

// alignRight sets columns, counted from 1, to the right.
func (t textTable) alignRight(columns ...int) {
	configs := make([]table.ColumnConfig, len(columns))
	for i, n := range columns {
		configs[i] = table.ColumnConfig{Number: n, Align: text.AlignRight, AlignHeader: text.AlignRight}
	}
	t.writer.SetColumnConfigs(configs)
}

func (t textTable) row(cells ...any) {
	for i, c := range cells {
		if s, ok := c.(fmt.Stringer); ok {
			cells[i] = s.String()
		}
	}
	t.writer.AppendRow(cells)
}

func (t textTable) print(out io.Writer) { fmt.Fprintln(out, t.writer.Render()) }
