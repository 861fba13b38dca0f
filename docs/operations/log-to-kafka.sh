#!/usr/bin/env bash
# Copies every record of the play log into Kafka, a message each, with SITE/NODE as its key: the records of one node
# stay in order, in one partition. Records may come twice; node, epoch and seq are the identity.
#   BROKER=broker.example KAFKA=kafka:9092 ./log-to-kafka.sh [mosquitto_sub's other options: --cafile, -u, -P …]
# The centre (`loa station serve`) goes on acknowledging records; this is a copy beside it, with a session of its own.
set -euo pipefail
mosquitto_sub -h "${BROKER:?}" -p "${PORT:-8883}" -V mqttv5 -q 1 -i "${CLIENT:-log-to-kafka}" -c -x 86400 \
  -t 'loa/1/+/node/+/log' -F '%t\t%p' "$@" |
  jq --unbuffered -rR '
    select(startswith("loa/1/")) | split("\t") as [$topic, $payload] | ($topic | split("/")) as $at
    | $payload | fromjson | .epoch as $epoch | .records[]
    | "\($at[2])/\($at[4])\t" + ({site: $at[2], node: $at[4], epoch: $epoch} + . | tojson)' |
  kcat -P -b "${KAFKA:?}" -t "${TOPIC:-loa.log}" -K '\t' -X acks=all -X enable.idempotence="${IDEMPOTENT:-true}"
