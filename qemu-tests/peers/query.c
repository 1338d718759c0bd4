// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ICMP queries, whose identifier is to a NAT what a port is. Needs root.
 *
 *	query hear ADDRESS			says `hearing`, then of each `request ADDRESS IDENTIFIER`, or `answer ...`, who sent it
 *	query ask IDENTIFIER FROM TO		sends an echo request
 *	query answer IDENTIFIER FROM TO		sends an echo reply that nobody has asked for
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <netinet/ip.h>
#include <stdio.h>
#include <string.h>

#include "endpoint.h"

enum { SIZE = 1500, EXIT_NO = 1, EXIT_USAGE = 2 };

struct query {
	uint8_t type, code;
	uint16_t checksum, id, sequence;
};

static int complain(const char *what)
{
	fprintf(stderr, "query: %s: %s\n", what, strerror(errno));
	return EXIT_NO;
}

static uint8_t type_of(bool is_ipv6, bool is_answer)
{
	if (is_ipv6)
		return is_answer ? ICMPV6_ECHO_REPLY : ICMPV6_ECHO_REQUEST;
	return is_answer ? ICMP_ECHOREPLY : ICMP_ECHO;
}

/* RFC 1071. The kernel does it for ICMPv6. */
static uint16_t checksum_of(const struct query *query)
{
	uint16_t words[sizeof(*query) / 2];
	uint32_t sum = 0;

	memcpy(words, query, sizeof(words));
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		sum += words[i];
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t) ~(sum + (sum >> 16));
}

static int hear(int fd, bool is_ipv6)
{
	char packet[SIZE], text[ENDPOINT_TEXT_SIZE];
	struct query query;
	union endpoint from;
	socklen_t length;
	ssize_t size, header;
	bool is_answer;

	puts("hearing");
	fflush(stdout);
	for (length = sizeof(from); (size = recvfrom(fd, packet, sizeof(packet), 0, &from.sa, &length)) >= 0;
	     length = sizeof(from)) {
		header = is_ipv6 || !size ? 0 : 4 * (packet[0] & 15); /* a raw socket has IPv4's header, not IPv6's */
		if (size < header + (ssize_t)sizeof(query))
			continue;
		memcpy(&query, packet + header, sizeof(query));
		is_answer = query.type == type_of(is_ipv6, true);
		if (!is_answer && query.type != type_of(is_ipv6, false))
			continue;
		inet_ntop(from.sa.sa_family, is_ipv6 ? (void *)&from.in6.sin6_addr : &from.in.sin_addr, text,
			  sizeof(text));
		printf("%s %s %u\n", is_answer ? "answer" : "request", text, ntohs(query.id));
		fflush(stdout);
	}
	return complain("receive");
}

static int query_send(int fd, bool is_answer, uint16_t id, union endpoint *to)
{
	struct query query = { .type = type_of(to->sa.sa_family == AF_INET6, is_answer), .id = htons(id) };

	query.checksum = checksum_of(&query);
	endpoint_set_port(to, 0);
	if (sendto(fd, &query, sizeof(query), 0, &to->sa, endpoint_length(to)) == sizeof(query))
		return 0;
	return complain("send");
}

int main(int argc, char **argv)
{
	bool is_hear = argc == 3 && !strcmp(argv[1], "hear"), is_answer = argc == 5 && !strcmp(argv[1], "answer");
	union endpoint local, remote;
	long id = 0;
	int fd;

	if (!is_hear && (argc != 5 || (!is_answer && strcmp(argv[1], "ask") != 0) ||
			 number_parse(argv[2], 65535, &id) || endpoint_parse_address(argv[4], 0, &remote)))
		argc = 0;
	if (!argc || endpoint_parse_address(argv[is_hear ? 2 : 3], 0, &local)) {
		fputs("usage: query hear ADDRESS | query ask|answer IDENTIFIER FROM TO\n", stderr);
		return EXIT_USAGE;
	}
	fd = socket(local.sa.sa_family, SOCK_RAW, local.sa.sa_family == AF_INET6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
	if (fd < 0 || bind(fd, &local.sa, endpoint_length(&local)))
		return complain("socket");
	return is_hear ? hear(fd, local.sa.sa_family == AF_INET6) : query_send(fd, is_answer, (uint16_t)id, &remote);
}
