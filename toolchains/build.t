#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What make promises of its results: static, small, hardened; and a changed header rebuilds its users.
# EINAT_ARCHS are the architectures to look at.
set -u
cd "$(dirname "$0")/.." || exit

LIMIT=460800 # 450 KB, for flash of 16 MB
tmp=$(mktemp -d) || exit
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=toolchains/tap.sh
. toolchains/tap.sh

header_lacks() { ! readelf -lW "$1" | grep -q "$2"; }
header_has() { readelf -lW "$1" | grep -q "$2"; }
is_stripped() { ! readelf -SW "$1" | grep -q '\.symtab\|\.debug'; }
is_small() { [ "$(stat -c %s "$1")" -le $LIMIT ]; }
lacks_path() { ! grep -qF "$(pwd)" "$1"; }

# rebuilds HEADER TARGET...: would make remake each of the targets if the header were newer?
rebuilds() {
	header=$1
	shift
	plan=$(make -n --no-print-directory ARCH="$arch" -W "$header" "$arch" 2>&1)
	for target in "$@"; do
		case $plan in *"$target"*) ;; *) echo "# not remade: $target"; return 1 ;; esac
	done
}
# make -q would say no for the sake of its phony targets alone
is_settled() { ! make -n ARCH="$1" "$1" | grep -q " -o "; }

for arch in $EINAT_ARCHS; do
	einat=build/$arch/einat
	check "$einat is static: no interpreter" header_lacks "$einat" INTERP
	check "$einat needs no shared library" header_lacks "$einat" DYNAMIC
	check "$einat has read-only relocations" header_has "$einat" GNU_RELRO
	check "$einat has no executable stack" header_lacks "$einat" 'GNU_STACK.*E'
	check "$einat is stripped" is_stripped "$einat"
	check "$einat has at most $LIMIT bytes ($(stat -c %s "$einat"))" is_small "$einat"
	check "$einat does not name the folder that it was built in" lacks_path "$einat"
	check "$arch: nothing to do when nothing changed" is_settled "$arch"
	check "$arch: a new bpf/nat.h rebuilds the BPF objects and the daemon" \
		rebuilds bpf/nat.h build/bpf/nat44.bpf.o "build/$arch/objects/src/datapath.o" "build/$arch/einat"
	check "$arch: a new src/log.h rebuilds what includes it" \
		rebuilds src/log.h "build/$arch/objects/src/log.o" "build/$arch/objects/src/main.o" "build/$arch/einat"
	check "$arch: a new pinned hash unpacks and rebuilds the library" rebuilds cross/hashes/zlib "build/$arch/sysroot/lib/libz.a"
done
echo "1..$checks"
