package client_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"log"
	"os"

	"fundledger/proto/client"
	clearingv1 "fundledger/proto/gen/fundledger/clearing/v1"
	settlementv1 "fundledger/proto/gen/fundledger/settlement/v1"
)

// A job that uploads a file, reconciles and clears its month, and can be run
// again after a crash at any point: its keys are made of what it is about.
func Example() {
	certificate, err := tls.LoadX509KeyPair("clearing.pem", "clearing.key")
	if err != nil {
		log.Fatal(err)
	}
	c, err := client.New(client.Options{
		Servers: []string{"https://ledger-1.example:8443", "https://ledger-2.example:8443"},
		TLS:     &tls.Config{Certificates: []tls.Certificate{certificate}},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	if err := month(context.Background(), c); err != nil {
		log.Fatal(err)
	}
}

func month(ctx context.Context, c *client.Client) error {
	file, err := os.Open("treating-2025-01.tsv")
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	_, err = c.UploadSettlements(ctx, client.File{
		BatchID: "2025-01/treating/1", Side: settlementv1.Side_SIDE_TREATING, Name: info.Name(), Content: file, Size: info.Size(),
	})
	if err != nil {
		return err
	}
	begun, err := c.Settlements.Reconcile(ctx, &settlementv1.ReconcileRequest{IdempotencyKey: "2025-01/reconcile/1", Month: "2025-01"})
	if err != nil {
		return err
	}
	report, err := client.Await[*settlementv1.ReconcileReport](ctx, c, begun.GetJob(), nil)
	if err != nil {
		return err
	}
	fmt.Println(report.GetMatched(), "settlements agree")
	cleared, err := c.Clearing.Clear(ctx, &clearingv1.ClearRequest{IdempotencyKey: "2025-01/clear/1", Month: "2025-01"})
	if err != nil {
		return err
	}
	if _, err := client.Await[*clearingv1.ClearReport](ctx, c, cleared.GetJob(), nil); err != nil {
		return err
	}
	open := &clearingv1.ListNoticesRequest{Month: "2025-01", OpenOnly: true}
	for notice, err := range client.All(ctx, open, c.Clearing.ListNotices, (*clearingv1.ListNoticesResponse).GetNotices) {
		if err != nil {
			return err
		}
		fmt.Println(notice.GetNotice(), notice.GetOpen())
	}
	return nil
}
