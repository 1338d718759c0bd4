// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How packets lie in memory, by the device they come from: without an Ethernet header (PPP, WireGuard, TUN), with a VLAN
 * tag beside the packet, with only a little of it in one piece (GRO, PPPoE).
 */
#include <bpf/bpf.h>
#include <linux/pkt_cls.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "steps.h"

static const struct setup no_l2 = { .no_l2 = true };
static const struct setup marking = { .inbound_mark = 0x40, .mss_clamp = 1400 };

/*
 * A test run takes the packet's protocol from where an Ethernet frame has it, bytes 12 and 13. In a packet that begins
 * with its IP header the source address lies there, so it must be 8.0.x.y to make an IPv4 packet of it. No packet leaves
 * this process.
 */
enum { H = IPV4(8, 0, 0, 1), I = IPV4(8, 0, 0, 2), N = IPV4(8, 0, 1, 1) };

static const struct step without_l2[] = {
	{ "UDP out", LAN, UDP(H, 25000, S, 53), WAN, UDP(EXT, 25000, S, 53), WHY_OUT_NEW },
	{ "UDP in", WAN, UDP(N, 53, EXT, 25000), LAN, UDP(N, 53, H, 25000), WHY_IN },
	{ "UDP out, port changed", LAN, UDP(I, 25000, S, 53), WAN, UDP(EXT, PORT(0), S, 53), WHY_OUT_NEW },
	{ "UDP in, port changed", WAN, UDP(N, 53, EXT, PORT(0)), LAN, UDP(N, 53, I, 25000), WHY_IN },
	{ "TCP out", LAN, TCP(SYN, H, 25000, S, 80, .tcp_options = 20), WAN,
	  TCP(SYN, EXT, 25000, S, 80, .tcp_options = 20), WHY_OUT_NEW },
	{ "TCP in", WAN, TCP(SYN | ACK, N, 80, EXT, 25000), LAN, TCP(SYN | ACK, N, 80, H, 25000), WHY_IN },
	{ "a ping", LAN, QUERY(ECHO, H, S, 25000), WAN, QUERY(ECHO, EXT, S, 25000), WHY_OUT_NEW },
	{ "its reply", WAN, QUERY(ECHO_REPLY, N, EXT, 25000), LAN, QUERY(ECHO_REPLY, N, H, 25000), WHY_IN },
	{ "options", LAN, UDP(H, 25000, S, 53, .ip_options = 40), WAN, UDP(EXT, 25000, S, 53, .ip_options = 40),
	  WHY_OUT },
	{ "an error in", WAN, ERROR(UNREACHABLE, 3, N, EXT, UDP(EXT, PORT(0), S, 53)), LAN,
	  ERROR(UNREACHABLE, 3, N, I, UDP(I, 25000, S, 53)), WHY_IN_ERROR },
	{ "an error out", LAN, ERROR(UNREACHABLE, 3, I, S, UDP(S, 53, I, 25000)), WAN,
	  ERROR(UNREACHABLE, 3, EXT, S, UDP(S, 53, EXT, PORT(0))), WHY_OUT_ERROR },
	{ "a first fragment", LAN, UDP(H, 25000, S, 53, .payload = 40, .length = 24, .more = true), WAN,
	  UDP(EXT, 25000, S, 53, .payload = 40, .length = 24, .more = true), WHY_OUT },
	{ "its follower", LAN, UDP(H, 25000, S, 53, .payload = 40, .offset = 24), WAN,
	  UDP(EXT, 25000, S, 53, .payload = 40, .offset = 24), WHY_OUT_FRAGMENT },
	{ "hairpinned", LAN, UDP(H, 25000, EXT, PORT(0)), TURNED, UDP(EXT, 25000, EXT, PORT(0)), WHY_HAIRPIN },
	{ "unmanaged", WAN, UDP(N, 53, EXT, 53), PASSED, WHY_UNMANAGED },
	{ "without mapping", WAN, UDP(N, 53, EXT, 26000), DROPPED, WHY_NO_MAPPING },
};

