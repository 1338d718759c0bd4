# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# The three VMs are up, and reach their neighbours without any NAT.

# shellcheck source=qemu-tests/scenario.sh
. ./scenario.sh

steps()
{
	always "$ip: a LAN host reaches the router"	lan ' 0% packet loss' \
		until_true 100 "$ping" -c 1 -W 1 "$(bare "$router")"
	always "$ip: the router reaches the Internet"	router ' 0% packet loss' \
		until_true 100 "$ping" -c 1 -W 1 "$(bare "$server")"
}

echo 1..8
always "the router is up"			router Linux	uname
always "the LAN hosts are up"			lan Linux	uname
always "the WAN hosts are up"			wan Linux	uname
families steps
always "einat is ready"				router . einat_ready
