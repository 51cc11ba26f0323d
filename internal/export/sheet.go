package export

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"time"

	"github.com/xuri/excelize/v2"

	"fundledger/accounts"
	"fundledger/internal/fault"
)

// Sheet is a table with a title, as it is printed on A4 landscape.
type Sheet struct {
	Name    string   // of the tab, at most 31 characters
	Title   string   // 表题, over the whole width
	Lines   []string // under the title, over the whole width
	Columns []Column
	Rows    [][]any // string, int64, int or accounts.Fen; nil is empty
	Totals  [][]any // the same, in bold
	Notes   []string
}

// Column is a heading and a width in characters.
type Column struct {
	Name  string
	Width float64
}

const (
	moneyFormat = "#,##0.00"
	font        = "宋体"
	paperA4     = 9
	lineHeight  = 16
)

type styles struct{ title, line, head, text, number, money, boldText, boldNumber, boldMoney int }

// WriteXLSX writes a workbook of the sheets. The same sheets give the same
// bytes: the workbook's own dates are fixed.
func WriteXLSX(w io.Writer, sheets ...Sheet) error {
	f := excelize.NewFile()
	defer f.Close()
	s, err := newStyles(f)
	if err != nil {
		return err
	}
	for i, sheet := range sheets {
		if i == 0 {
			err = f.SetSheetName("Sheet1", sheet.Name)
		} else {
			_, err = f.NewSheet(sheet.Name)
		}
		if err != nil {
			return fault.New(fault.Internal, "sheet %q: %w", sheet.Name, err)
		}
		if err := writeSheet(f, s, sheet); err != nil {
			return fault.New(fault.Internal, "sheet %q: %w", sheet.Name, err)
		}
	}
	fixed := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Format(time.RFC3339)
	if err := f.SetDocProps(&excelize.DocProperties{Creator: "fundledger", LastModifiedBy: "fundledger", Created: fixed, Modified: fixed}); err != nil {
		return err
	}
	return f.Write(w)
}

func newStyles(f *excelize.File) (s styles, err error) {
	border := []excelize.Border{}
	for _, edge := range []string{"left", "top", "right", "bottom"} {
		border = append(border, excelize.Border{Type: edge, Color: "000000", Style: 1})
	}
	money := moneyFormat
	integer := "0"
	add := func(size float64, bold bool, align string, bordered bool, format *string) int {
		// Headings wrap in their cell, lines of text over the whole width.
		wrap := bordered == (align == "center")
		style := &excelize.Style{
			Font:         &excelize.Font{Family: font, Size: size, Bold: bold},
			Alignment:    &excelize.Alignment{Horizontal: align, Vertical: "center", WrapText: wrap},
			CustomNumFmt: format,
		}
		if bordered {
			style.Border = border
		}
		var id int
		if err == nil {
			id, err = f.NewStyle(style)
		}
		return id
	}
	s = styles{
		title: add(16, true, "center", false, nil), line: add(10, false, "left", false, nil), head: add(10, true, "center", true, nil),
		text: add(10, false, "left", true, nil), number: add(10, false, "right", true, &integer), money: add(10, false, "right", true, &money),
		boldText: add(10, true, "left", true, nil), boldNumber: add(10, true, "right", true, &integer), boldMoney: add(10, true, "right", true, &money),
	}
	return s, err
}

func writeSheet(f *excelize.File, s styles, sheet Sheet) error {
	w := &sheetWriter{f: f, name: sheet.Name, width: len(sheet.Columns)}
	for i, c := range sheet.Columns {
		column, err := excelize.ColumnNumberToName(i + 1)
		if err != nil {
			return err
		}
		w.check(f.SetColWidth(sheet.Name, column, column, c.Width))
	}
	w.merged(sheet.Title, s.title, 28)
	for _, line := range sheet.Lines {
		w.merged(line, s.line, lineHeight*lines(line, sheet.Columns))
	}
	head := make([]any, len(sheet.Columns))
	for i, c := range sheet.Columns {
		head[i] = c.Name
	}
	w.cells(head, s.head, s.head, s.head)
	w.check(f.SetRowHeight(sheet.Name, w.row, 2*lineHeight))
	first := w.row
	for _, row := range sheet.Rows {
		w.cells(row, s.text, s.number, s.money)
	}
	for _, row := range sheet.Totals {
		w.cells(row, s.boldText, s.boldNumber, s.boldMoney)
	}
	for _, note := range sheet.Notes {
		w.merged(note, s.line, lineHeight*lines(note, sheet.Columns))
	}
	w.layout(first)
	return w.err
}

