// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Configures one end of a WireGuard tunnel between two test machines, whose
 * keys everybody may know: end 1's and end 2's private keys are all ones and all
 * twos. Whatever address comes out of the tunnel is believed.
 *
 *	wireguard DEVICE 1|2 PORT REMOTE:PORT
 */
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/wireguard.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "endpoint.h"

enum { EXIT_OK, EXIT_NO, EXIT_USAGE };

static const uint8_t public_keys[2][WG_KEY_LEN] = {
	{ 0xa4, 0xe0, 0x92, 0x92, 0xb6, 0x51, 0xc2, 0x78, 0xb9, 0x77, 0x2c, 0x56, 0x9f, 0x5f, 0xa9, 0xbb,
	  0x13, 0xd9, 0x06, 0xb4, 0x6a, 0xb6, 0x8c, 0x9d, 0xf9, 0xdc, 0x2b, 0x44, 0x09, 0xf8, 0xa2, 0x09 },
	{ 0xce, 0x8d, 0x3a, 0xd1, 0xcc, 0xb6, 0x33, 0xec, 0x7b, 0x70, 0xc1, 0x78, 0x14, 0xa5, 0xc7, 0x6e,
	  0xcd, 0x02, 0x96, 0x85, 0x05, 0x0d, 0x34, 0x47, 0x45, 0xba, 0x05, 0x87, 0x0e, 0x58, 0x7d, 0x59 },
};

static struct nlmsghdr *request_start(char *buffer, uint16_t type, uint8_t command, uint8_t version)
{
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct genlmsghdr *header;

	request->nlmsg_type = type;
	request->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	request->nlmsg_seq = type;
	header = mnl_nlmsg_put_extra_header(request, sizeof(*header));
	header->cmd = command;
	header->version = version;
	return request;
}

/* Sends it and waits for the acknowledgement. 0 or -errno. */
static int request_send(struct mnl_socket *socket, const struct nlmsghdr *request, mnl_cb_t callback, void *data)
{
	_Alignas(struct nlmsghdr) char answer[8192];
	int result = MNL_CB_OK;
	ssize_t size;

	if (mnl_socket_sendto(socket, request, request->nlmsg_len) < 0)
		return -errno;
	while (result == MNL_CB_OK) {
		size = mnl_socket_recvfrom(socket, answer, sizeof(answer));
		if (size < 0)
			return -errno;
		result = mnl_cb_run(answer, size, request->nlmsg_seq, mnl_socket_get_portid(socket), callback, data);
	}
	return result < 0 ? -errno : 0;
}

static int family_received(const struct nlmsghdr *message, void *data)
{
	const struct nlattr *attr;
	uint16_t *family = data;

	mnl_attr_for_each(attr, message, sizeof(struct genlmsghdr))
		if (mnl_attr_get_type(attr) == CTRL_ATTR_FAMILY_ID)
			*family = mnl_attr_get_u16(attr);
	return MNL_CB_OK;
}

/* The number of the netlink family, 0 if there is none: no module. */
static uint16_t family_lookup(struct mnl_socket *socket)
{
	_Alignas(struct nlmsghdr) char buffer[256];
	struct nlmsghdr *request = request_start(buffer, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 1);
	uint16_t family = 0;

	mnl_attr_put_strz(request, CTRL_ATTR_FAMILY_NAME, WG_GENL_NAME);
	return request_send(socket, request, family_received, &family) ? 0 : family;
}

/* Everything of this family may come and go. */
static void allow_all(struct nlmsghdr *request, uint16_t family)
{
	const uint8_t any[sizeof(struct in6_addr)] = { 0 };
	struct nlattr *nest = mnl_attr_nest_start(request, 0);

	mnl_attr_put_u16(request, WGALLOWEDIP_A_FAMILY, family);
	mnl_attr_put(request, WGALLOWEDIP_A_IPADDR, family == AF_INET ? 4 : 16, any);
	mnl_attr_put_u8(request, WGALLOWEDIP_A_CIDR_MASK, 0);
	mnl_attr_nest_end(request, nest);
}

static void peer_add(struct nlmsghdr *request, const uint8_t *public_key, const union endpoint *remote)
{
	struct nlattr *peers = mnl_attr_nest_start(request, WGDEVICE_A_PEERS);
	struct nlattr *peer = mnl_attr_nest_start(request, 0), *allowed;

	mnl_attr_put(request, WGPEER_A_PUBLIC_KEY, WG_KEY_LEN, public_key);
	mnl_attr_put(request, WGPEER_A_ENDPOINT, endpoint_length(remote), remote);
	allowed = mnl_attr_nest_start(request, WGPEER_A_ALLOWEDIPS);
	allow_all(request, AF_INET);
	allow_all(request, AF_INET6);
	mnl_attr_nest_end(request, allowed);
	mnl_attr_nest_end(request, peer);
	mnl_attr_nest_end(request, peers);
}

int main(int argc, char **argv)
{
	_Alignas(struct nlmsghdr) char buffer[1024];
	struct mnl_socket *socket;
	struct nlmsghdr *request;
	union endpoint remote;
	uint8_t private_key[WG_KEY_LEN];
	uint16_t family;
	long end, port;
	int err;

	if (argc != 5 || number_parse(argv[2], 2, &end) || end < 1 || number_parse(argv[3], 65535, &port) ||
	    endpoint_parse(argv[4], &remote)) {
		fputs("usage: wireguard DEVICE 1|2 PORT REMOTE:PORT\n", stderr);
		return EXIT_USAGE;
	}
	socket = mnl_socket_open(NETLINK_GENERIC);
	if (!socket || mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID)) {
		perror("wireguard: netlink");
		return EXIT_NO;
	}
	family = family_lookup(socket);
	if (!family) {
		fputs("wireguard: this kernel has no WireGuard\n", stderr);
		return EXIT_NO;
	}
	memset(private_key, (int)end, sizeof(private_key));
	request = request_start(buffer, family, WG_CMD_SET_DEVICE, WG_GENL_VERSION);
	mnl_attr_put_strz(request, WGDEVICE_A_IFNAME, argv[1]);
	mnl_attr_put(request, WGDEVICE_A_PRIVATE_KEY, sizeof(private_key), private_key);
	mnl_attr_put_u16(request, WGDEVICE_A_LISTEN_PORT, (uint16_t)port);
	peer_add(request, public_keys[end == 1], &remote);
	err = request_send(socket, request, NULL, NULL);
	if (err)
		fprintf(stderr, "wireguard: %s: %s\n", argv[1], strerror(-err));
	mnl_socket_close(socket);
	return err ? EXIT_NO : EXIT_OK;
}
