#!/bin/bash
# Installs a node on Debian 12 or 13, or Raspberry Pi OS 64-bit. From a clone or an unpacked release:
#
#   sudo ./systemd/install.sh                    install, or bring what is installed to this version
#   sudo ./systemd/install.sh --from DIR         without network: wheels (and Debian packages, *.deb) lie in DIR
#   sudo ./systemd/install.sh --board            for a board on a bare console: a pygame that has KMSDRM, and its unit;
#                                                once is enough
#   sudo ./systemd/install.sh --check            only say what is there and what is missing; changes nothing
#   sudo ./systemd/install.sh --uninstall        remove it; the configuration and what the node wrote stay
#   sudo ./systemd/install.sh --uninstall --purge    remove these as well
#
# It may be broken off and run again at any time. What it does is written to /var/log/loa-install.log.
# Exit code: 0 done, or all is there; 1 something failed or is missing; 2 wrong arguments.
set -euo pipefail
umask 022
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore

# Before every path; tests use it. Then no package is installed and no user is made.
ROOT=${LOA_ROOT:-}
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
SOURCE=${HERE%/*}
OPT=$ROOT/opt/loa
# is there where the screen is a bare console
CONSOLE=$ROOT/etc/systemd/system/loa-agent.service.d/screen-kmsdrm.conf
LOG=$ROOT/var/log/loa-install.log

# as `dev` has them; a test keeps the two equal
PACKAGES=(python3-venv libvlc5 vlc-plugin-base libportaudio2 libasound2-plugins alsa-utils espeak-ng fonts-noto-core)
# A board on a bare console needs a pygame whose SDL has KMSDRM. pip's has not, that of Debian 12 is too old and is
# built here on Debian's SDL, Debian 13 has one.
BOARD_PACKAGES_12=(
  build-essential python3-dev libsdl2-dev libsdl2-image-dev libsdl2-mixer-dev libsdl2-ttf-dev libfreetype6-dev
  libportmidi-dev libjpeg-dev libpng-dev
)
# what does not fit on a card whose system takes the rest
ROOM_MB=900

FROM='' BOARD='' ACTION=install PURGE=''
STEP=0 STEPS=6 BEGAN=$SECONDS

say() { printf '%s\n' "$*"; }
step() {
  STEP=$((STEP + 1))
  say "[$STEP/$STEPS] $*"
  printf '\n== %s\n' "$*" >>"$LOG"
}
die() {
  printf '\ninstall.sh: %s\n' "$*" >&2
  exit 1
}
# run COMMAND …: into the log; its last lines are shown when it fails
run() {
  local from
  from=$(wc -l <"$LOG")
  printf '$ %s\n' "$*" >>"$LOG"
  "$@" >>"$LOG" 2>&1 </dev/null && return
  tail -n "+$((from + 2))" "$LOG" | tail -n 8 | sed 's/^/    /' >&2
  return 1
}
help() { sed -n '2,14s/^# \{0,1\}//p' "$0"; }

arguments() {
  while [ $# -gt 0 ]; do
    case "$1" in
      --from)
        [ $# -ge 2 ] || { echo "install.sh: --from needs a folder" >&2; exit 2; }
        [ -d "$2" ] || { echo "install.sh: --from $2: there is no such folder" >&2; exit 2; }
        FROM=$(cd "$2" && pwd)
        shift
        ;;
      --board) BOARD=yes ;;
      --check) ACTION=check ;;
      --uninstall) ACTION=uninstall ;;
      --purge) PURGE=yes ;;
      -h | --help) help; exit 0 ;;
      *) echo "install.sh: $1 is not understood; see --help" >&2; exit 2 ;;
    esac
    shift
  done
  [ -z "$PURGE" ] || [ $ACTION = uninstall ] || { echo "install.sh: --purge goes with --uninstall" >&2; exit 2; }
  # what was installed for a board stays a board's, also when a newer version comes and nobody says so
  if [ -e "$CONSOLE" ]; then BOARD=yes; fi
  # an unpacked release brings its wheels along
  [ -n "$FROM" ] || [ ! -d "$SOURCE/wheels" ] || FROM=$SOURCE/wheels
}

# ---- what this machine is

os_value() { sed -n "s/^$1=\"\{0,1\}\([^\"]*\)\"\{0,1\}$/\1/p" "$ROOT/etc/os-release" 2>/dev/null | head -n 1; }

system_problem() {
  local id version machine
  id=$(os_value ID) version=$(os_value VERSION_ID) machine=${LOA_MACHINE:-$(dpkg --print-architecture 2>/dev/null || uname -m)}
  case "$id:$version" in
    debian:12 | debian:13 | raspbian:12 | raspbian:13) ;;
    *) echo "this is ${id:-unknown} ${version:-}; a node needs Debian 12 or 13, or Raspberry Pi OS of 2023 or newer"; return ;;
  esac
  case "$machine" in
    amd64 | arm64) ;;
    *) echo "this system is $machine; a node needs a 64-bit one (on a Raspberry Pi: Raspberry Pi OS 64-bit)" ;;
  esac
}

python_minor() { "${PYTHON:-python3}" -c 'import sys; print(sys.version_info.minor)'; }

has_lgpio() { [ -e "$ROOT/etc/rpi-issue" ] || apt-cache show python3-lgpio >/dev/null 2>&1; }

wanted_packages() {
  local list=("${PACKAGES[@]}")
  # pip has no lgpio for Python 3.13 and newer, that is Debian 13. Raspberry Pi OS has one, Debian itself has not.
  if [ "$(os_value VERSION_ID)" != 12 ] && has_lgpio; then list+=(python3-lgpio); fi
  if [ -n "$BOARD" ]; then
    if [ "$(os_value VERSION_ID)" = 12 ]; then list+=("${BOARD_PACKAGES_12[@]}"); else list+=(python3-pygame); fi
  fi
  printf '%s\n' "${list[@]}"
}

missing_packages() {
  local package
  for package in $(wanted_packages); do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || echo "$package"
  done
}

installed_version() { readlink "$OPT/current" 2>/dev/null || true; }

running() { [ -z "$ROOT" ] && [ -d /run/systemd/system ]; }

# ---- steps

packages() {
  local missing debs=()
  mapfile -t missing < <(missing_packages)
  [ ${#missing[@]} -gt 0 ] || { say "      all there"; return; }
  say "      ${missing[*]}"
  if [ -n "$FROM" ]; then
    shopt -s nullglob
    debs=("$FROM"/*.deb "$FROM"/debs/*.deb)
    shopt -u nullglob
  fi
  if [ ${#debs[@]} -gt 0 ]; then
    run apt-get install -y --no-install-recommends --no-download "${debs[@]}" \
      || die "the Debian packages in $FROM cannot be installed (above); nothing else was changed"
    mapfile -t missing < <(missing_packages)
    [ ${#missing[@]} = 0 ] || die "$FROM lacks the Debian packages ${missing[*]}; add them, or install with a network"
    return
  fi
  # what lies in the cache, or an old list, may do: try before asking the network
  if run_quietly apt-get install -y --no-install-recommends --no-download "${missing[@]}"; then return; fi
  run apt-get update -q || die "the package lists cannot be fetched (above): is there a network, and is the clock right ($(date +%F))?"
  run apt-get install -y --no-install-recommends -o Dpkg::Use-Pty=0 "${missing[@]}" \
    || die "the Debian packages cannot be installed (above); run this again when the cause is gone"
}

tell_of_pins() {
  if [ "$(os_value VERSION_ID)" != 12 ] && ! has_lgpio; then
    say "      note: Debian 13 has no python3-lgpio: pins need Raspberry Pi OS, or Debian 12"
  fi
}

run_quietly() { printf '$ %s\n' "$*" >>"$LOG"; "$@" >>"$LOG" 2>&1 </dev/null; }

# A wheel of the node itself; the dependencies come from pip's index, or from the folder.
own_wheel() {
  local found=()
  shopt -s nullglob
  [ -z "$FROM" ] || found=("$FROM"/loa_agent-*.whl)
  shopt -u nullglob
  [ ${#found[@]} -le 1 ] || die "$FROM holds ${#found[@]} versions of loa_agent; leave one"
  if [ ${#found[@]} = 1 ]; then
    echo "${found[0]}"
    return
  fi
  [ -f "$SOURCE/pyproject.toml" ] || die "no loa_agent-*.whl in ${FROM:-$SOURCE}, and no source to make it from"
  [ -z "$FROM" ] || die "no loa_agent-*.whl in $FROM; make one: pip wheel --no-deps -w $FROM $SOURCE"
  # built in a copy: an installer run with sudo leaves no files of root in somebody's clone
  rm -rf "$WORK/source"
  mkdir "$WORK/source"
  (cd "$SOURCE" && tar -cf - --exclude=__pycache__ agent drivers playlists pyproject.toml README.md LICENSE) | tar -xf - -C "$WORK/source"
  run "$WORK/tools/bin/python" -m pip wheel --quiet --no-deps -w "$WORK" "$WORK/source" \
    || die "the program cannot be built (above)"
  echo "$WORK"/loa_agent-*.whl
}

# name and digest of what is in a wheel, whatever its time stamps
wheel_identity() {
  python3 - "$1" <<'PY'
import hashlib, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as wheel:
    record = next(name for name in wheel.namelist() if name.endswith(".dist-info/RECORD"))
    print(record.split("-")[1].removesuffix(".dist"), hashlib.sha256(wheel.read(record)).hexdigest()[:12])
PY
}

program() {
  local wheel identity version digest name target options=() site=()
  WORK=$(mktemp -d "$ROOT/var/tmp/loa-install.XXXXXX")
  trap 'rm -rf "$WORK"' EXIT
  if [ -z "$FROM" ]; then
    run python3 -m venv "$WORK/tools" || die "no virtual environment can be made (above)"
  fi
  wheel=$(own_wheel)
  identity=$(wheel_identity "$wheel")
  version=${identity% *} digest=${identity#* }
  name=$version
  # a version that is in use is never written over: changed content of the same number goes beside it
  if [ -e "$OPT/$name/.complete" ] && [ "$(cat "$OPT/$name/.complete")" != "$digest" ]; then name=$version-$digest; fi
  # nor is the same content without the pygame that a board needs
  if [ -e "$OPT/$name/.complete" ] && ! fits "$OPT/$name"; then name=$version-$digest-board; fi
  # what is in force stays so if it is this content, also where --board made it and is not given now
  if [ -n "$BEFORE" ] && [ "$(cat "$OPT/$BEFORE/.complete" 2>/dev/null)" = "$digest" ] && fits "$OPT/$BEFORE"; then
    name=$BEFORE
  fi
  target=$OPT/$name
  if [ -e "$target/.complete" ] && fits "$target"; then
    say "      $name is there already"
  else
    rm -rf "$target"
    mkdir -p "$target"
    # Debian has what pip has not: lgpio for Python 3.13, pygame for a bare console
    if [ "$(python_minor)" -ge 13 ]; then site=(--system-site-packages); fi
    run python3 -m venv "${site[@]}" "$target" || die "no virtual environment can be made in $target (above)"
    if [ -n "$FROM" ]; then options=(--no-index --find-links "$FROM"); fi
    # --ignore-installed: what Debian has of the same name is not what was tested with this version
    run "$target/bin/python" -m pip install --quiet --no-compile ${site:+--ignore-installed} "${options[@]}" "${wheel}[gpio]" \
      || die "the program's parts cannot be installed (above); what ran before stays. ${FROM:+Is $FROM made for this system and Python?}"
    if [ -n "$BOARD" ]; then board_pygame "$target" "${options[@]}"; fi
    # nobody may write there later, so it is compiled now: a Raspberry Pi Zero saves seconds at each start
    run "$target/bin/python" -m compileall -q -j 0 "$target/lib" || true
    mkdir -p "$target/systemd"
    cp -r "$HERE"/loa* "$HERE"/6*-loa*.rules "$HERE"/switch "$target/systemd/"
    run "$target/bin/loa" --version || die "the program does not start on this machine (above); what ran before stays"
    # what `switch` puts below /usr/local/share; agent/update/build.py lays out the same
    mkdir -p "$target/share"
    cp "$SOURCE/config.example.toml" "$target/share/"
    if [ -d "$SOURCE/docs/man" ]; then cp -r "$SOURCE/docs/man" "$target/share/"; fi
    if ! _LOA_COMPLETE=source_bash "$target/bin/loa" >"$target/share/completion.bash" 2>>"$LOG"; then
      rm -f "$target/share/completion.bash"
      say "      note: the shell's completion cannot be made; see $LOG"
    fi
    sync
    echo "$digest" >"$target/.complete"
  fi
  VERSION=$name
}

board_pygame() {
  local target=$1
  shift
  if [ "$(python_minor)" -ge 13 ]; then
    run "$target/bin/python" -m pip uninstall --quiet --yes pygame # Debian's shows through
    return
  fi
  # what was built here for the version before does for this one: minutes, and a network, are saved
  local packages
  packages=lib/python3.$(python_minor)/site-packages
  if [ -n "$BEFORE" ] && fits "$OPT/$BEFORE" && [ -d "$OPT/$BEFORE/$packages/pygame" ]; then
    rm -rf "$target/$packages"/pygame "$target/$packages"/pygame-*.dist-info "$target/$packages"/pygame.libs
    run cp -r "$OPT/$BEFORE/$packages"/pygame "$OPT/$BEFORE/$packages"/pygame-*.dist-info "$target/$packages/"
    return
  fi
  say "      pygame is built on Debian's SDL: some minutes on a Raspberry Pi"
  run "$target/bin/python" -m pip install --quiet --force-reinstall --no-deps --no-binary pygame "$@" 'pygame>=2.5.2,<3' \
    || die "pygame cannot be built (above); what ran before stays${FROM:+. Is its source (pygame-*.tar.gz) in $FROM?}"
}

# whether an environment that is there has the pygame that a board needs: none of its own, or one built here
fits() {
  [ -z "$BOARD" ] || ! grep -q manylinux "$1"/lib/python3*/site-packages/pygame-*.dist-info/WHEEL 2>/dev/null
}

