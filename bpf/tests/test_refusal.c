// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What an internal host is told when its packet gets no mapping (RFC 5508 REQ-8, RFC 6888 REQ-11b), and when it is not told.
 * A step that is DROPPED for such a reason wants the whole error, byte by byte: refusal.c says what it is.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <linux/pkt_cls.h>
#include <linux/virtio_net.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "refusal.h"
#include "steps.h"

#define LO	    1
#define DEADLINE_MS 10000
#define ETHERNET    14

static const struct setup one_port = { .ports = { "25000", "25000", "25000" } };
static const struct setup limited = { .host_limit = { 1, 1, 1 } };
static const struct setup slowed = { .host_rate = 1 };
static const struct setup no_l2 = { .ports = { "25000", "25000", "25000" }, .no_l2 = true };

static const struct setup internals = { .internals = { PREFIX(IPV4(192, 168, 1, 0), 24) } };

/* The test run takes the protocol of a packet without Ethernet header from its source address: see test_link.c. */
enum { H = IPV4(8, 0, 0, 1), I = IPV4(8, 0, 0, 2) };

static const struct step no_port[] = {
	{ "A has the only port", LAN, UDP(A, 25000, S, 53), WAN, UDP(EXT, 25000, S, 53), WHY_OUT_NEW },
	{ "B hears that there is none", LAN, UDP(B, 25000, S, 53), DROPPED, WHY_NO_PORT },
	{ "TCP's", LAN, TCP(SYN, A, 25000, S, 80), WAN, TCP(SYN, EXT, 25000, S, 80), WHY_OUT_NEW },
	{ "B's connection", LAN, TCP(SYN, B, 25000, S, 80, .tcp_options = 20), DROPPED, WHY_NO_PORT },
	{ "the only identifier", LAN, QUERY(ECHO, A, S, 25000), WAN, QUERY(ECHO, EXT, S, 25000), WHY_OUT_NEW },
	{ "B's ping", LAN, QUERY(ECHO, B, S, 25000), DROPPED, WHY_NO_PORT },
	{ "without a checksum", LAN, UDP(B, 25000, S, 53, .no_checksum = true), DROPPED, WHY_NO_PORT },
	{ "its checksum is wrong", LAN, UDP(B, 25000, S, 53, .damage = 9), DROPPED, WHY_NO_PORT },
	{ "to our own address", LAN, UDP(B, 25000, EXT, 25000), DROPPED, WHY_NO_PORT },
	{ "A's is still there", WAN, UDP(S, 53, EXT, 25000), LAN, UDP(S, 53, A, 25000), WHY_IN },
};

#define OPTIONS .ip_options = 40
#define FIRST	.payload = 80, .length = 24, .more = true
#define NEXT	.payload = 80, .offset = 24

static const struct step options[] = {
	{ "A has the only port", LAN, UDP(A, 25000, S, 53), WAN, UDP(EXT, 25000, S, 53), WHY_OUT_NEW },
	{ "with options", LAN, UDP(B, 25000, S, 53, OPTIONS), DROPPED, WHY_NO_PORT },
};

/* RFC 1812 section 4.3.2.7. */
static const struct step fragments[] = {
	{ "A has the only port", LAN, UDP(A, 25000, S, 53), WAN, UDP(EXT, 25000, S, 53), WHY_OUT_NEW },
	{ "B's first fragment is refused", LAN, UDP(B, 25000, S, 53, FIRST), DROPPED, WHY_NO_PORT },
	{ "the next is not heard of", LAN, UDP(B, 25000, S, 53, NEXT), SILENTLY, WHY_FRAGMENT_HELD },
};

