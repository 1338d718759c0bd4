#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What make release makes, for the architectures in EINAT_ARCHS that are built: what is in it, that it says the truth about
# it, and that it is the same made twice.
set -u
cd "$(dirname "$0")/.." || exit
tmp=$(mktemp -d) || exit
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=toolchains/tap.sh
. toolchains/tap.sh
# shellcheck source=packaging/pack.sh
. packaging/pack.sh
archs=${EINAT_ARCHS:-$(uname -m)}

# make_all FOLDER: the release without the router images
make_all()
{
	DIST=$1
	export DIST
	packaging/sources || return
	for arch in $archs; do
		packaging/archive "$arch" && packaging/debian/build "$arch" || return
	done
	# shellcheck disable=SC2086 # words
	packaging/openwrt/feed $archs && packaging/sbom $archs
}

# make_otherwise FOLDER: by another user's habits
make_otherwise()
{
	(
		umask 077
		TZ=Asia/Tokyo LANG=C.UTF-8 TMPDIR=$tmp
		export TZ LANG TMPDIR
		make_all "$1"
	)
}

# lists ARCHIVE FILE...: has it these, and is each root's and of the commit's date?
lists()
{
	tar -tvzf "$1" --utc --full-time >"$tmp/list" || return
	date=$(date -u -d "@$SOURCE_DATE_EPOCH" '+%Y-%m-%d %H:%M:%S')
	grep -vE "^[d-]rw[x-]r-[x-]r-[x-] 0/0 +[0-9]+ $date einat-" "$tmp/list" && return 1
	shift
	for file in "$@"; do
		grep -q "/$file\$" "$tmp/list" || { echo "no $file"; return 1; }
	done
}

# same ARCHIVE PATH FILE: is that what it holds?
same() { tar -xzOf "$1" "$2" | cmp - "$3"; }

