# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# What toolchains/<arch>.mk knows of an architecture, for shell scripts. The
# file is plain `NAME := value` lines, so that make and this can both read it.

# machine ARCH: set ARCH and one variable for each line of its file.
machine()
{
	ARCH=$1
	table=../toolchains/$ARCH.mk
	[ -r "$table" ] || fail "no such architecture: $ARCH"
	eval "$(sed -n "s/^\([A-Z_0-9]*\) *:= *\(.*\)\$/\1='\2'/p" "$table")"
}