/* IPv6: the transport header is not looked for, so that a checksum which the device is still to compute is not seen. */
static const struct step extension_headers[] = {
	{ "A has the only port", LAN, UDP(A, 25000, S, 53), WAN, UDP(EXT, 25000, S, 53), WHY_OUT_NEW },
	{ "B hears that there is none", LAN, UDP(B, 25000, S, 53), DROPPED, WHY_NO_PORT },
	{ "not behind an extension header", LAN, UDP(B, 25000, S, 53, OPTIONS), SILENTLY, WHY_NO_PORT },
	{ "TCP's", LAN, TCP(SYN, A, 25000, S, 80), WAN, TCP(SYN, EXT, 25000, S, 80), WHY_OUT_NEW },
	{ "B's connection", LAN, TCP(SYN, B, 25000, S, 80, OPTIONS), SILENTLY, WHY_NO_PORT },
	{ "a first fragment", LAN, UDP(B, 25000, S, 53, FIRST), SILENTLY, WHY_NO_PORT },
	{ "the next", LAN, UDP(B, 25000, S, 53, NEXT), SILENTLY, WHY_FRAGMENT_HELD },
};

static const struct step by_policy[] = {
	{ "A may have one", LAN, UDP(A, 20000, S, 53), WAN, UDP(EXT, 20000, S, 53), WHY_OUT_NEW },
	{ "and hears that it may have no other", LAN, UDP(A, 20001, S, 53), DROPPED, WHY_HOST_LIMIT },
	{ "TCP", LAN, TCP(SYN, A, 20000, S, 80), WAN, TCP(SYN, EXT, 20000, S, 80), WHY_OUT_NEW },
	{ "no other connection", LAN, TCP(SYN, A, 20001, S, 80), DROPPED, WHY_HOST_LIMIT },
	{ "a ping", LAN, QUERY(ECHO, A, S, 20000), WAN, QUERY(ECHO, EXT, S, 20000), WHY_OUT_NEW },
	{ "no other ping", LAN, QUERY(ECHO, A, S, 20001), DROPPED, WHY_HOST_LIMIT },
};

static const struct step without_l2[] = {
	{ "H has the only port", LAN, UDP(H, 25000, S, 53), WAN, UDP(EXT, 25000, S, 53), WHY_OUT_NEW },
	{ "I hears that there is none", LAN, UDP(I, 25000, S, 53), DROPPED, WHY_NO_PORT },
	{ "TCP's", LAN, TCP(SYN, H, 25000, S, 80), WAN, TCP(SYN, EXT, 25000, S, 80), WHY_OUT_NEW },
	{ "I's", LAN, TCP(SYN, I, 25000, S, 80), DROPPED, WHY_NO_PORT },
	{ "a long one", LAN, UDP(I, 25000, S, 53, .payload = 500), DROPPED, WHY_NO_PORT },
};

/* RFC 1812 section 4.3.2.5, and RFC 5508 REQ-10d after it. */
static const struct step service[] = {
	{ "A has the only port", LAN, UDP(A, 25000, S, 53), WAN, UDP(EXT, 25000, S, 53), WHY_OUT_NEW },
	{ "low delay, routine", LAN, UDP(B, 25000, S, 53, .tos = 0x10), DROPPED, WHY_NO_PORT },
	{ "precedence 5, ECN", LAN, UDP(B, 25000, S, 53, .tos = 0xb9), DROPPED, WHY_NO_PORT },
	{ "all bits", LAN, UDP(B, 25000, S, 53, .tos = 0xff), DROPPED, WHY_NO_PORT },
};

static const struct step nobody_is_told[] = {
	{ "A has the only port", LAN, UDP(A, 25000, S, 53), WAN, UDP(EXT, 25000, S, 53), WHY_OUT_NEW },
	{ "not of an error", LAN, ERROR(UNREACHABLE, 3, B, S, UDP(S, 53, B, 25000)), SILENTLY, WHY_ICMP_NO_MAPPING },
	{ "nor an answer", LAN, QUERY(ECHO_REPLY, B, S, 25000), SILENTLY, WHY_ICMP_NO_MAPPING },
	{ "nor the middle of a connection", LAN, TCP(ACK, B, 25000, S, 80), SILENTLY, WHY_TCP_NO_MAPPING },
	{ "to many", LAN, UDP(B, 25000, IPV4(224, 0, 0, 251), 5353), PASSED, WHY_EXEMPT },
	{ "from nobody", LAN, UDP(0, 25000, S, 53), PASSED, WHY_EXEMPT },
	{ "the router itself", LAN, UDP(EXT, 25000, S, 53), SILENTLY, WHY_NO_PORT },
};