# names_all MANIFEST: has it every manual page and completion that is there?
names_all()
{
	for file in packaging/man/* packaging/completion/*; do
		[ ! -f "$file" ] || grep -q "	$file\$" "$1" || { echo "without $file"; return 1; }
	done
}

# names_there FOLDER: has it every file in docs/ that its text speaks of?
names_there()
{
	for file in $(cd "$1" && grep -rhoE 'docs/[a-z-]+\.md' INSTALL einat.toml man systemd openwrt | sort -u); do
		[ -f "$1/$file" ] || { echo "without $file"; return 1; }
	done
	[ -n "${file-}" ]
}

# installs_all FOLDER: does the INSTALL in it say of every file for systemd's routers where it goes, and that it is removed?
installs_all()
{
	for file in einat einat.toml systemd/einat.service man/einat.8 man/einat.toml.5 completion/einat.bash completion/_einat; do
		target=$(sed -n "s|^\t.*install .*-m [0-9]* $file ||p" "$1/INSTALL")
		if [ -z "$target" ] || ! grep -qE "^	rm .*$target( |\$)" "$1/INSTALL"; then
			echo "not $file"
			return 1
		fi
	done
}

test_archive()
{
	archive=$tmp/one/einat-$VERSION-$1.tar.gz
	folder=einat-$VERSION-$1
	check "$1: the archive holds all that a router needs, with the commit's date" lists "$archive" einat INSTALL \
		einat.toml systemd/einat.service openwrt/einat.init openwrt/einat.config man/einat.8 man/einat.toml.5 completion/einat.bash LICENSE \
		licenses/musl licenses/libbpf licenses/libelf.GPL-2 licenses/zlib
	check "$1: its program is the one that was built" same "$archive" "$folder/einat" "build/$1/einat"
	check "$1: its licence texts are the tarballs'" same "$archive" "$folder/licenses/musl" build/sources/musl/COPYRIGHT
	check "$1: what its text speaks of is there" names_there "$tmp/tree-$1/$folder"
	check "$1: what INSTALL installs it removes" installs_all "$tmp/tree-$1/$folder"
	check "$1: no word is left to fill in" not grep -rE '@[A-Z_]+@' "$tmp/tree-$1/$folder/INSTALL"
	if command -v "$(ARCH=$1 arch_value QEMU_USER)" >/dev/null; then
		check "$1: the program in the archive starts" env DIST="$tmp/one" packaging/try "$1"
	else
		skip "$1: the program in the archive starts" "qemu-user-static is not there"
	fi
}

# debian_field ARCH FIELD VALUE
debian_field() { [ "$(dpkg-deb -f "$tmp/one/einat_${VERSION}_$1.deb" "$2")" = "$3" ]; }
debian_holds() { dpkg-deb -c "$tmp/one/einat_${VERSION}_$1.deb" | grep -qE "$2"; }
debian_conffile() { dpkg-deb -I "$tmp/one/einat_${VERSION}_$1.deb" conffiles | grep -qx /etc/einat.toml; }

# debian_sums ARCH: its own sums hold
debian_sums()
{
	dpkg-deb -R "$tmp/one/einat_${VERSION}_$1.deb" "$tmp/deb-$1" || return
	(cd "$tmp/deb-$1" && md5sum -c --quiet DEBIAN/md5sums &&
		[ "$(find . -type f -not -path './DEBIAN/*' | wc -l)" -eq "$(wc -l <DEBIAN/md5sums)" ])
}

test_debian()
{
	debian=$(ARCH=$1 arch_value DEBIAN_ARCH)
	check "$1: the Debian package is for $debian" debian_field "$debian" Architecture "$debian"
	check "$1: its maintainer is who made the commit" debian_field "$debian" Maintainer "$MAINTAINER"
	check "$1: it depends on nothing" debian_field "$debian" Depends ""
	check "$1: its program is root's" debian_holds "$debian" '^-rwxr-xr-x root/root .* \./usr/sbin/einat$'
	check "$1: einat.toml is a conffile" debian_conffile "$debian"
	check "$1: its sums hold, for every file" debian_sums "$debian"
}

# What OpenWrt's rules.mk and package.mk do with the package, of which only as much as is used: verify, unpack, install.
openwrt_stubs()
{
	mkdir -p "$tmp/sdk/include"
	cat >"$tmp/sdk/rules.mk" <<'END'
INCLUDE_DIR := $(TOPDIR)/include
BUILD_DIR := $(TOPDIR)/build
INSTALL_DIR := install -d -m0755
INSTALL_BIN := install -m0755
INSTALL_CONF := install -m0600
RSTRIP := false
END
	cat >"$tmp/sdk/include/package.mk" <<'END'
ARCHIVE = $(patsubst file://%,%,$(PKG_SOURCE_URL))/$(PKG_SOURCE)
define Build/Prepare
	echo "$(PKG_HASH)  $(ARCHIVE)" | sha256sum -c
	mkdir -p $(PKG_BUILD_DIR)
	tar -C $(PKG_BUILD_DIR)/.. -xzf $(ARCHIVE)
endef
define BuildPackage
$(eval $(Package/$(1)))
all:
	$$(Build/Prepare)
	$$(Build/Compile)
	$$(call Package/$(1)/install,$(TOPDIR)/root)
	$$(RSTRIP) $(TOPDIR)/root
	echo '$$(SECTION) $$(TITLE) $$(DEPENDS)' >$(TOPDIR)/said
endef
END
}

openwrt_installs()
{
	case $1 in armhf) arch=arm ;; *) arch=$1 ;; esac
	rm -rf "$tmp/sdk/root" "$tmp/sdk/build"
	make -C "$tmp/feed/einat-$VERSION-openwrt/einat" TOPDIR="$tmp/sdk" ARCH="$arch" all || return
	cmp "build/$1/einat" "$tmp/sdk/root/usr/sbin/einat" &&
		cmp packaging/openwrt/files/einat.init "$tmp/sdk/root/etc/init.d/einat" &&
		cmp packaging/openwrt/files/einat.config "$tmp/sdk/root/etc/config/einat" &&
		[ -x "$tmp/sdk/root/etc/init.d/einat" ]
}

openwrt_depends() { grep -F '+kmod-sched-bpf' "$tmp/sdk/said" && ! grep -i btf "$tmp/sdk/said"; }
openwrt_refuses_changed()
{
	echo >>"$tmp/feed/einat-$VERSION-openwrt/einat/archives/einat-$VERSION-$1.tar.gz"
	! openwrt_installs "$1"
}

test_openwrt()
{
	openwrt_stubs
	mkdir "$tmp/feed"
	tar -C "$tmp/feed" -xzf "$tmp/one/einat-$VERSION-openwrt.tar.gz"
	for arch in $archs; do
		check "OpenWrt: the feed's Makefile installs the program, the init script and UCI for $arch" openwrt_installs "$arch"
	done
	check "OpenWrt: it depends on kmod-sched-bpf, and on nothing with BTF" openwrt_depends
	check "OpenWrt: it refuses an archive that is another" openwrt_refuses_changed "${archs%% *}"
}

# sbom_check FILE: is it SPDX 2.3 as far as we use it, does everything that it names exist, and are the hashes the files'?
sbom_check()
{
	python3 - "$1" "$tmp/one" <<'END'
import hashlib, json, os, re, sys
document, folder = json.load(open(sys.argv[1])), sys.argv[2]
assert document["spdxVersion"] == "SPDX-2.3" and document["dataLicense"] == "CC0-1.0"
assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}", document["documentNamespace"])
assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", document["creationInfo"]["created"])
ids, left = {document["SPDXID"]}, set(os.listdir(folder)) - {os.path.basename(sys.argv[1])}
for package in document["packages"]:
    assert re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", package["SPDXID"]) and package["SPDXID"] not in ids, package
    assert package["name"] and package["versionInfo"] and package["licenseConcluded"] and package["downloadLocation"], package
    ids.add(package["SPDXID"])
    for checksum in package.get("checksums", []):
        assert re.fullmatch("[0-9a-f]{64}", checksum["checksumValue"]), package
        if package["packageFileName"] in left:
            content = open(os.path.join(folder, package["packageFileName"]), "rb").read()
            assert hashlib.sha256(content).hexdigest() == checksum["checksumValue"], package
            left.remove(package["packageFileName"])
assert not left, left
linked = set()
for relationship in document["relationships"]:
    assert relationship["spdxElementId"] in ids and relationship["relatedSpdxElement"] in ids, relationship
    if relationship["relationshipType"] == "STATIC_LINK":
        linked.add(relationship["relatedSpdxElement"].split("-")[1])
assert linked == {"musl", "libbpf", "libelf", "zlib", "libgcc"}, linked
END
}

test_sbom()
{
	sbom=$tmp/one/einat-$VERSION.spdx.json
	if ! command -v python3 >/dev/null; then
		skip "the bill of materials" "python3 is not there"
		return
	fi
	check "the bill of materials is SPDX 2.3, and true of the files" sbom_check "$sbom"
	sed 's/"relatedSpdxElement":"SPDXRef-musl"/"relatedSpdxElement":"SPDXRef-muzl"/' "$sbom" >"$tmp/wrong.json"
	check "one that names what is not there is refused" not sbom_check "$tmp/wrong.json"
	sed 's/"checksumValue":"./"checksumValue":"g/' "$sbom" >"$tmp/wrong.json"
	check "so is one with a wrong hash" not sbom_check "$tmp/wrong.json"
}

mkdir "$tmp/one" "$tmp/two"
check "a release is made" make_all "$tmp/one"
check "it is made again, otherwise" make_otherwise "$tmp/two"
DIST=$tmp/one
check "both are the same bytes" diff -r "$tmp/one" "$tmp/two"
for list in packaging/manifest packaging/debian/manifest; do
	check "$list names every manual page and completion" names_all $list
done
for arch in $archs; do
	mkdir "$tmp/tree-$arch"
	tar -C "$tmp/tree-$arch" -xzf "$tmp/one/einat-$VERSION-$arch.tar.gz"
	test_archive "$arch"
	test_debian "$arch"
done
test_openwrt
test_sbom
echo "1..$checks"
