# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# take_over_masquerade where it cannot be had: before Linux 5.12 no table has an
# owner, and this image has none of the modules for NAT in nftables. einat says
# which it is, makes no table, and translates all the same. masquerade.t of src
# has the kernel on which it can.

# shellcheck source=qemu-tests/scenario.sh
. ./scenario.sh

works()
{
	step "a LAN host reaches the Internet" lan "you $external:27000" \
		peer ask udp "$host:27000" "$server:7000" -w $deadline_ms
}

plan 5
family 4
case ${EINAT_KERNEL%+*} in
5.10*)	why='needs tables with an owner, kernel 5.12 or newer' ;;
*)	why='nftables of this kernel has no NAT \(nft_nat, nft_chain_nat\)' ;;
esac
with ''
need router "(echo '[[interfaces]]'; echo 'if_name = \"wan\"'; echo nat44 = true; echo take_over_masquerade = true) >/run/wan.toml"
need router start einat einat -c /run/wan.toml
always "einat says why it cannot take over a masquerade rule" router \
	"wan: take over the masquerade rule: $why" await einat "'wan: 203.0.113.2 .*'" 300 '&&' cat /run/einat.log
always "no table is made" router '^0$' 'netstate | grep -c ^nftables || :'
works
need router stop einat
always "the state is as before" router '' same
without=einat others=
off works