static const struct step to_all[] = {
	{ "to all", LAN, UDP(B, 25000, IPV4(255, 255, 255, 255), 67), PASSED, WHY_EXEMPT },
	{ "from nobody that can be one host", LAN, UDP(IPV4(240, 0, 0, 1), 25000, S, 53), PASSED, WHY_EXEMPT },
};

/* It comes in where egress has turned it round, by the mark alone. */
static const struct step comes_in[] = {
	{ "the error", ROUND, ERROR(UNREACHABLE, 13, S, B, UDP(B, 25000, S, 53)), PASSED, WHY_REFUSAL },
	{ "a stranger's", WAN, ERROR(UNREACHABLE, 13, S, B, UDP(B, 25000, S, 53)), PASSED, WHY_NOT_EXTERNAL },
	{ "what is no error", ROUND, UDP(S, 53, B, 25000), PASSED, WHY_NOT_EXTERNAL },
};

/* Sends from inside, and says how the program was done with it. */
static struct outcome sent(struct router *router, const struct packet *packet)
{
	struct outcome outcome;
	struct frame frame;
	const char *wrong;

	frame_build(&frame, packet, true);
	wrong = router_send(router, NAT_EGRESS, &frame, &outcome);
	if (wrong)
		fail_msg("%s", wrong);
	return outcome;
}

static void open_port(struct router *router, uint8_t protocol)
{
	const struct packet udp = UDP(A, 25000, S, 53), tcp = TCP(SYN, A, 25000, S, 80);

	assert_int_equal(sent(router, protocol == 17 ? &udp : &tcp).why, WHY_OUT_NEW);
}

/* Of every length about which something changes: a chunk of the sum, the most that is quoted, the largest packet. */
static void lengths(struct router *router)
{
	static const size_t around[] = { 0, 36, 64, 512, 548, 1200, 1232, 1400 };

	router_set_checksum_none(
		router); /* cutting the end off ends CHECKSUM_COMPLETE, which nothing has on its way out */
	open_port(router, 17);
	open_port(router, 6);
	for (size_t i = 0; i < sizeof(around) / sizeof(*around); i++)
		for (size_t payload = around[i] < 20 ? 0 : around[i] - 20; payload < around[i] + 20; payload++) {
			const struct step udp = { "UDP", LAN, UDP(B, 25000, S, 53, .payload = payload), DROPPED,
						  WHY_NO_PORT };
			const struct step tcp = { "TCP", LAN, TCP(SYN, B, 25000, S, 80, .payload = payload), DROPPED,
						  WHY_NO_PORT };

			router_forget_refusals(router);
			step_run(router, &udp);
			step_run(router, &tcp);
		}
}

/* RFC 5508 REQ-10f. */
static void rate(struct router *router)
{
	const struct packet refused = UDP(B, 25000, S, 53), others = UDP(IPV4(192, 168, 1, 201), 25000, S, 53);
	struct timespec start, now;
	int told = 0;

	open_port(router, 17);
	router_forget_refusals(router);
	clock_gettime(CLOCK_MONOTONIC, &start);
	for (int i = 0; i < 1000; i++)
		told += sent(router, &refused).verdict == TC_ACT_REDIRECT;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (told < NAT_REFUSALS || told > NAT_REFUSALS * (2 + (now.tv_sec - start.tv_sec)))
		fail_msg("of 1000 packets in %lld s %d were answered", (long long)now.tv_sec - start.tv_sec, told);
	assert_int_equal(sent(router, &others).verdict, TC_ACT_REDIRECT);
	for (int ms = 0; sent(router, &refused).verdict != TC_ACT_REDIRECT; ms++) {
		if (ms == DEADLINE_MS)
			fail_msg("B is never told again");
		poll(NULL, 0, 1);
	}
}

