# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# einat takes everything back: rules, routes, qdisc, filters and sysctls are
# what they were before it first started. That this can be seen is the first
# check: while it runs they differ. faults.t has the ways to end too early.

# shellcheck source=qemu-tests/scenario.sh
. ./scenario.sh

plan 6
with "$ROUTER_EINAT"
always "while einat runs, the router's state differs" router '^[-+][^-+]' "! same"
always "it has given up every capability but NET_ADMIN, NET_RAW, PERFMON and BPF" router '^4$' \
	"until_true 50 prints 4 grep -cE '^Cap(Prm|Eff|Bnd):.000000c000003000\$|^CapAmb:.0{16}\$' /proc/\$(cat /run/einat.pid)/status"
for signal in TERM INT; do
	with "$ROUTER_EINAT"
	always "SIG$signal ends it with success" router '^0$' stop einat $signal
	always "SIG$signal: the state is as before" router '' same
done
