package settlement

import (
	"context"
	"maps"
	"slices"

	"github.com/google/uuid"

	"fundledger/settlement/internal/db"
)

// finding is a settlement that is an exception, or was one until now.
type finding struct {
	id     string
	sides  *sides
	kind   string
	detail string
}

// except finds out why the settlements are not equal on all sides, and keeps
// those that belong to the month as exceptions.
func (r *reconciliation) except(ctx context.Context, q *db.Queries, ids []string, half []uuid.UUID, sums totals) error {
	records, err := readSides(ctx, q, ids)
	if err != nil {
		return err
	}
	contents, err := readContents(ctx, q, ids)
	if err != nil {
		return err
	}
	for id, s := range records {
		for i, side := range s {
			if side != nil && side.Status == statusValid && side.ServiceMonth == string(r.month) {
				sums.add(contents[id][Sides()[i]], i)
			}
		}
	}
	var found []*finding
	for _, id := range ids {
		s := records[id]
		if s == nil || s.month() != r.month || s.touches(half) {
			continue
		}
		if kind := s.kind(); kind != "" {
			found = append(found, &finding{id: id, sides: s, kind: kind})
		}
	}
	if len(found) == 0 {
		return nil
	}
	if err := explain(ctx, q, found, contents); err != nil {
		return err
	}
	p := db.WriteExceptionsParams{Month: string(r.month)}
	for _, f := range found {
		p.SetlIds, p.Kinds = append(p.SetlIds, f.id), append(p.Kinds, f.kind)
		p.Refunds, p.Details = append(p.Refunds, f.sides.refund()), append(p.Details, f.detail)
	}
	return q.WriteExceptions(ctx, p)
}

// readSides reads what the sides say of the settlements, whatever their month.
func readSides(ctx context.Context, q *db.Queries, ids []string) (map[string]*sides, error) {
	rows, err := q.ReadSides(ctx, ids)
	records := make(map[string]*sides, len(ids))
	for i := range rows {
		s := records[rows[i].SetlID]
		if s == nil {
			s = &sides{}
			records[rows[i].SetlID] = s
		}
		s.add(&rows[i])
	}
	return records, err
}

// explain words the details (the fields that differ, where each side's row
// stands), and tells amounts that differ from other fields.
func explain(ctx context.Context, q *db.Queries, found []*finding, contents map[string]map[Side]*record) error {
	files, err := filesOf(ctx, q, found)
	if err != nil {
		return err
	}
	for _, f := range found {
		f.detail = f.sides.places(files)
		if f.kind == KindFieldsDiffer {
			kind, detail := compareSides(contents[f.id])
			f.kind, f.detail = kind, detail+"; "+f.detail
		}
	}
	return nil
}

// readContents reads the content of each side's record, rejected ones excepted.
func readContents(ctx context.Context, q *db.Queries, ids []string) (map[string]map[Side]*record, error) {
	sides := make([]string, 0, len(Sides()))
	for _, side := range Sides() {
		sides = append(sides, string(side))
	}
	rows, err := q.ReadContent(ctx, db.ReadContentParams{SetlIds: ids, Sides: sides})
	contents := make(map[string]map[Side]*record, len(ids))
	for i := range rows {
		if contents[rows[i].SetlID] == nil {
			contents[rows[i].SetlID] = map[Side]*record{}
		}
		contents[rows[i].SetlID][Side(rows[i].Side)] = recordOf(&rows[i])
	}
	return contents, err
}

// resolve closes the exceptions of settlements that agree now, and notes the
// latest file that made them agree.
func (r *reconciliation) resolve(ctx context.Context, q *db.Queries, accepted []*record) (int, error) {
	var ids []string
	for _, rec := range accepted {
		if r.open[rec.id] {
			ids = append(ids, rec.id)
		}
	}
	if len(ids) == 0 {
		return 0, nil
	}
	records, err := readSides(ctx, q, ids)
	if err != nil {
		return 0, err
	}
	var agreed []*finding
	for _, id := range ids {
		agreed = append(agreed, &finding{id: id, sides: records[id]})
	}
	files, err := filesOf(ctx, q, agreed)
	if err != nil {
		return 0, err
	}
	var p db.ResolveExceptionsParams
	for _, f := range agreed {
		var latest db.LoadOrdersRow
		for _, side := range f.sides {
			if file := files[side.FileID]; file.LoadOrder > latest.LoadOrder {
				latest = file
			}
		}
		p.SetlIds, p.Files = append(p.SetlIds, f.id), append(p.Files, latest.Name)
	}
	n, err := q.ResolveExceptions(ctx, p)
	return int(n), err
}

// filesOf reads the files that the sides' records stand in.
func filesOf(ctx context.Context, q *db.Queries, list []*finding) (map[uuid.UUID]db.LoadOrdersRow, error) {
	ids := map[uuid.UUID]bool{}
	for _, f := range list {
		for _, side := range f.sides {
			if side != nil {
				ids[side.FileID] = true
			}
		}
	}
	rows, err := q.LoadOrders(ctx, slices.Collect(maps.Keys(ids)))
	if err != nil {
		return nil, err
	}
	files := make(map[uuid.UUID]db.LoadOrdersRow, len(rows))
	for _, r := range rows {
		files[r.ID] = r
	}
	return files, nil
}
