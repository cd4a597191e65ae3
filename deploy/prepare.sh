#!/usr/bin/env bash
# What the commands need from the system: a Python that can make environments, and for the tests real servers, a real
# browser and a font with Chinese.
# Installs Debian packages where it may (root or sudo without a password); otherwise says exactly what to install.
set -euo pipefail

install() {
  local wanted="$*"
  if ! command -v apt-get >/dev/null; then
    echo "Please install: $wanted (no apt-get on this system)" >&2
    exit 1
  fi
  local sudo=()
  if [ "$(id -u)" -ne 0 ]; then
    if ! sudo -n true 2>/dev/null; then
      echo "Please run: sudo apt-get install -y $wanted" >&2
      exit 1
    fi
    sudo=(sudo -n)
  fi
  echo "installing $wanted …"
  local log
  log=$(mktemp)
  # Packages must not start services on their default ports: the tests start their own servers on free ones.
  if ! { "${sudo[@]}" apt-get update -qq &&
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $wanted; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "installing $wanted failed" >&2
    exit 1
  fi
  rm -f "$log"
}

python() {
  local program=$1
  if ! command -v "$program" >/dev/null; then
    install python3 python3-venv
  fi
  if ! "$program" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "facility-gateway needs Python 3.11 or newer; $program is $("$program" --version)" >&2
    exit 1
  fi
  if ! "$program" -c 'import ensurepip, venv' 2>/dev/null; then
    install python3-venv
  fi
}

servers() {
  local missing=()
  PATH=$PATH:/usr/sbin:/usr/local/sbin
  command -v mosquitto >/dev/null || missing+=(mosquitto)
  command -v influxd >/dev/null || missing+=(influxdb)
  command -v victoria-metrics >/dev/null || missing+=(victoria-metrics)
  command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null ||
    missing+=(chromium)
  [ -n "$(find /usr/share/fonts /usr/local/share/fonts -name wqy-microhei.ttc -print -quit 2>/dev/null || true)" ] ||
    missing+=(fonts-wqy-microhei)
  [ ${#missing[@]} -eq 0 ] || install "${missing[@]}"
}

case "${1:-}" in
  python) python "${2:-python3}" ;;
  servers) servers ;;
  *) echo "usage: $0 python [PROGRAM] | servers" >&2; exit 2 ;;
esac
