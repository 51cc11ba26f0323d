package proto_test

import (
	"slices"
	"strings"
	"testing"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	accessv1 "fundledger/proto/gen/fundledger/access/v1"
	_ "fundledger/proto/gen/fundledger/accounts/v1"
	_ "fundledger/proto/gen/fundledger/audit/v1"
	_ "fundledger/proto/gen/fundledger/clearing/v1"
	_ "fundledger/proto/gen/fundledger/jobs/v1"
	_ "fundledger/proto/gen/fundledger/ledger/v1"
	_ "fundledger/proto/gen/fundledger/settlement/v1"
	_ "fundledger/proto/gen/fundledger/type/v1"
)

// methods are all methods of all services.
func methods() (all []protoreflect.MethodDescriptor) {
	protoregistry.GlobalFiles.RangeFiles(func(file protoreflect.FileDescriptor) bool {
		for i := range file.Services().Len() {
			for j := range file.Services().Get(i).Methods().Len() {
				all = append(all, file.Services().Get(i).Methods().Get(j))
			}
		}
		return true
	})
	return slices.DeleteFunc(all, func(m protoreflect.MethodDescriptor) bool {
		return !strings.HasPrefix(string(m.FullName()), "fundledger.")
	})
}

func access(m protoreflect.MethodDescriptor) *accessv1.Access {
	return proto.GetExtension(m.Options(), accessv1.E_Access).(*accessv1.Access)
}

func changes(m protoreflect.MethodDescriptor) bool {
	return m.Options().(*descriptorpb.MethodOptions).GetIdempotencyLevel() != descriptorpb.MethodOptions_NO_SIDE_EFFECTS
}

// field follows a path such as "entries.postings.account".
func field(message protoreflect.MessageDescriptor, path string) protoreflect.FieldDescriptor {
	var found protoreflect.FieldDescriptor
	for name := range strings.SplitSeq(path, ".") {
		if message == nil {
			return nil
		}
		if found = message.Fields().ByName(protoreflect.Name(name)); found == nil {
			return nil
		}
		message = found.Message()
	}
	return found
}

func has(message protoreflect.MessageDescriptor, name string, kind protoreflect.Kind) bool {
	f := field(message, name)
	return f != nil && f.Kind() == kind && !f.IsList()
}

func TestEveryMethodSaysWhatItsCallerNeeds(t *testing.T) {
	if len(methods()) < 50 {
		t.Fatalf("only %d methods are found", len(methods()))
	}
	for _, m := range methods() {
		a := access(m)
		if a.GetAction() == "" || a.GetScope() == accessv1.Scope_SCOPE_UNSPECIFIED {
			t.Errorf("%s has no action or no scope", m.FullName())
		}
		if a.GetScope() == accessv1.Scope_SCOPE_FIELDS && len(a.GetRegionFields()) == 0 {
			t.Errorf("%s finds its regions in fields and names none", m.FullName())
		}
		for _, path := range a.GetRegionFields() {
			f := field(m.Input(), path)
			if f == nil || f.Kind() != protoreflect.StringKind {
				t.Errorf("%s: region field %q is no text of %s", m.FullName(), path, m.Input().FullName())
				continue
			}
			if rules := rulesOf(f); !slices.ContainsFunc([]string{"region", "book", "account"}, func(rule string) bool { return strings.Contains(rules, "."+rule+"]") }) {
				t.Errorf("%s: region field %q holds no region, book or account: %s", m.FullName(), path, rules)
			}
		}
	}
}

// rulesOf writes the rules of a field as text.
func rulesOf(f protoreflect.FieldDescriptor) string {
	if !proto.HasExtension(f.Options(), validate.E_Field) {
		return ""
	}
	return proto.GetExtension(f.Options(), validate.E_Field).(*validate.FieldRules).String()
}