system_parts() {
  run install -m 755 "$HERE/switch" "$OPT/switch"
  mkdir -p "$ROOT/var/lib/loa-update"
  run "$OPT/switch" to "$VERSION" || die "$VERSION cannot be put in force (above); what ran before stays"
  if [ -n "$BOARD" ]; then
    run install -D -m 644 "$HERE/loa-agent.service.d/screen-kmsdrm.conf" "$CONSOLE"
  fi
  local of_root=()
  [ -z "$ROOT" ] || of_root=("--root=$ROOT")
  run systemd-sysusers "${of_root[@]}" "$ROOT/etc/sysusers.d/loa.conf" || die "the user of the node cannot be made (above)"
  run systemd-tmpfiles "${of_root[@]}" --create "$ROOT/etc/tmpfiles.d/loa.conf" || die "the node's folders cannot be made (above)"
  if running && command -v udevadm >/dev/null; then
    if ! run_quietly udevadm control --reload || ! run_quietly udevadm trigger; then
      say "      note: udev did not answer; pins and ports are found after a restart"
    fi
  fi
}

command_line() {
  mkdir -p "$ROOT/usr/local/bin"
  ln -sfn /opt/loa/current/bin/loa "$ROOT/usr/local/bin/loa"
}

service() {
  local units=(loa-settle.service loa-update.path loa-agent.service)
  if [ -n "$ROOT" ]; then return; fi
  run systemctl enable "${units[@]}" || die "the service cannot be enabled (above)"
  if ! running; then
    say "      no systemd runs here: the node starts with the machine"
    return
  fi
  run systemctl daemon-reload
  run systemctl restart systemd-journald || true
  run systemctl start loa-update.path
  if [ ! -e /etc/loa/config.toml ]; then return; fi
  if ! runuser -u loa -- "$OPT/current/bin/loa" check-config --config /etc/loa/config.toml >>"$LOG" 2>&1; then
    say "      /etc/loa/config.toml is not right yet: loa check-config"
    return
  fi
  if [ "$(systemctl is-active loa-agent.service)" = active ] && [ "$VERSION" = "$BEFORE" ]; then
    say "      it runs already"
    return
  fi
  if ! run systemctl restart loa-agent.service; then
    if [ -z "$BEFORE" ] || [ "$VERSION" = "$BEFORE" ]; then
      die "the node does not start; see: journalctl -u loa-agent -n 30"
    fi
    run "$OPT/switch" to "$BEFORE" || die "$VERSION does not start here, and $BEFORE cannot be put in force (above)"
    # what does not start is no way back
    if [ -n "$PREVIOUS" ] && [ "$PREVIOUS" != "$VERSION" ]; then echo "$PREVIOUS" >"$OPT/previous"; else rm -f "$OPT/previous"; fi
    run systemctl restart loa-agent.service \
      || die "neither $VERSION nor $BEFORE starts here. See: journalctl -u loa-agent -n 60"
    die "$VERSION does not start here; back to $BEFORE. See: journalctl -u loa-agent -n 60"
  fi
  say "      it is ready to speak"
}

