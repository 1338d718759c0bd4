// SPDX-License-Identifier: GPL-2.0-or-later
/* Frames in pieces through attached programs. See wire.h. */
#include "wire.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/pkt_cls.h>
#include <linux/virtio_net.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>
#include <cmocka.h>

#define LO	     1
#define DEADLINE_MS  10000
#define LAST_OF_ALL  65000 /* the capture's priority, behind every other filter's */
#define NO_PROTOCOL  ETH_P_LOOPBACK
#define MARGIN	     104 /* beyond a page */
#define HEAD	     offsetof(struct captured, bytes)
#define IN_CTX(name) offsetof(struct __sk_buff, name)

/* What the capture takes down of a frame. */
struct captured {
	__u32 linear; /* bytes in one piece */
	__u32 pad;
	uint8_t bytes[];
};

struct wire {
	struct datapath *dp;
	size_t size, linear;
	int sockets[NAT_DIRECTIONS];
	int scratch, queue; /* maps: where a frame is put together, where it waits for us */
	int capture;	    /* the program */
	bool has_hook;
	struct captured *captured;
};

/* Capturing */

#define INSN(c, d, s, o, i) ((struct bpf_insn){ .code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i) })
#define MOV_REG(d, s)	    INSN(BPF_ALU64 | BPF_MOV | BPF_X, d, s, 0, 0)
#define MOV_IMM(d, i)	    INSN(BPF_ALU64 | BPF_MOV | BPF_K, d, 0, 0, i)
#define ADD_IMM(d, i)	    INSN(BPF_ALU64 | BPF_ADD | BPF_K, d, 0, 0, i)
#define SUB_REG(d, s)	    INSN(BPF_ALU64 | BPF_SUB | BPF_X, d, s, 0, 0)
#define LOAD(d, s, o)	    INSN(BPF_LDX | BPF_MEM | BPF_W, d, s, o, 0)
#define STORE(d, o, s)	    INSN(BPF_STX | BPF_MEM | BPF_W, d, s, o, 0)
#define CALL(helper)	    INSN(BPF_JMP | BPF_CALL, 0, 0, 0, helper)
#define EXIT		    INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)
#define MAP(d, fd)	    INSN(BPF_LD | BPF_DW | BPF_IMM, d, BPF_PSEUDO_MAP_FD, 0, fd), INSN(0, 0, 0, 0, 0)

/* Frames of our length go into the queue and no further; all others pass. */
static int capture_load(const struct wire *wire)
{
	const struct bpf_insn insns[] = {
		MOV_REG(BPF_REG_6, BPF_REG_1),
		LOAD(BPF_REG_1, BPF_REG_6, IN_CTX(len)),
		INSN(BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_1, 0, 2, wire->size),
		MOV_IMM(BPF_REG_0, TC_ACT_UNSPEC),
		EXIT,
		MOV_IMM(BPF_REG_1, 0),
		STORE(BPF_REG_10, -4, BPF_REG_1),
		MAP(BPF_REG_1, wire->scratch),
		MOV_REG(BPF_REG_2, BPF_REG_10),
		ADD_IMM(BPF_REG_2, -4),
		CALL(BPF_FUNC_map_lookup_elem),
		INSN(BPF_JMP | BPF_JNE | BPF_K, BPF_REG_0, 0, 2, 0),
		MOV_IMM(BPF_REG_0, TC_ACT_UNSPEC),
		EXIT,
		MOV_REG(BPF_REG_7, BPF_REG_0),
		LOAD(BPF_REG_1, BPF_REG_6, IN_CTX(data)),
		LOAD(BPF_REG_2, BPF_REG_6, IN_CTX(data_end)),
		SUB_REG(BPF_REG_2, BPF_REG_1),
		STORE(BPF_REG_7, offsetof(struct captured, linear), BPF_REG_2),
		MOV_REG(BPF_REG_1, BPF_REG_6),
		MOV_IMM(BPF_REG_2, 0),
		MOV_REG(BPF_REG_3, BPF_REG_7),
		ADD_IMM(BPF_REG_3, HEAD),
		MOV_IMM(BPF_REG_4, wire->size),
		CALL(BPF_FUNC_skb_load_bytes),
		MAP(BPF_REG_1, wire->queue),
		MOV_REG(BPF_REG_2, BPF_REG_7),
		MOV_IMM(BPF_REG_3, BPF_ANY),
		CALL(BPF_FUNC_map_push_elem),
		MOV_IMM(BPF_REG_0, TC_ACT_STOLEN),
		EXIT,
	};

	return bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "capture", "GPL", insns, sizeof(insns) / sizeof(*insns), NULL);
}

