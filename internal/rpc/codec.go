package rpc

import (
	"bytes"
	"crypto/rand"
	"errors"
	"strings"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"fundledger/internal/fault"
)

// codecs read and write messages as connect does, but for one thing: connect
// answers a request that it cannot read by itself, without the form of our
// errors, the log and the record. So reading never fails: what cannot be read
// becomes an empty message with the reason, which the chain then refuses.
func codecs() connect.HandlerOption {
	return connect.WithHandlerOptions(
		connect.WithCodec(binaryCodec{}), connect.WithCodec(jsonCodec{"json"}), connect.WithCodec(jsonCodec{"json; charset=utf-8"}),
	)
}

type binaryCodec struct{}

func (binaryCodec) Name() string   { return "proto" }
func (binaryCodec) IsBinary() bool { return true }

func (binaryCodec) Marshal(message any) ([]byte, error) {
	return proto.Marshal(message.(proto.Message))
}

func (binaryCodec) MarshalAppend(to []byte, message any) ([]byte, error) {
	return proto.MarshalOptions{}.MarshalAppend(to, message.(proto.Message))
}

func (binaryCodec) Unmarshal(data []byte, message any) error {
	m := message.(proto.Message)
	return orReason(m, proto.Unmarshal(data, m))
}

// jsonCodec ignores fields that it does not know, so that clients may be newer.
type jsonCodec struct{ name string }

func (c jsonCodec) Name() string { return c.name }

func (jsonCodec) Marshal(message any) ([]byte, error) {
	return protojson.Marshal(message.(proto.Message))
}

func (jsonCodec) MarshalAppend(to []byte, message any) ([]byte, error) {
	return protojson.MarshalOptions{}.MarshalAppend(to, message.(proto.Message))
}

func (jsonCodec) Unmarshal(data []byte, message any) error {
	m := message.(proto.Message)
	if len(data) == 0 {
		return orReason(m, errors.New("it is empty: an object without fields is {}"))
	}
	return orReason(m, protojson.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(data, m))
}

// reasonField holds why a message cannot be read; no message has a field of this
// number. The mark is of this process, so that no client can send one.
const reasonField = protowire.MaxValidNumber

var reasonMark = protowire.AppendString(protowire.AppendTag(nil, reasonField, protowire.BytesType), rand.Text())

func orReason(message proto.Message, err error) error {
	if err != nil {
		proto.Reset(message)
		reason := strings.ReplaceAll(err.Error(), "\u00a0", " ") // protobuf varies its spaces
		message.ProtoReflect().SetUnknown(append(bytes.Clone(reasonMark), reason...))
	}
	return nil
}

// unreadable is the error of a message that could not be read.
func unreadable(message proto.Message) error {
	if reason, ok := bytes.CutPrefix(message.ProtoReflect().GetUnknown(), reasonMark); ok {
		return fault.New(fault.Invalid, "the request cannot be read: %s", reason)
	}
	return nil
}
