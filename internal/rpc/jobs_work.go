package rpc

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"fundledger/internal/fault"
	"fundledger/internal/jobs"
	"fundledger/proto/gen/fundledger/audit/v1/auditv1connect"
	clearingv1 "fundledger/proto/gen/fundledger/clearing/v1"
	"fundledger/proto/gen/fundledger/clearing/v1/clearingv1connect"
	settlementv1 "fundledger/proto/gen/fundledger/settlement/v1"
	"fundledger/proto/gen/fundledger/settlement/v1/settlementv1connect"
)

// works are what jobs do, by the procedure that begins them.
func (s *Server) works() map[string]jobs.Work {
	return map[string]jobs.Work{
		settlementv1connect.SettlementServiceReconcileProcedure:    workOn(s.reconcile),
		settlementv1connect.SettlementServiceReconcileDayProcedure: workOn(s.reconcileDay),
		clearingv1connect.ClearingServiceClearProcedure:            workOn(s.clear),
		auditv1connect.AuditServiceVerifyProcedure:                 workOn(s.verify),
		auditv1connect.AuditServiceCheckProcedure:                  workOn(s.check),
	}
}

// request is a message by its pointer.
type request[M any] interface {
	*M
	proto.Message
}

// workOn is the work of a request as its service's messages have it.
func workOn[M any, P request[M]](do func(context.Context, P, func(jobs.Progress)) (proto.Message, error)) jobs.Work {
	return func(ctx context.Context, job jobs.Job, report func(jobs.Progress)) (jobs.Payload, error) {
		wanted := P(new(M))
		if err := proto.Unmarshal(job.Request.Data, wanted); err != nil {
			return jobs.Payload{}, fault.New(fault.Internal, "the request of job %s cannot be read: %w", job.ID, err)
		}
		result, err := do(ctx, wanted, report)
		if err != nil {
			return jobs.Payload{}, err
		}
		return payloadOf(result)
	}
}

// payloadOf is a message as jobs keep it, the same for the same content.
func payloadOf(message proto.Message) (jobs.Payload, error) {
	data, err := proto.MarshalOptions{Deterministic: true}.Marshal(message)
	if err != nil {
		return jobs.Payload{}, fault.New(fault.Internal, "a message of a job cannot be written: %w", err)
	}
	return jobs.Payload{Type: string(message.ProtoReflect().Descriptor().FullName()), Data: data}, nil
}

// uploadsEach is how often uploads are looked for that a server has left, and
// uploadsIdle how long one is kept that gets no byte.
const (
	uploadsEach = 30 * time.Second
	uploadsIdle = 30 * 24 * time.Hour
)

// Work does jobs and loads uploads that another server has left, until the
// context ends. Several servers share what there is.
func (s *Server) Work(ctx context.Context) error {
	var tending sync.WaitGroup
	defer tending.Wait()
	tending.Go(func() { s.tendUploads(ctx) })
	host, _ := os.Hostname() // for people only
	return s.work.Run(ctx, jobs.RunOptions{Name: fmt.Sprintf("%s/%d", host, os.Getpid()), Log: s.deps.Log})
}

func (s *Server) tendUploads(ctx context.Context) {
	each := time.NewTicker(uploadsEach)
	defer each.Stop()
	for {
		_, err := s.desks.Load().settlements.LoadUploads(ctx)
		if err == nil {
			_, err = s.desks.Load().settlements.DropUploads(ctx, uploadsIdle)
		}
		if err != nil && ctx.Err() == nil {
			s.deps.Log.Warn("uploads that were left could not be loaded", "error", err.Error())
		}
		select {
		case <-ctx.Done():
			return
		case <-each.C:
		}
	}
}

// begin begins the job of a call.
func (s *Server) begin(ctx context.Context, procedure, key string, message proto.Message) (jobs.Job, bool, error) {
	payload, err := payloadOf(message)
	if err != nil {
		return jobs.Job{}, false, err
	}
	return s.work.Start(ctx, jobs.Request{
		Kind: procedure, Key: key, Action: s.methods[procedure].access.GetAction(), Subject: caller(ctx), Request: payload,
	})
}

func (s *Server) reconcile(ctx context.Context, q *settlementv1.ReconcileRequest, report func(jobs.Progress)) (proto.Message, error) {
	return reconcileWork(ctx, s.deps.Store, s.desks.Load().settlements, q, report)
}

func (s *Server) clear(ctx context.Context, q *clearingv1.ClearRequest, report func(jobs.Progress)) (proto.Message, error) {
	return clearWork(ctx, s.desks.Load(), q, report)
}
