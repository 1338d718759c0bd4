// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sends one router advertisement to all nodes of a link: a default router, and a prefix of 64 bits from which hosts make
 * their addresses (RFC 4861 section 4.2, RFC 4862 section 5.5).
 *
 *	send-ra INTERFACE PREFIX
 */
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct {
		struct nd_router_advert head;
		struct nd_opt_prefix_info prefix;
	} ra = {
		.head.nd_ra_type = ND_ROUTER_ADVERT,
		.head.nd_ra_router_lifetime = htons(1800),
		.prefix = {
			.nd_opt_pi_type = ND_OPT_PREFIX_INFORMATION,
			.nd_opt_pi_len = sizeof(ra.prefix) / 8,
			.nd_opt_pi_prefix_len = 64,
			.nd_opt_pi_flags_reserved = ND_OPT_PI_FLAG_ONLINK | ND_OPT_PI_FLAG_AUTO,
			.nd_opt_pi_valid_time = htonl(3600),
			.nd_opt_pi_preferred_time = htonl(1800),
		},
	};
	struct sockaddr_in6 to = { .sin6_family = AF_INET6 };
	const int hops = 255; /* section 6.1.2: less has passed a router */
	int fd;

	if (argc != 3 || inet_pton(AF_INET6, argv[2], &ra.prefix.nd_opt_pi_prefix) != 1) {
		fputs("usage: send-ra INTERFACE PREFIX\n", stderr);
		return 2;
	}
	inet_pton(AF_INET6, "ff02::1", &to.sin6_addr);
	to.sin6_scope_id = if_nametoindex(argv[1]);
	fd = socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6);
	if (fd < 0 || setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hops, sizeof(hops)) ||
	    sendto(fd, &ra, sizeof(ra), 0, (struct sockaddr *)&to, sizeof(to)) < 0) {
		perror("send-ra");
		return 1;
	}
	return close(fd) ? 1 : 0;
}
