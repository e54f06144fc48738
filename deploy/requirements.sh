# Sourced by the scripts of this repository: what they need from the system, and how it gets there.
#
#   need gcc command -v gcc        notes package "gcc" when the command fails
#   install_missing                as root on Debian installs what was noted, in one go; otherwise says what to install

missing=()

need() {
  local package=$1
  shift
  "$@" > /dev/null 2>&1 || missing+=("$package")
}

# The native agent is linked by the C compiler, against zlib.
can_link() {
  local compiler
  compiler=$(command -v clang || command -v gcc) || return 1
  printf '#include <zlib.h>\nint main(void) { return zlibVersion()[0] == 0; }\n' \
    | "$compiler" -x c - -lz -o /dev/null
}

has_library() {
  [[ $(PATH=$PATH:/usr/sbin:/sbin ldconfig -p) == *"$1"* ]]
}

need_native_toolchain() {
  command -v clang > /dev/null || need gcc command -v gcc
  can_link > /dev/null 2>&1 || missing+=(libc6-dev zlib1g-dev)
}

need_sdk() {
  local version
  version=$(dotnet --version 2> /dev/null) || version=none
  [[ $version == 10.* ]] || {
    echo "The .NET 10 SDK is needed, and 'dotnet --version' says: $version. Install it (https://dot.net) and put 'dotnet' on the PATH." >&2
    return 1
  }
}

install_missing() {
  ((${#missing[@]})) || return 0
  if ((EUID != 0)) || ! command -v apt-get > /dev/null; then
    echo "Missing: ${missing[*]}. On Debian, as root: apt-get install ${missing[*]}" >&2
    return 1
  fi

  echo "Installing ${missing[*]}"
  if ! (
    trap release_services EXIT
    hold_services
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
  ) < /dev/null > /dev/null; then
    echo "apt-get could not install: ${missing[*]}" >&2
    return 1
  fi
  missing=()
}

# A package's own service is not wanted: tests start servers themselves, on ports of their own.
hold_services() {
  held=no
  [[ ! -e /usr/sbin/policy-rc.d ]] || return 0
  held=yes
  printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d
  chmod +x /usr/sbin/policy-rc.d
}

release_services() {
  [[ $held == no ]] || rm -f /usr/sbin/policy-rc.d
  for service in influxdb victoria-metrics; do
    if [[ -d /run/systemd/system && " ${missing[*]} " == *" $service "* ]]; then
      systemctl disable --quiet "$service" || true
    fi
  done
}
