# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# A newcomer with the release's archive (EINAT_ARCHIVE) on the router: what the first section of its INSTALL says, as it is
# written.

# shellcheck source=qemu-tests/scenario.sh
. ./scenario.sh

family 4
plan 8
with
need router sysctl -w net.ipv4.ip_forward=0
# shellcheck disable=SC2016 # for the VM's shell
need router 'cd /tmp && cp /einat-*.tar.gz . && tar -xzOf einat-*.tar.gz "$(tar -tzf einat-*.tar.gz | grep /INSTALL)" >INSTALL'
need router "cd /tmp && sed -n '/^1\. /,/^2\. /s/^\t//p' INSTALL >commands && sed '\$d' commands >first && sed -n '\$s|^|exec |p' commands >last"
always "INSTALL's commands are there"		router '^exec ./einat -i wan '	cat /tmp/commands /tmp/last
feature=off without=einat
step "the Internet answers a LAN host"		lan ' bytes from '	"$ping" -c 1 -W 1 "$(bare "$server")"
feature=on
always "unpacked, the doctor finds nothing that stops it"	router '^wan: nothing stops the NAT'	'cd /tmp && sh first'
always "it starts"				router 'wan: 203.0.113.2 '	\
	'cd /tmp/einat-*/ && start einat sh /tmp/last && EINAT_READY="^einat: wan: [0-9.]+ " einat_ready'
always "the Internet answers a LAN host"	lan ' bytes from '	"$ping" -c 1 -W 3 "$(bare "$server")"
need lan start holder peer hold udp "$host:22000" "$server:7000" -w $deadline_ms
need lan await holder mapped
always "a stranger reaches its mapping"		wan "you $stranger:23000"	\
	peer ask udp "$stranger:23000" "$external:22000" -w $deadline_ms
need lan stop holder KILL
always "Ctrl-C ends it"				router '^0$'		stop einat INT
always "and takes back all that it did"		router ''		same