/* Cut short at every length that a test run takes, which is an Ethernet header's 14 bytes and more. */
static void without_l2_cut_short(struct router *router)
{
	static const struct packet packets[] = { UDP(H, 25000, S, 53), TCP(SYN, H, 25000, S, 80),
						 QUERY(ECHO, H, S, 25000), UDP(H, 25000, S, 53, .ip_options = 40) };
	static const size_t whole[] = { 28, 40, 28, 68 };

	for (size_t i = 0; i < sizeof(packets) / sizeof(*packets); i++) {
		struct outcome outcome;
		struct frame frame;

		frame_build(&frame, &packets[i], false);
		for (; frame.size >= 14; frame.size--) {
			const char *wrong = router_send(router, NAT_EGRESS, &frame, &outcome);

			if (wrong == router_refused)
				continue;
			if (wrong)
				fail_msg("packet %zu, %zu bytes: %s", i, frame.size, wrong);
			if ((outcome.why == WHY_MALFORMED) != (frame.size < whole[i]))
				fail_msg("packet %zu, %zu bytes: reason %d", i, frame.size, outcome.why);
		}
	}
}

/*
 * VLAN tags. The device takes them out of the frame, and a test run cannot put them back beside it: a program of five
 * instructions does, and goes on in ours. It takes the whole stack, although it needs none: without a JIT, kernels such as
 * 6.12 give what is called in its place no more stack than it had itself, and are overwritten.
 */

#define INSN(c, d, s, o, i) ((struct bpf_insn){ .code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i) })
#define MOV_REG(d, s)	    INSN(BPF_ALU64 | BPF_MOV | BPF_X, d, s, 0, 0)
#define MOV_IMM(d, i)	    INSN(BPF_ALU64 | BPF_MOV | BPF_K, d, 0, 0, i)
#define CALL(helper)	    INSN(BPF_JMP | BPF_CALL, 0, 0, 0, helper)

static int tagger_load(int programs_fd, int tag, enum bpf_attach_type type)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = type);
	const struct bpf_insn insns[] = {
		INSN(BPF_ST | BPF_MEM | BPF_DW, BPF_REG_10, 0, -512, 0),
		MOV_REG(BPF_REG_6, BPF_REG_1),
		MOV_IMM(BPF_REG_2, __builtin_bswap16(0x8100)),
		MOV_IMM(BPF_REG_3, tag),
		CALL(BPF_FUNC_skb_vlan_push),
		MOV_REG(BPF_REG_1, BPF_REG_6),
		INSN(BPF_LD | BPF_DW | BPF_IMM, BPF_REG_2, BPF_PSEUDO_MAP_FD, 0, programs_fd),
		INSN(0, 0, 0, 0, 0),
		MOV_IMM(BPF_REG_3, 0),
		CALL(BPF_FUNC_tail_call),
		MOV_IMM(BPF_REG_0, 77),
		INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
	};

	return bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "tagger", "GPL", insns, sizeof(insns) / sizeof(*insns), &opts);
}

/* What our program says to a packet with this tag: its verdict. */
static int send_tagged(struct router *router, enum nat_direction direction, int tag, const struct packet *packet)
{
	static const enum bpf_attach_type types[] = { 0, BPF_TCX_INGRESS, BPF_TCX_EGRESS };
	int program = datapath_program_fd(router_datapath(router), direction), verdict = 77, tries = 0;
	struct frame frame, out;

	frame_build(&frame, packet, true);
	for (size_t i = 0; i < 3 && verdict == 77; i++, tries++) {
		/* newer kernels let programs of one attach type only into an array; we do not know ours */
		LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame.bytes, .data_size_in = frame.size,
			    .data_out = out.bytes, .data_size_out = sizeof(out.bytes), .repeat = 1);
		int array = bpf_map_create(BPF_MAP_TYPE_PROG_ARRAY, "programs", 4, 4, 1, NULL), zero = 0;
		int tagger = tagger_load(array, tag, types[i]);

		if (tagger >= 0 && !bpf_map_update_elem(array, &zero, &program, BPF_ANY) &&
		    !bpf_prog_test_run_opts(tagger, &opts))
			verdict = opts.retval;
		close(tagger);
		close(array);
	}
	return verdict;
}