static void capture_attach(struct wire *wire)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = LO, .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	int err = bpf_tc_hook_create(&hook);

	wire->has_hook = !err;
	for (int i = 0; !err && i < NAT_DIRECTIONS; i++) {
		LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = wire->capture, .priority = LAST_OF_ALL);

		hook.attach_point = i == NAT_EGRESS ? BPF_TC_EGRESS : BPF_TC_INGRESS;
		err = bpf_tc_attach(&hook, &opts);
	}
	if (err)
		fail_msg("no capture on lo: %s", strerror(-err));
}

/* Opening */

/*
 * PACKET_VNET_HDR: each frame says how much of it is to be in one piece. What is to come in has to leave first: past the
 * egress hook, by PACKET_QDISC_BYPASS.
 */
static int socket_open(enum nat_direction direction)
{
	const int on = 1, bypass = direction == NAT_INGRESS;
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)) ||
	    setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &bypass, sizeof(bypass)))
		fail_msg("packet socket: %s", strerror(errno));
	return fd;
}

struct wire *wire_open(struct datapath *dp)
{
	struct wire *wire = calloc(1, sizeof(*wire));
	size_t value;

	wire->dp = dp;
	wire->size = sysconf(_SC_PAGESIZE) + MARGIN;
	value = (HEAD + wire->size + 7) & ~7u;
	wire->captured = calloc(1, value);
	for (int i = 0; i < NAT_DIRECTIONS; i++)
		wire->sockets[i] = socket_open(i);
	wire->scratch = bpf_map_create(BPF_MAP_TYPE_ARRAY, "scratch", 4, value, 1, NULL);
	wire->queue = bpf_map_create(BPF_MAP_TYPE_QUEUE, "captured", 0, value, 4, NULL);
	wire->capture = capture_load(wire);
	if (wire->capture < 0)
		fail_msg("the capture cannot be loaded: %s", strerror(errno));
	capture_attach(wire);
	assert_int_equal(datapath_attach(dp), 0);
	return wire;
}

void wire_close(struct wire *wire)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = LO, .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);

	if (!wire)
		return;
	datapath_detach(wire->dp);
	if (wire->has_hook)
		bpf_tc_hook_destroy(&hook);
	for (int i = 0; i < NAT_DIRECTIONS; i++)
		close(wire->sockets[i]);
	close(wire->capture);
	close(wire->scratch);
	close(wire->queue);
	free(wire->captured);
	free(wire);
}

size_t wire_size(const struct wire *wire)
{
	return wire->size;
}

/* Sending */

/* 0 or -errno. */
static int frame_send(struct wire *wire, enum nat_direction direction, const struct frame *frame, int protocol)
{
	static const uint8_t zeros[PACKET_MAX * 8];
	struct virtio_net_hdr head = { .hdr_len = wire->linear };
	struct sockaddr_ll lo = { .sll_family = AF_PACKET, .sll_protocol = htons(protocol), .sll_ifindex = LO };
	struct iovec parts[] = { { &head, sizeof(head) },
				 { (void *)frame->bytes, frame->size },
				 { (void *)zeros, wire->size - frame->size } };
	struct msghdr message = { .msg_name = &lo, .msg_namelen = sizeof(lo), .msg_iov = parts, .msg_iovlen = 3 };

	if (wire->size - frame->size > sizeof(zeros))
		fail_msg("pages of %ld bytes are too long", sysconf(_SC_PAGESIZE));
	return sendmsg(wire->sockets[direction], &message, 0) < 0 ? -errno : 0;
}

static int captured_wait(struct wire *wire)
{
	for (int ms = 0; ms < DEADLINE_MS; ms++) {
		if (!bpf_map_lookup_and_delete_elem(wire->queue, NULL, wire->captured))
			return 0;
		if (errno != ENOENT)
			return -errno;
		poll(NULL, 0, 1);
	}
	return -ETIMEDOUT;
}

void wire_set_linear(struct wire *wire, size_t bytes)
{
	static const struct frame frame = { .size = ETH_HLEN,
					    .bytes = { [12] = NO_PROTOCOL >> 8, NO_PROTOCOL & 0xff } };

	wire->linear = bytes;
	for (int i = 0; i < NAT_DIRECTIONS; i++) {
		if (frame_send(wire, i, &frame, NO_PROTOCOL) || captured_wait(wire))
			fail_msg("lo did not take a frame with %zu bytes in one piece", bytes);
		if (wire->captured->linear != bytes)
			fail_msg("bytes in one piece: want %zu, got %u", bytes, wire->captured->linear);
	}
}

int wire_send(struct wire *wire, enum nat_direction direction, const struct frame *frame, struct frame *result)
{
	int err = frame_send(wire, direction, frame, packet_family() == AF_INET ? ETH_P_IP : ETH_P_IPV6);

	err = err ?: captured_wait(wire);
	if (err)
		return err;
	for (size_t i = frame->size; i < wire->size; i++)
		if (wire->captured->bytes[i])
			fail_msg("byte %zu, behind the packet, was changed", i);
	result->size = frame->size;
	result->l2 = frame->l2;
	memcpy(result->bytes, wire->captured->bytes, frame->size);
	return 0;
}
