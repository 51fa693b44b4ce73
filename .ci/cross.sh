# Sourced by the scripts that build or test for other platforms: Debian's Rust, which comes with the
# sources of std, and std built from them for any target. The project's own toolchain stays first on
# the PATH; this one is called by its paths.

# The Debian packages of that Rust.
CROSS_RUST=(rustc-web cargo-web rust-web-src rust-web-clippy)

# cross_install PACKAGE…
# Installs the Debian packages that are missing.
cross_install() {
  local package missing=()
  for package; do
    [ "$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null)" = "install ok installed" ] ||
      missing+=("$package")
  done
  [ ${#missing[@]} = 0 ] && return
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# cross_cargo TARGET SUBCOMMAND ARGUMENT…
# Runs cargo for a target, in target/cross unless CARGO_TARGET_DIR says otherwise. Linker and runner
# of the target can be set by cargo's own variables. What is tested or checked of this project is linted on the
# way, and a warning is an error: a pass of its own would take std and all dependencies once more. What is
# most used of std is optimized, for it would be slow otherwise; to optimize what is linted takes very long.
cross_cargo() (
  target=$1 subcommand=$2
  shift 2
  export CARGO=/usr/bin/cargo RUSTC=/usr/bin/rustc RUSTDOC=/usr/bin/rustdoc
  # Lets a stable compiler take -Z.
  export RUSTC_BOOTSTRAP=1
  case $subcommand in
  test | check)
    # As clippy's own front end says it.
    export RUSTC_WORKSPACE_WRAPPER=/usr/bin/clippy-driver
    export CLIPPY_ARGS=-D__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__
    ;;
  esac
  export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-target/cross}
  export CARGO_TARGET_ARMV7_UNKNOWN_LINUX_GNUEABIHF_LINKER=${CARGO_TARGET_ARMV7_UNKNOWN_LINUX_GNUEABIHF_LINKER:-arm-linux-gnueabihf-gcc}
  export CARGO_TARGET_ARMV7_UNKNOWN_LINUX_GNUEABIHF_RUNNER=${CARGO_TARGET_ARMV7_UNKNOWN_LINUX_GNUEABIHF_RUNNER:-qemu-arm-static -L /usr/arm-linux-gnueabihf}
  export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER=${CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER:-/usr/lib/wine/wine64}
  exec "$CARGO" "$subcommand" -Zbuild-std=std,panic_unwind --target "$target" \
    --config profile.dev.package.core.opt-level=1 --config profile.dev.package.alloc.opt-level=1 \
    --config profile.dev.package.std.opt-level=1 --config profile.test.package.server.opt-level=0 "$@"
)

# cross_lint_only TARGET
# Stands in for the C compiler of a system of which there is none here, so that a package with C code can
# be linted: the code is not compiled, and nothing can be linked with it.
cross_lint_only() {
  local stub=$PWD/target/cross/no-cc underscored=${1//-/_}
  mkdir -p "${stub%/*}"
  cat >"$stub" <<'SH'
#!/bin/sh
while [ $# -gt 0 ]; do
  case $1 in
    # What it is, for the package that asks.
    -E) echo '"clang"' ;;
    # The compiler of Windows would answer.
    '-?') exit 1 ;;
    -o) : >"$2" ;;
  esac
  shift
done
SH
  chmod +x "$stub"
  # Not asked of a program that only macOS has.
  export "CC_$underscored=$stub" SDKROOT=${stub%/*} MACOSX_DEPLOYMENT_TARGET=11.0
}

# The test of server programs that take turns.
HANDED_ON=handed_on::every_point_outlives_a_change_of_the_server

# some_passed
# Passes the output of tests on; fails when there was no test of that name.
some_passed() {
  local line passed=
  while IFS= read -r line; do
    printf '%s\n' "$line"
    [[ $line != *[1-9]*' passed;'* ]] || passed=yes
  done
  [ -n "$passed" ]
}

# The program that runs those of Windows.
WINE=/usr/lib/wine/wine64

# wine_start
# Makes wine ready, with a home of its own in target. That of Debian 12 has no bcryptprimitives.dll,
# from which std takes random numbers: this one asks the function that the real one asks, too.
wine_start() {
  export WINEPREFIX=$PWD/target/cross/wine WINEDEBUG=-all
  local library=$WINEPREFIX/drive_c/windows/system32/bcryptprimitives.dll
  mkdir -p "$WINEPREFIX"
  # Its server ends with the last program otherwise, and resets whatever starts at that moment.
  "${WINE%/*}/wineserver" -k || true
  "${WINE%/*}/wineserver" -w
  "${WINE%/*}/wineserver" -p120 >/dev/null 2>&1
  [ -e "$library" ] && return
  "$WINE" wineboot --init 2>/dev/null
  x86_64-w64-mingw32-gcc -shared -O2 -x c -o "$library" - -ladvapi32 <<'C'
#include <windows.h>
BOOLEAN NTAPI SystemFunction036(PVOID buffer, ULONG length);
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T length) {
  return SystemFunction036(data, (ULONG)length);
}
C
}