static void vlan_tags(struct router *router)
{
	static const struct step opens = { "A opens a mapping",	   LAN,	       UDP(A, 25000, S, 53), WAN,
					   UDP(EXT, 25000, S, 53), WHY_OUT_NEW };
	static const struct packet out = UDP(A, 25001, S, 53), answer = UDP(S, 53, EXT, 25000);
	struct counter before, after;

	step_run(router, &opens);
	assert_int_equal(datapath_read_counter(router_datapath(router), NAT_INGRESS, WHY_OTHER_VLAN, &before), 0);
	assert_int_equal(send_tagged(router, NAT_INGRESS, 5, &answer), TC_ACT_UNSPEC);
	assert_int_equal(datapath_read_counter(router_datapath(router), NAT_INGRESS, WHY_OTHER_VLAN, &after), 0);
	assert_int_equal(after.packets - before.packets, 1);
	assert_int_equal(send_tagged(router, NAT_EGRESS, 4094, &out), TC_ACT_UNSPEC);
	assert_int_equal(router_mapping(router, NAT_UDP, 25001).state, MAPPING_FREE);
	/* tag 0 is a priority: the packet belongs to no VLAN */
	assert_int_equal(datapath_read_counter(router_datapath(router), NAT_INGRESS, WHY_IN, &before), 0);
	assert_int_equal(send_tagged(router, NAT_INGRESS, 0, &answer), TC_ACT_UNSPEC);
	assert_int_equal(datapath_read_counter(router_datapath(router), NAT_INGRESS, WHY_IN, &after), 0);
	assert_int_equal(after.packets - before.packets, 1);
}

/* Only so many bytes of the packet in one piece. */

static const struct step in_pieces[] = {
	{ "UDP out", LAN, UDP(A, 25000, S, 53), WAN, UDP(EXT, 25000, S, 53), WHY_OUT_NEW },
	{ "UDP out, port changed", LAN, UDP(B, 25000, S, 53), WAN, UDP(EXT, PORT(0), S, 53), WHY_OUT_NEW },
	{ "UDP in", WAN, UDP(S, 53, EXT, PORT(0)), LAN, UDP(S, 53, B, 25000), WHY_IN },
	{ "UDP without checksum", WAN, UDP(S, 53, EXT, PORT(0), .no_checksum = true), LAN,
	  UDP(S, 53, B, 25000, .no_checksum = true), WHY_IN },
	{ "TCP out", LAN, TCP(SYN, A, 25000, S, 80, .tcp_options = 40, .payload = 1300), WAN,
	  TCP(SYN, EXT, 25000, S, 80, .tcp_options = 40, .payload = 1300), WHY_OUT_NEW },
	{ "TCP in", WAN, TCP(SYN | ACK, S, 80, EXT, 25000, .payload = 1300), LAN,
	  TCP(SYN | ACK, S, 80, A, 25000, .payload = 1300), WHY_IN },
	{ "a long ping", LAN, QUERY(ECHO, B, S, 25000, .payload = 1400), WAN,
	  QUERY(ECHO, EXT, S, 25000, .payload = 1400), WHY_OUT_NEW },
	{ "its reply", WAN, QUERY(ECHO_REPLY, S, EXT, 25000, .payload = 1400), LAN,
	  QUERY(ECHO_REPLY, S, B, 25000, .payload = 1400), WHY_IN },
	{ "options", LAN, UDP(B, 25000, S, 53, .ip_options = 40), WAN, UDP(EXT, PORT(0), S, 53, .ip_options = 40),
	  WHY_OUT },
	{ "an error in", WAN,
	  ERROR(UNREACHABLE, 3, S, EXT, UDP(EXT, PORT(0), S, 53, .ip_options = 40), .ip_options = 40), LAN,
	  ERROR(UNREACHABLE, 3, S, B, UDP(B, 25000, S, 53, .ip_options = 40), .ip_options = 40), WHY_IN_ERROR },
	{ "an error out", LAN,
	  ERROR(UNREACHABLE, 3, A, S, TCP(ACK, S, 80, A, 25000, .payload = 500), .quoted_bytes = 520), WAN,
	  ERROR(UNREACHABLE, 3, EXT, S, TCP(ACK, S, 80, EXT, 25000, .payload = 500), .quoted_bytes = 520),
	  WHY_OUT_ERROR },
	{ "a first fragment", LAN, UDP(A, 25000, S, 53, .payload = 800, .length = 400, .more = true), WAN,
	  UDP(EXT, 25000, S, 53, .payload = 800, .length = 400, .more = true), WHY_OUT },
	{ "its follower", LAN, UDP(A, 25000, S, 53, .payload = 800, .offset = 400), WAN,
	  UDP(EXT, 25000, S, 53, .payload = 800, .offset = 400), WHY_OUT_FRAGMENT },
	{ "GRE", LAN, OTHER(47, A, S), PASSED, WHY_OTHER_PROTOCOL },
};

