# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# take_over_masquerade, on a router that has a masquerade rule as home routers
# do. Without the key the rule wins, and strangers are not let in; with it they
# are. Without einat masquerading serves again by itself, however einat ended.
#
# Where it cannot be had, before Linux 5.12, which knows no table with an owner,
# and without nftables' NAT, einat says which it is, makes no table, and
# translates all the same.

# shellcheck source=qemu-tests/scenario.sh
. ./scenario.sh

# config TAKE_OVER: the router's file.
config()
{
	need router "(echo '[[interfaces]]'; echo 'if_name = \"wan\"'; echo nat44 = true; echo nat66 = true;" \
		"echo take_over_masquerade = $1) >/run/wan.toml"
}

begin()
{
	need router start einat einat -c /run/wan.toml
	always "$1" router "$2" await einat "'wan: 2001:db8:203::2 .*'" 300 '&&' cat /run/einat.log
}

# Ports that are new each time: a connection keeps the translation that it has.
port=26000
renew() { port=$((port + 1)); }

served()
{
	step "$ip: $moment a LAN host reaches the Internet" lan "you $external:$port" \
		peer ask udp "$host:$port" "$server:7000" -w $deadline_ms
}

tables()
{
	always "$1" router "^$2\$" 'netstate | grep -c "^nftables.*einat-wan" || :'
}

reached()
{
	for protocol in udp tcp; do
		need lan start holder peer hold $protocol "$host:$port" "$server:7000" -w $deadline_ms
		need lan await holder mapped
		step "$ip $protocol: a stranger reaches a LAN host's mapping" wan "you $stranger:23000" \
			peer ask $protocol "$stranger:23000" "$external:$port" -w $deadline_ms
		need lan stop holder KILL
	done
}

# cannot WHY: it is asked for and not to be had.
cannot()
{
	config true
	begin "einat says why it cannot take over a masquerade rule" "wan: take over the masquerade rule: $1"
	tables "no table is made" 0
	moment='all the same'
	renew
	families served
	need router stop einat
	always "the state is as before" router '' same
	without=einat others=
	renew
	off families served
}

with ''
no_nat='nftables of this kernel has no NAT \(nft_nat, nft_chain_nat\)'
case ${EINAT_KERNEL%+*} in
5.10*)
	plan 7
	cannot 'needs tables with an owner, kernel 5.12 or newer'
	exit
	;;
esac
plan 31
need router rmmod nft_masq nft_nat nft_chain_nat
cannot "$no_nat"
# shellcheck disable=SC2016 # for the VM's shell
need router 'for module in nft_chain_nat nft_nat nft_masq; do insmod /lib/modules/$module.ko || exit; done'

need router firewall masquerade wan
need router 'netstate >/run/state.masquerade'
moment='by the masquerade rule'
renew
families served
config true
begin "einat takes the masquerade rule over" 'wan: takes over from masquerade rules'
tables "by a table of its own" 1
renew
families reached
need router stop einat KILL
tables "killed: the kernel has removed the table" 0
moment='after SIGKILL'
renew
families served
begin "einat starts again" 'wan: takes over from masquerade rules'
renew
families reached
need router stop einat
tables "stopped: the table is gone" 0
always "the rule and all else is as it was" router '' 'netstate | diff /run/state.masquerade -'
without=take_over_masquerade others=
config false
begin "without the key" 'wan: 2001:db8:203::2 '
feature=off deadline_ms=300
renew
families reached
feature=on deadline_ms=3000
need router stop einat
need router firewall -d nat
always "the state is as before" router '' same