/* A GSO packet is many. */
static void gso(struct router *router)
{
	const struct packet packet = UDP(B, 25000, S, 53, .payload = 1400);
	struct __sk_buff context = { .gso_segs = 3, .gso_size = 500 }, plain = { 0 };
	struct frame frame, out;
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame.bytes, .data_out = out.bytes,
		    .data_size_out = sizeof(out.bytes), .ctx_in = &context, .ctx_size_in = sizeof(context),
		    .repeat = 1);
	int program = datapath_program_fd(router_datapath(router), NAT_EGRESS);

	open_port(router, 17);
	frame_build(&frame, &packet, true);
	opts.data_size_in = frame.size;
	assert_int_equal(bpf_prog_test_run_opts(program, &opts), 0);
	assert_int_equal(opts.retval, TC_ACT_SHOT);
	opts.ctx_in = &plain;
	opts.data_size_out = sizeof(out.bytes);
	assert_int_equal(bpf_prog_test_run_opts(program, &opts), 0);
	assert_int_equal(opts.retval, TC_ACT_REDIRECT);
	router_forget_counters(router);
}

/* Through the attached programs, with a checksum that the device is still to compute: as containers and VMs send. */

static int socket_open(void)
{
	struct sockaddr_ll lo = { .sll_family = AF_PACKET, .sll_ifindex = LO };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), on = 1;

	lo.sll_protocol = htons(packet_family() == AF_INET ? 0x0800 : 0x86dd);
	if (fd < 0 || setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)) ||
	    bind(fd, (struct sockaddr *)&lo, sizeof(lo)))
		fail_msg("packet socket: %s", strerror(errno));
	return fd;
}

static void put_sum(uint8_t *at, uint16_t sum)
{
	at[0] = sum >> 8;
	at[1] = sum & 0xff;
}

/*
 * The frame as a stack that leaves checksums to the device hands it out, with the sum of the pseudo header in the place: it
 * makes up for all of the segment with its right checksum.
 */
static struct virtio_net_hdr frame_unsum(struct frame *frame, uint8_t protocol)
{
	size_t start = frame_transport(frame), field = protocol == 6 ? 16 : 6;
	struct virtio_net_hdr head = { .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
				       .csum_start = start,
				       .csum_offset = field };

	put_sum(frame->bytes + start + field, ~checksum_add(0, frame->bytes + start, frame->size - start));
	return head;
}

/* What the device makes of it. */
static void frame_sum_up(struct frame *frame, const struct virtio_net_hdr *head)
{
	uint8_t *field = frame->bytes + head->csum_start + head->csum_offset;

	put_sum(field, ~checksum_add(0, frame->bytes + head->csum_start, frame->size - head->csum_start));
}

static void received(int fd, struct virtio_net_hdr *head, struct frame *frame)
{
	struct sockaddr_ll from;
	struct iovec parts[] = { { head, sizeof(*head) }, { frame->bytes, sizeof(frame->bytes) } };
	struct msghdr message = { .msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = parts, .msg_iovlen = 2 };
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	ssize_t size;

	do {
		if (poll(&wait, 1, DEADLINE_MS) != 1)
			fail_msg("no error came in");
		message.msg_namelen = sizeof(from);
		size = recvmsg(fd, &message, 0);
	} while (size < (ssize_t)sizeof(*head) || from.sll_pkttype == PACKET_OUTGOING);
	assert_int_equal(from.sll_pkttype, PACKET_HOST);
	frame->size = size - sizeof(*head);
	frame->l2 = ETHERNET;
}

/* One packet out, and what comes in for it, which must be right when the device has done its part. */
static void offload_case(int fd, const struct packet *packet, bool offload)
{
	struct virtio_net_hdr head = { 0 };
	struct frame frame, got, want;
	struct iovec parts[] = { { &head, sizeof(head) }, { frame.bytes, 0 } };
	char text[600];

	frame_build(&frame, packet, true);
	memset(frame.bytes, 0, 12); /* lo's addresses */
	if (offload)
		head = frame_unsum(&frame, packet->protocol);
	parts[1].iov_len = frame.size;
	assert_int_equal(writev(fd, parts, 2), sizeof(head) + frame.size);
	received(fd, &head, &got);
	assert_int_equal(head.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM, offload);
	if (offload) {
		size_t field = head.csum_start + head.csum_offset, room = packet_family() == AF_INET ? 28 : 48;

		frame_sum_up(&got, &head);
		memcpy(frame.bytes + field - room, got.bytes + field, 2); /* of what is left of the segment */
	}
	refusal_build(&want, &frame);
	if (frame_differs(&want, &got, text, sizeof(text)))
		fail_msg("%s", text);
	if (frame_check(&got))
		fail_msg("%s is wrong", frame_check(&got));
}

