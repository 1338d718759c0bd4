# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# Does the router's kernel do for einat? What it has for it is told in comments,
# `NAME: VALUE`, from which the table of tested kernels is made. Needs no peer.

# shellcheck source=qemu-tests/scenario.sh
. ./scenario.sh

# fact NAME COMMAND...: what the command prints, as one line of a comment.
fact()
{
	name=$1
	shift
	ask router "$@" || answer="$answer?"
	echo "# $name:" "$answer"
}

echo 1..5
need router fresh
compiled=0
[ "$EINAT_JIT" = no ] || compiled=1

always "einat runs on this kernel" router . with "$ROUTER_EINAT"
fact Linux uname -r
fact BTF '[ -e /sys/kernel/btf/vmlinux ] && echo yes || echo no'
fact hook 'grep -oE "tcx|clsact" /run/einat.log | head -n 1'
# shellcheck disable=SC2016 # for the VM's shell
always "its programs are compiled for the CPU: $EINAT_JIT" router "^$compiled\$" \
	'echo $(sed -n "s/^prog_jited:[^0-9]*//p" /proc/$(cat /run/einat.pid)/fdinfo/* | sort -u)'
echo "# JIT: $EINAT_JIT"
always "while it runs, the router's state differs" router '^[-+][^-+]' '! same'
always "it stops when told to" router '^0$' 'stop einat'
always "the state is as before" router '' same
