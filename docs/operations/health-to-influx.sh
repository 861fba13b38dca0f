#!/usr/bin/env bash
# Writes the health of every node into InfluxDB, in its line protocol: faults, level, temperature, room on the disk.
#   BROKER=broker.example INFLUX='http://influx:8086/write?db=loa' ./health-to-influx.sh [mosquitto_sub's options]
set -euo pipefail
mosquitto_sub -h "${BROKER:?}" -p "${PORT:-8883}" -V mqttv5 -q 1 -i "${CLIENT:-health-to-influx}" \
  -t 'loa/1/+/node/+/health' -F '%t\t%p' "$@" |
  jq --unbuffered -rR '
    def number($name; $value): if $value == null then empty else "\($name)=\($value)" end;
    select(startswith("loa/1/")) | split("\t") as [$topic, $payload] | ($topic | split("/")) as $at | $payload | fromjson
    | "loa,site=\($at[2]),node=\($at[4]) " + ([
        number("faults"; .faults | length),
        number("level_dbfs"; .now.audio.level_dbfs?),
        number("cpu_temperature_c"; .readings.cpu_temperature_c),
        number("disk_free_mb"; .readings.disk_free_mb),
        number("waiting"; .log.last - .log.stored_through)
      ] | join(","))' |
  while IFS= read -r line; do
    curl --fail --silent --show-error --max-time 10 --retry 3 --data-binary "$line" "${INFLUX:?}" >/dev/null
  done
