# syntax=docker/dockerfile:1
# fundledger as one static program: no shell, no package manager, not root.
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags=-s -o /image/usr/local/bin/fundledger ./cmd/fundledger
# Beside the program: authorities for the issuer's and the database's TLS, time
# zones, and a place for bundles on their way and for what is sorted to verify one.
RUN mkdir -p /image/etc/ssl/certs /image/usr/share && \
    cp /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/ && \
    cp "$(go env GOROOT)/lib/time/zoneinfo.zip" /image/usr/share/ && \
    mkdir -m 1777 /image/tmp

FROM scratch
COPY --from=build /image /
ENV ZONEINFO=/usr/share/zoneinfo.zip
USER 65532:65532
EXPOSE 8080
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/fundledger"]
CMD ["serve"]
