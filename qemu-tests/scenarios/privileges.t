# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# einat as an ordinary user: without the four capabilities it says which ones
# are missing and changes nothing, with them it translates. The limit on locked
# memory counts before Linux 5.11.

# shellcheck source=qemu-tests/scenario.sh
. ./scenario.sh

all='net_admin net_raw bpf perfmon'

# refused NAME GIVEN: started with these, it says that the others are missing.
refused()
{
	always "with ${2:-no capability}, it names$1" router \
		"no permission: missing capabilities:$1; run it as root" \
		"! as-user 65534 $2 -- einat -i wan"
}

works()
{
	for protocol in udp tcp; do
		step "$ip $protocol: a LAN host reaches the Internet" lan "you $external:27000" \
			peer ask $protocol "$host:27000" "$server:7000" -w $deadline_ms
	done
}

plan 16
with ''
refused ' NET_ADMIN NET_RAW BPF PERFMON' ''
for one in $all; do
	others=
	for other in $all; do
		[ "$other" = "$one" ] || others="$others $other"
	done
	refused " $(echo "$one" | tr "[:lower:]" "[:upper:]")" "$others"
done
always "nothing has changed" router '' same
need router 'mkdir -p /run/user && chown 65534 /run/user && chmod 700 /run/user && ulimit -l unlimited'
need router "ulimit -l unlimited; RUNTIME_DIRECTORY=/run/user start einat as-user 65534 $all -- einat $ROUTER_EINAT"
always "with all four, it starts" router . einat_ready
# shellcheck disable=SC2016 # for the VM's shell
always "as a user without a privilege" router '^Uid:.65534.65534.65534.65534$' 'cat /proc/$(cat /run/einat.pid)/status'
families works
always "it ends with success" router '^0$' stop einat
always "and takes everything back" router '' same
without=einat others=
family 4
off works