static void offloaded(struct router *router)
{
	static const struct packet packets[] = { UDP(B, 25000, S, 53), TCP(SYN, B, 25000, S, 80, .tcp_options = 20),
						 UDP(B, 25000, S, 53, .payload = 1400),
						 TCP(SYN, B, 25000, S, 80, .payload = 1301) };
	int fd;

	open_port(router, 17);
	open_port(router, 6);
	assert_int_equal(datapath_attach(router_datapath(router)), 0);
	fd = socket_open();
	for (size_t i = 0; i < sizeof(packets) / sizeof(*packets); i++) {
		offload_case(fd, &packets[i], false);
		offload_case(fd, &packets[i], true);
	}
	close(fd);
	datapath_detach(router_datapath(router));
	router_forget_counters(router);
}

/* RFC 6888 REQ-4c's limit is over so soon that an error would do harm. */
static void not_by_rate(struct router *router)
{
	struct outcome outcome;
	unsigned int port = 25000;

	do {
		struct packet packet = UDP(A, port, S, 53);

		outcome = sent(router, &packet);
	} while (outcome.why == WHY_OUT_NEW && ++port < 25010);
	assert_int_equal(outcome.why, WHY_HOST_RATE);
	assert_int_equal(outcome.verdict, TC_ACT_SHOT);
}

/* To a host that is not routed inside, it comes back: it must not leave with the remote for its source. */
static void comes_back(struct router *router)
{
	const uint8_t code = packet_family() == AF_INET ? 13 : 1;
	const struct packet error = ERROR(UNREACHABLE, code, S, B, UDP(B, 25000, S, 53));
	const struct packet others = ERROR(UNREACHABLE, 4, R, B, UDP(B, 25000, S, 53));
	const struct packet abroad = ERROR(UNREACHABLE, code, S, Z, UDP(Z, 25000, S, 53));

	router_set_from(router, LO);
	assert_int_equal(sent(router, &error).why, WHY_ICMP_NO_MAPPING);
	assert_int_equal(sent(router, &others).why, WHY_EXEMPT);
	assert_int_equal(sent(router, &abroad).why, WHY_EXEMPT);
	router_set_from(router, ROUTER_DMZ);
	assert_int_equal(sent(router, &error).why, WHY_EXEMPT);
}

static const struct test tests[] = {
	STEPS("rfc5508_req8_no_port", no_port, .setup = &one_port),
	CODE("rfc5508_req8_any_length", lengths, .setup = &one_port, .only_ipv4 = false),
	CODE("rfc5508_req8_checksum_offload", offloaded, .setup = &one_port, .only_ipv4 = false),
	STEPS("rfc5508_req10d_type_of_service", service, .setup = &one_port),
	STEPS("rfc5508_req10e_nobody_is_told", nobody_is_told, .setup = &one_port),
	STEPS("rfc5508_req10e_fragments", fragments, .setup = &one_port, .only_ipv4 = true),
	STEPS("behind_options", options, .setup = &one_port, .only_ipv4 = true),
	STEPS("not_behind_extension_headers", extension_headers, .setup = &one_port, .only_ipv6 = true),
	STEPS("rfc5508_req10e_broadcast", to_all, .setup = &one_port, .only_ipv4 = true),
	CODE("rfc5508_req10e_gso", gso, .setup = &one_port, .only_ipv4 = false),
	CODE("rfc5508_req10f_rate", rate, .setup = &one_port, .only_ipv4 = false),
	STEPS("rfc5508_req8_comes_in_by_the_mark", comes_in, .setup = &one_port),
	CODE("comes_back", comes_back, .setup = &internals, .only_ipv4 = false, .needs_from = true),
	STEPS("rfc6888_req11b_by_policy", by_policy, .setup = &limited),
	CODE("rfc6888_req11b_not_by_rate", not_by_rate, .setup = &slowed, .only_ipv4 = false),
	STEPS("rfc5508_req8_without_ethernet_header", without_l2, .setup = &no_l2, .only_ipv4 = true),
};

int main(int argc, char **argv)
{
	return tests_main(tests, sizeof(tests) / sizeof(*tests), argc, argv);
}
