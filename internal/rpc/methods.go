package rpc

import (
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	accessv1 "fundledger/proto/gen/fundledger/access/v1"
	"fundledger/proto/gen/fundledger/ledger/v1/ledgerv1connect"
)

// method is what the contract says of a method.
type method struct {
	procedure string
	access    *accessv1.Access
	streams   bool
	changes   bool // and therefore has a key and is recorded
	posts     bool // and is recorded with the entries that it posts
	regions   []path
	key       path
}

// path leads to a field, such as entries.postings.account.
type path []protoreflect.FieldDescriptor

// methodsOf reads the methods of a service by their procedures.
func methodsOf(service protoreflect.ServiceDescriptor) map[string]*method {
	methods := map[string]*method{}
	for i := range service.Methods().Len() {
		d := service.Methods().Get(i)
		options := d.Options().(*descriptorpb.MethodOptions)
		m := &method{
			procedure: "/" + string(service.FullName()) + "/" + string(d.Name()),
			access:    proto.GetExtension(options, accessv1.E_Access).(*accessv1.Access),
			streams:   d.IsStreamingClient() || d.IsStreamingServer(),
			changes:   options.GetIdempotencyLevel() != descriptorpb.MethodOptions_NO_SIDE_EFFECTS,
		}
		m.posts = m.procedure == ledgerv1connect.LedgerServicePostProcedure || m.procedure == ledgerv1connect.LedgerServicePostBatchProcedure
		for _, field := range m.access.GetRegionFields() {
			m.regions = append(m.regions, pathOf(d.Input(), field))
		}
		if key := m.access.GetKeyField(); key != "" {
			m.key = pathOf(d.Input(), key)
		}
		methods[m.procedure] = m
	}
	return methods
}

func pathOf(message protoreflect.MessageDescriptor, names string) (p path) {
	for name := range strings.SplitSeq(names, ".") {
		field := message.Fields().ByName(protoreflect.Name(name))
		p = append(p, field)
		message = field.Message()
	}
	return p
}

// each calls fn with every text at the end of the path that is given, until fn
// returns false.
func (p path) each(message protoreflect.Message, fn func(string) bool) bool {
	field := p[0]
	if !message.Has(field) {
		return true
	}
	value := message.Get(field)
	if !field.IsList() {
		return p.follow(value, fn)
	}
	for i := range value.List().Len() {
		if !p.follow(value.List().Get(i), fn) {
			return false
		}
	}
	return true
}

func (p path) follow(value protoreflect.Value, fn func(string) bool) bool {
	if len(p) == 1 {
		return fn(value.String())
	}
	return p[1:].each(value.Message(), fn)
}

// first is the first text of the path, or "".
func (p path) first(message protoreflect.Message) (first string) {
	if p != nil {
		p.each(message, func(s string) bool { first = s; return false })
	}
	return first
}

// regionsOf are the regions that the request names, in the order of its fields.
func (m *method) regionsOf(message proto.Message) (codes []string) {
	seen := map[string]bool{}
	for _, p := range m.regions {
		p.each(message.ProtoReflect(), func(name string) bool {
			if code := regionOf(name); name != "" && !seen[code] {
				seen[code] = true
				codes = append(codes, code)
			}
			return true
		})
	}
	return codes
}