// lines is how many lines a text takes over the width of the columns: merged
// cells do not grow by themselves. A Chinese character is two wide.
func lines(text string, columns []Column) float64 {
	var width, wide float64
	for _, c := range columns {
		width += c.Width
	}
	for _, r := range text {
		wide++
		if r > 0x2000 {
			wide++
		}
	}
	return math.Ceil(max(wide, 1) / max(width, 1))
}

type sheetWriter struct {
	f     *excelize.File
	name  string
	width int
	row   int // last written
	err   error
}

func (w *sheetWriter) check(err error) {
	if w.err == nil {
		w.err = err
	}
}

func (w *sheetWriter) cell(column int) string {
	name, err := excelize.CoordinatesToCellName(column, w.row)
	w.check(err)
	return name
}

func (w *sheetWriter) merged(text string, style int, height float64) {
	w.row++
	from, to := w.cell(1), w.cell(w.width)
	w.check(w.f.SetCellStr(w.name, from, text))
	w.check(w.f.MergeCell(w.name, from, to))
	w.check(w.f.SetCellStyle(w.name, from, to, style))
	w.check(w.f.SetRowHeight(w.name, w.row, height))
}

func (w *sheetWriter) cells(values []any, text, number, money int) {
	w.row++
	for i, value := range values {
		cell, style := w.cell(i+1), text
		switch v := value.(type) {
		case nil:
		case string:
			w.check(w.f.SetCellStr(w.name, cell, v))
		case int:
			style = number
			w.check(w.f.SetCellInt(w.name, cell, int64(v)))
		case int64:
			style = number
			w.check(w.f.SetCellInt(w.name, cell, v))
		case accounts.Fen:
			style = money
			w.check(w.money(cell, v))
		default:
			w.check(fmt.Errorf("cell %s has a %T", cell, value))
		}
		w.check(w.f.SetCellStyle(w.name, cell, cell, style))
	}
}

// maxExact is the largest amount whose every fen a spreadsheet's number tells
// apart (15 significant digits); a larger one is written as text.
const maxExact = accounts.Fen(999_999_999_999_999)

// money writes the amount's own decimal digits; no float is computed here.
func (w *sheetWriter) money(cell string, amount accounts.Fen) error {
	if amount > maxExact || amount < -maxExact {
		return w.f.SetCellStr(w.name, cell, amount.String())
	}
	return w.f.SetCellDefault(w.name, cell, amount.String())
}

// layout prints the sheet on A4 landscape, as wide as one page, with the
// heading on every page.
func (w *sheetWriter) layout(headRow int) {
	size, orientation, wide, high := paperA4, "landscape", 1, 0
	w.check(w.f.SetPageLayout(w.name, &excelize.PageLayoutOptions{Size: &size, Orientation: &orientation, FitToWidth: &wide, FitToHeight: &high}))
	fit := true
	w.check(w.f.SetSheetProps(w.name, &excelize.SheetPropsOptions{FitToPage: &fit}))
	center := true
	w.check(w.f.SetPageMargins(w.name, &excelize.PageLayoutMarginsOptions{Horizontally: &center}))
	w.check(w.f.SetHeaderFooter(w.name, &excelize.HeaderFooterOptions{OddFooter: "&C第 &P 页 共 &N 页"}))
	w.check(w.f.SetDefinedName(&excelize.DefinedName{Name: "_xlnm.Print_Titles", Scope: w.name,
		RefersTo: "'" + w.name + "'!$1:$" + strconv.Itoa(headRow)}))
	w.check(w.f.SetPanes(w.name, &excelize.Panes{Freeze: true, YSplit: headRow, TopLeftCell: fmt.Sprintf("A%d", headRow+1), ActivePane: "bottomLeft"}))
}
