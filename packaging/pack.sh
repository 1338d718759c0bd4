# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# What the scripts that make the release share, to be sourced in the project's folder. The same commit gives the same
# bytes: every date is the commit's, every owner root, every order that of the C locale.
#
#	DIST			where the results go: dist
#	SOURCE_DATE_EPOCH	the date: that of the commit
#	EINAT_CACHE		downloads
#	MAINTAINER		whom a package names, "NAME <ADDRESS>": the commit's author
#
# They have a folder $root of their own, in which they put together what they pack.

umask 022
export LC_ALL=C
DIST=${DIST:-dist}
EINAT_CACHE=${EINAT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/einat}
VERSION=$(sed -n 's/^VERSION := //p' Makefile)
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
MAINTAINER=${MAINTAINER:-$(git log -1 --format='%an <%ae>')}
export SOURCE_DATE_EPOCH EINAT_CACHE MAINTAINER

fail()
{
	echo "${0##*/}: $*" >&2
	exit 1
}

# pin LIBRARY KEY: what cross/hashes says
pin() { sed -n "s/^$2 //p" "cross/hashes/$1"; }

# arch_value NAME: what toolchains/$ARCH.mk says
arch_value() { sed -n "s/^$1 := *//p" "toolchains/$ARCH.mk"; }

# fill SOURCE: prints it with @VERSION@, @ARCH@ and the names of toolchains/$ARCH.mk in place
# shellcheck disable=SC2154 # the script has made $root
fill()
{
	sed -n 's/^\([A-Z_]*\) *:= *\(.*\)/s|@\1@|\2|g/p' "toolchains/$ARCH.mk" >"$root/words"
	printf 's|@MAINTAINER@|%s|g\n' "$(echo "$MAINTAINER" | sed 's/[|&\\]/\\&/g')" >>"$root/words"
	sed -e "s|@VERSION@|$VERSION|g" -e "s|@ARCH@|$ARCH|g" -f "$root/words" "$1"
	rm "$root/words"
}

# place FOLDER MANIFEST: put each `file PATH MODE SOURCE` of it below the folder. $ARCH is filled in. A path that ends in .gz
# is packed, a source that ends in .in has its words in @ filled in.
place()
{
	while read -r kind path mode source; do
		[ "$kind" = file ] || continue
		eval "source=$source"
		[ -s "$source" ] || fail "$2 wants $source, which is not there"
		mkdir -p "$1${path%/*}"
		case $source in
		*.in)	fill "$source" ;;
		*)	cat "$source" ;;
		esac >"$1${path%.gz}"
		case $path in *.gz) gzip -9nf "$1${path%.gz}" ;; esac
		chmod "$mode" "$1$path"
	done <"$2"
}

# pack PARENT FOLDER ARCHIVE: PARENT/FOLDER as a .tar.gz, or as a .tar where its name says so
pack()
{
	tar -C "$1" --format=ustar --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner \
		-cf "$3.new" "$2"
	case $3 in
	*.gz)	gzip -9n <"$3.new" >"$3.packed" && mv "$3.packed" "$3.new" ;;
	esac
	mv "$3.new" "$3"
}