install_() {
  local problem free_mb
  problem=$(system_problem)
  [ -z "$problem" ] || die "$problem; nothing was changed"
  [ -n "$ROOT" ] || [ "$(id -u)" = 0 ] || die "this must be run by root: sudo $0"
  mkdir -p "$OPT" "$ROOT/var/log" "$ROOT/var/tmp" "$ROOT/run" \
    || die "$OPT cannot be made: is the system read-only? See systemd/README.md, \"A read-only system\""
  exec 9>"$ROOT/run/loa-install.lock"
  flock -n 9 || die "another install.sh is at work"
  free_mb=$(df -Pm "$OPT" | awk 'NR == 2 {print $4}')
  [ "$free_mb" -ge $ROOM_MB ] || die "$free_mb MB are free in $OPT, an installation needs $ROOM_MB; nothing was changed"
  [ ! -e "$OPT/trial" ] || die "an update is on trial; wait until it is over: systemctl status loa-update"
  date '+%n#### %F %T' >>"$LOG"
  BEFORE=$(installed_version)
  PREVIOUS=$(cat "$OPT/previous" 2>/dev/null || true)
  trap 'printf "\ninstall.sh: broken off; nothing half-done is used. Run it again.\n" >&2; exit 1' INT TERM
  step "Debian packages"
  [ -n "$ROOT" ] || packages
  tell_of_pins
  step "the program and its Python parts${FROM:+, from $FROM}"
  program
  step "user, folders, units (version $VERSION)"
  system_parts
  step "the loa command"
  command_line
  step "the service"
  service
  step "older versions"
  tidy
  say "done in $((SECONDS - BEGAN)) s: loa $VERSION${BEFORE:+ (before: $BEFORE)}"
  if [ ! -e "$ROOT/etc/loa/config.toml" ]; then say "next: sudo loa setup"; else say "next: loa status"; fi
}

