#!/usr/bin/env bash
# Boots what `prov build --target esp32c3` has built last in Espressif's QEMU, in a container of ESP-IDF 5.3 or later.
# The QEMU has no radio, so the firmware gets as far as the start of its WiFi and no further: this shows that ROM and
# bootloader take the image, and that on the chip's own code it finds its identity and opens its storage.
set -eo pipefail # not -u: export.sh reads variables that nobody has set
cd "$(dirname "$0")/.."

newest=$(find "$PWD/.prov" -name project_description.json -path '*esp32c3*' -printf '%T@ %p\n' | sort -n | tail -1)
build=$(dirname "${newest#* }")
log=$build/qemu.log

# shellcheck source=/dev/null
. "$IDF_PATH/export.sh" >/dev/null
# The firmware never ends by itself; `timeout` ends QEMU with it.
timeout --kill-after=10 60 idf.py -C firmware -B "$build" qemu </dev/null >"$log" 2>&1 || true

cat "$log"
grep -q 'prov: device .*, firmware ' "$log"
if grep -qE 'invalid header|storage is not usable|(status|state machine|clock) does not start' "$log"; then
  exit 1
fi