func TestWhatChangesSomethingHasAKeyAndTellsReplays(t *testing.T) {
	for _, m := range methods() {
		key := access(m).GetKeyField()
		if !changes(m) {
			if key != "" || has(m.Output(), "replayed", protoreflect.BoolKind) {
				t.Errorf("%s changes nothing and has a key or replays", m.FullName())
			}
			continue
		}
		if f := field(m.Input(), key); f == nil || f.Kind() != protoreflect.StringKind || !strings.Contains(rulesOf(f), "required:true") {
			t.Errorf("%s: key field %q is no required text of %s", m.FullName(), key, m.Input().FullName())
		}
		if !has(m.Output(), "replayed", protoreflect.BoolKind) {
			t.Errorf("%s does not tell whether it was replayed", m.FullName())
		}
	}
}

// offJournal are reads of what is not made of the journal: rules, uploads, jobs,
// calls, a computation from a file, documents, what banks say and what of it is matched. Watching begins at
// a position instead.
var offJournal = []string{
	"ListRegions", "ListInstitutions", "ListFunds", "ListSubjects", "ListPostingRules", "ListParameters", "ListCalendarDays",
	"ListCodes", "ListAccessRules", "GetUpload", "ListRowErrors", "GetJob", "ListJobs", "WatchJob", "ListCalls", "GetQuotas",
	"ListDocuments", "DownloadDocument", "WatchEntries", "CheckTable",
	"ListBankAccounts", "ListBankStatements", "ListBankLines", "ListBankMatches", "DownloadBankReconciliation", "ListBankAlerts",
}

func TestReadsOfTheJournalTellItsPosition(t *testing.T) {
	for _, m := range methods() {
		if changes(m) {
			continue
		}
		takes := has(m.Input(), "at_least_position", protoreflect.Int64Kind)
		tells := has(m.Output(), "position", protoreflect.Int64Kind)
		off := slices.Contains(offJournal, string(m.Name()))
		if off == takes || (!off && !tells) {
			t.Errorf("%s: takes at_least_position: %v, tells position: %v", m.FullName(), takes, tells)
		}
	}
}

func TestListsArePaged(t *testing.T) {
	lists := 0
	for _, m := range methods() {
		paged := has(m.Input(), "page_size", protoreflect.Int32Kind) && has(m.Input(), "page_token", protoreflect.StringKind) &&
			has(m.Output(), "next_page_token", protoreflect.StringKind)
		isList := strings.HasPrefix(string(m.Name()), "List") || m.Name() == "GetBalances" || m.Name() == "GetStatement"
		if paged != isList {
			t.Errorf("%s is a list: %v, is paged: %v", m.FullName(), isList, paged)
		}
		if isList {
			lists++
		}
	}
	if lists == 0 {
		t.Error("there are no lists")
	}
}

// TestEveryFieldOfARequestHasRules: flags and messages need none; the fields of
// those messages are looked at in their turn.
func TestEveryFieldOfARequestHasRules(t *testing.T) {
	seen := map[protoreflect.FullName]bool{}
	var look func(protoreflect.MessageDescriptor)
	look = func(message protoreflect.MessageDescriptor) {
		if seen[message.FullName()] || !strings.HasPrefix(string(message.FullName()), "fundledger.") {
			return
		}
		seen[message.FullName()] = true
		for i := range message.Fields().Len() {
			f := message.Fields().Get(i)
			if f.Message() != nil {
				look(f.Message())
			}
			free := !f.IsList() && (f.Kind() == protoreflect.BoolKind || f.Message() != nil)
			if !free && rulesOf(f) == "" {
				t.Errorf("%s has no rules", f.FullName())
			}
			if f.IsList() && !strings.Contains(rulesOf(f), "max_items") {
				t.Errorf("%s has no greatest number of items", f.FullName())
			}
		}
	}
	for _, m := range methods() {
		look(m.Input())
	}
	if len(seen) < len(methods()) {
		t.Errorf("only %d messages were looked at", len(seen))
	}
}
