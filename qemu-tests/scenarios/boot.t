# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# The three VMs are up, and reach their neighbours without any NAT.

# shellcheck source=qemu-tests/scenario.sh
. ./scenario.sh

echo 1..6
always "the router is up"			router Linux	uname
always "the LAN hosts are up"			lan Linux	uname
always "the WAN hosts are up"			wan Linux	uname
always "a LAN host reaches the router"		lan ' 0% packet loss' \
	until_true 100 ping -c 1 -W 1 192.168.1.1
always "the router reaches the Internet"	router ' 0% packet loss' \
	until_true 100 ping -c 1 -W 1 198.51.100.1
always "einat is ready"				router . einat_ready