/* Cuts through the Ethernet header's end, the IP header, its end, the transport header: those of IPv4, then of IPv6. */
static void headers_in_pieces(struct router *router)
{
	static const size_t sizes[] = { 14, 15, 24, 34, 35, 38, 42, 53, 54, 55, 58, 60, 62, 73, 74, 90, 200 };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		const char *wrong;

		ports_forget();
		router_set_linear(router, sizes[i]);
		steps_run(router, in_pieces, sizeof(in_pieces) / sizeof(*in_pieces));
		wrong = router_reset(router);
		if (wrong)
			fail_msg("%zu bytes in one piece: %s", sizes[i], wrong);
	}
}

/* What a SYN announces is no more than the link takes. */

static const uint8_t mss_1460[] = { 2, 4, 0x05, 0xb4 }, mss_1400[] = { 2, 4, 0x05, 0x78 };

static void mss_case(struct router *router, size_t lead, const uint8_t *said, const uint8_t *want, uint32_t port)
{
	static const struct packet syn = TCP(SYN, A, 25000, S, 80, .tcp_options = 12);
	struct packet in = syn, out = syn;
	struct frame frame, expected;
	struct outcome outcome;
	const char *wrong;
	char text[300];

	in.sport = out.sport = port;
	out.saddr = EXT;
	memset(in.options, 1, sizeof(in.options));
	memcpy(in.options + lead, said, 4);
	memcpy(out.options, in.options, sizeof(in.options));
	memcpy(out.options + lead, want, 4);
	in.own_options = out.own_options = true;
	frame_build(&frame, &in, true);
	frame_build(&expected, &out, true);
	wrong = router_send(router, NAT_EGRESS, &frame, &outcome);
	if (wrong)
		fail_msg("%s", wrong);
	if (frame_differs(&expected, &outcome.frame, text, sizeof(text)))
		fail_msg("MSS behind %zu bytes: %s", lead, text);
}

static void mss_is_clamped(struct router *router)
{
	static const uint8_t small[] = { 2, 4, 0x02, 0x18 }, wrong_length[] = { 2, 3, 0x05, 0xb4 };

	for (size_t lead = 0; lead <= 8; lead++) {
		mss_case(router, lead, mss_1460, mss_1400, 25000 + lead);
		mss_case(router, lead, mss_1400, mss_1400, 25100 + lead);
		mss_case(router, lead, small, small, 25200 + lead);
		mss_case(router, lead, wrong_length, wrong_length, 25300 + lead);
	}
}

static const struct step not_clamped[] = {
	{ "a SYN without options", LAN, TCP(SYN, A, 25000, S, 80), WAN, TCP(SYN, EXT, 25000, S, 80), WHY_OUT_NEW },
	{ "a SYN with others", LAN, TCP(SYN, A, 25000, S, 80, .tcp_options = 40), WAN,
	  TCP(SYN, EXT, 25000, S, 80, .tcp_options = 40), WHY_OUT },
	{ "no SYN", LAN, TCP(ACK, A, 25000, S, 80, .tcp_options = 12), WAN,
	  TCP(ACK, EXT, 25000, S, 80, .tcp_options = 12), WHY_OUT },
	{ "UDP", LAN, UDP(A, 25000, S, 53), WAN, UDP(EXT, 25000, S, 53), WHY_OUT_NEW },
};

static const struct test tests[] = {
	STEPS("without_ethernet_header", without_l2, .setup = &no_l2, .only_ipv4 = true),
	CODE("without_ethernet_header_cut_short", without_l2_cut_short, .setup = &no_l2),
	CODE("vlan_tags", vlan_tags),
	CODE("headers_in_pieces", headers_in_pieces, .only_ipv4 = false),
	CODE("mss_is_clamped", mss_is_clamped, .setup = &marking, .only_ipv4 = false),
	STEPS("what_has_no_mss_is_not_clamped", not_clamped, .setup = &marking),
};

int main(int argc, char **argv)
{
	return tests_main(tests, sizeof(tests) / sizeof(*tests), argc, argv);
}