# the present version and the way back stay
tidy() {
  local directory name kept
  kept=" $VERSION $(cat "$OPT/previous" 2>/dev/null || true) "
  for directory in "$OPT"/*/; do
    name=$(basename "$directory")
    if [ -L "$OPT/$name" ] || [ ! -e "$directory" ]; then continue; fi
    case "$kept" in *" $name "*) continue ;; esac
    rm -rf "${OPT:?}/$name"
    say "      $name removed"
  done
}

# ---- --check, --uninstall

CHECK_FAILED=0
report() { # report RIGHT? WHAT REMEDY
  if [ "$1" = 0 ]; then printf 'ok       %s\n' "$2"; else
    printf 'missing  %s: %s\n' "$2" "$3"
    CHECK_FAILED=1
  fi
}
holds() { if "$@" >/dev/null 2>&1; then echo 0; else echo 1; fi; }

check() {
  local problem missing version
  problem=$(system_problem)
  report "$(holds test -z "$problem")" "system ($(os_value PRETTY_NAME))" "$problem"
  missing=$(missing_packages | tr '\n' ' ')
  report "$(holds test -z "$missing")" "Debian packages" "${missing}- install.sh installs them"
  version=$(installed_version)
  report "$(holds test -e "$OPT/current/.complete")" "program ${version}" "not installed; run install.sh"
  if [ -n "$version" ]; then
    report "$(holds "$OPT/current/bin/loa" --version)" "program starts" "run install.sh again"
  fi
  report "$(holds test ! -e "$OPT/trial")" "no update on trial" "systemctl status loa-update"
  local file
  for file in systemd/system/loa-agent.service systemd/system/loa-update.path systemd/system/loa-settle.service \
    sysusers.d/loa.conf tmpfiles.d/loa.conf udev/rules.d/60-loa.rules udev/rules.d/61-loa-usb.rules systemd/journald.conf.d/loa.conf \
    systemd/system.conf.d/loa.conf; do
    report "$(holds test -e "$ROOT/etc/$file")" "/etc/$file" "run install.sh again"
  done
  report "$(holds grep -q '^loa:' "$ROOT/etc/passwd")" "user loa" "run install.sh again"
  report "$(holds grep -q '^loa-admin:' "$ROOT/etc/group")" "group loa-admin" "run install.sh again"
  report "$(holds test -L "$ROOT/usr/local/bin/loa")" "loa command" "run install.sh again"
  report "$(holds test -e "$ROOT/etc/loa/config.toml")" "configuration" "sudo loa setup"
  if running; then
    report "$(holds systemctl is-enabled loa-agent.service)" "service starts with the machine" "systemctl enable loa-agent"
    report "$(holds systemctl is-active loa-agent.service)" "service runs" "systemctl start loa-agent; journalctl -u loa-agent"
  fi
  exit $CHECK_FAILED
}

uninstall() {
  [ -n "$ROOT" ] || [ "$(id -u)" = 0 ] || die "this must be run by root: sudo $0 --uninstall"
  if [ -z "$ROOT" ]; then
    systemctl disable loa-agent.service loa-update.path loa-settle.service >/dev/null 2>&1 || true
    if running; then systemctl stop loa-update.path loa-update.service loa-agent.service 2>/dev/null || true; fi
  fi
  local etc=$ROOT/etc share=$ROOT/usr/local/share
  rm -rf "$etc/systemd/system/loa-agent.service" "$etc/systemd/system/loa-agent.service.d" \
    "$etc/systemd/system/loa-update.service" "$etc/systemd/system/loa-update.path" \
    "$etc/systemd/system/loa-settle.service" "$etc/systemd/system/loa-usb@.service" \
    "$etc/systemd/journald.conf.d/loa.conf" "$etc/systemd/system.conf.d/loa.conf" "$etc/tmpfiles.d/loa.conf" \
    "$etc/sysusers.d/loa.conf" "$etc/udev/rules.d/60-loa.rules" "$etc/udev/rules.d/61-loa-usb.rules" \
    "$ROOT/usr/local/bin/loa" "$share/man/man1"/loa*.1 "$share/man"/*/man1/loa*.1 \
    "$share/bash-completion/completions/loa" "$share/doc/loa" "$OPT" "$ROOT/var/lib/loa-update"
  if running; then systemctl daemon-reload || true; fi
  if [ -n "$PURGE" ]; then
    rm -rf "$ROOT/etc/loa" "$ROOT/var/lib/loa" "$LOG"
    if [ -z "$ROOT" ]; then
      userdel loa 2>/dev/null || true
      groupdel loa-admin 2>/dev/null || true
    fi
    say "removed, with configuration, keys and play log"
  else
    say "removed; /etc/loa and /var/lib/loa stay (--purge removes them)"
  fi
}

arguments "$@"
case $ACTION in
  install) install_ ;;
  check) check ;;
  uninstall) uninstall ;;
esac
