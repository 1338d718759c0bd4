# SPDX-License-Identifier: GPL-2.0-or-later
# The programs of the test machines: every name in PEERS is a program <name>.c;
# the other sources here are linked to all of them. firewall, netstate and
# wireguard need libmnl, netstate a linux/bpf.h that knows BPF_TCX_INGRESS
# (libbpf's include/uapi has one).

PEERS := peer stun-client stun-server netstate refuse notified flow wireguard pppoe \
	as-user raw firewall query
PEERS_SHARED := endpoint.c stun.c
