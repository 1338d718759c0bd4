/* SPDX-License-Identifier: GPL-2.0-only */
/* What the translation needs to know of a packet, whichever way it goes. The family's header fills it in. */
#ifndef PACKET_BPF_H
#define PACKET_BPF_H

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/* Not a reason: the packet goes on through the program. */
#define WHY_NONE NAT_REASON_COUNT

enum icmp_kind { ICMP_KIND_NONE, ICMP_KIND_REQUEST, ICMP_KIND_REPLY, ICMP_KIND_ERROR };

enum tcp_flag { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_ACK = 16 };

/*
 * "Local" is the endpoint that NAT changes: the internal one on egress, the external one on ingress.
 * The pointers stay good until a helper changes the packet, which only the rewriting and the slow paths do.
 */
struct packet {
	struct nat_addr local_addr;
	struct nat_addr remote_addr;
	__be16 local_port; /* ICMP queries: the identifier, here and as the remote port */
	__be16 remote_port;
	__u32 transport_offset; /* from the start of the frame, as helpers count */
	__be32 fragment_id;
	__u8 protocol;	/* enum nat_protocol */
	__u8 tcp_flags; /* enum tcp_flag and the others */
	__u8 icmp_kind; /* enum icmp_kind */
	__u8 first;	/* first of several fragments */
	__u8 follower;	/* a later fragment: it has no ports */
	void *ip;	/* the family's header */
	__u8 *transport;
};

/*
 * Makes the first `length` bytes of the frame, or the whole of a shorter one, readable in place: large packets (GRO,
 * PPPoE) may arrive with their headers elsewhere. Invalidates packet pointers where it has to move something.
 */
static __always_inline int packet_pull(struct __sk_buff *skb, __u32 length)
{
	void *data = (void *)(long)skb->data;

	if (length > skb->len)
		length = skb->len;
	if (length > 256) /* never: the verifier wants a bound */
		return -1;
	if (data + length <= (void *)(long)skb->data_end)
		return 0;
	return bpf_skb_pull_data(skb, length);
}

/*
 * Gives `value` back, and makes the verifier forget what it knew of it. It follows each constant along each path: were it
 * to know the protocol, the slow path would be verified once for each protocol, kind and header length.
 */
static __always_inline __u64 blur(__u64 value, __u64 unknown)
{
	value ^= unknown; /* not +, which would leave each its own range */
	asm volatile("" : "+r"(value));
	return value ^ unknown;
}

/* The same of 32 bits, of which the verifier then knows no more than that: what blur() gives may still differ by its range. */
static __always_inline __u32 blur_number(__u32 value, __u64 unknown)
{
	__u64 shifted = blur(value, unknown) << 32;

	asm volatile("" : "+r"(shifted));
	return shifted >> 32;
}

/* 1 for anything but 0, without a branch: each is another path to the verifier. */
static __always_inline __u32 is_any(__u64 bits)
{
	__u64 negative = -bits;

	asm volatile("" : "+r"(negative));
	return (negative | bits) >> 63;
}

/*
 * An array's index with its bound where the verifier sees it: before 6.10 it forgets what it knows of a number at any |, ^
 * or *, and clang, which does not, drops the mask as needless. `last` is a power of two less one.
 */
static __always_inline __u32 index_bounded(__u32 index, __u32 last)
{
	asm volatile("" : "+r"(index));
	return index & last;
}

/*
 * Addresses in a packet's IP header, in place. For a CPU that wants its accesses aligned (MIPS, RISC-V) the verifier takes
 * for granted what the kernel arranges for Ethernet, a header of 14 bytes behind two spare ones, and does so on links
 * without that header, too. There a word is two halves.
 */
union halves {
	__be32 word;
	__be16 half[2];
};

static __always_inline void addr_load_halves(struct nat_addr *addr, const __be16 *half)
{
	union halves value;

	for (int i = 0; i < NAT_ADDR_WORDS; i++) {
		value.half[0] = half[2 * i];
		value.half[1] = half[2 * i + 1];
		addr->word[i] = value.word;
	}
}

static __always_inline void addr_load(struct nat_addr *addr, const void *field, __u32 l2_length)
{
	if (likely(l2_length))
		__builtin_memcpy(addr, (const __be32 *)field, sizeof(*addr));
	else
		addr_load_halves(addr, field);
}

/* Is the address in a packet's header this one? */
static __always_inline bool addr_is(const void *field, const __be32 addr[NAT_ADDR_WORDS], __u32 l2_length)
{
	struct nat_addr read;
	__u64 difference = 0; /* a whole register, which needs no shifts */

	addr_load(&read, field, l2_length);
	for (int i = 0; i < NAT_ADDR_WORDS; i++)
		difference |= (__u64)read.word[i] ^ addr[i];
	return !difference;
}

static __always_inline void addr_store(void *to, const struct nat_addr *addr, __u32 l2_length)
{
	__be16 *half = to;
	union halves value;

	if (likely(l2_length)) {
		__builtin_memcpy((__be32 *)to, addr, sizeof(*addr));
		return;
	}
	for (int i = 0; i < NAT_ADDR_WORDS; i++) {
		value.word = addr->word[i];
		half[2 * i] = value.half[0];
		half[2 * i + 1] = value.half[1];
	}
}

/*
 * Something on the stack of which the verifier is to know that whatever stood there before is gone: it says so of eight
 * bytes at a time, and only where all of them are written at once.
 */
#define FRESH(type)                                 \
	union {                                     \
		type it;                            \
		__u64 word[(sizeof(type) + 7) / 8]; \
	}

#define fresh_clear(fresh)                                                                           \
	do {                                                                                         \
		for (unsigned long n = 0; n < sizeof((fresh)->word) / sizeof((fresh)->word[0]); n++) \
			*(volatile __u64 *)&(fresh)->word[n] = 0;                                    \
	} while (0)

static __always_inline bool addr_equal(const struct nat_addr *a, const struct nat_addr *b)
{
	__u32 difference = 0;

	for (int i = 0; i < NAT_ADDR_WORDS; i++)
		difference |= a->word[i] ^ b->word[i];
	return !difference;
}

static __always_inline bool addr_is_zero(const struct nat_addr *a)
{
	__u32 bits = 0;

	for (int i = 0; i < NAT_ADDR_WORDS; i++)
		bits |= a->word[i];
	return !bits;
}

/*
 * The clock is read once a jiffy, since that takes longer than all else that is asked of a packet, while jiffies are a load
 * from memory where the JIT knows of them. Both halves in one store: on a 32-bit CPU a reader may see halves of two, and
 * takes it to be as late as the last packet was, for this one.
 */
static __always_inline bool clock_is_read(__u64 clock, __u64 jiffies)
{
	return likely(!((clock ^ jiffies) << 32));
}

static __always_inline __u32 clock_ticks(void)
{
	__u64 jiffies = bpf_jiffies64(), last = *(volatile __u64 *)&config.clock;
	__u64 now;

	if (clock_is_read(last, jiffies))
		return last >> 32;
	now = (constants.has_coarse_clock ? bpf_ktime_get_coarse_ns() : bpf_ktime_get_ns()) >> NAT_TICK_SHIFT;
	*(volatile __u64 *)&config.clock = now << 32 | (__u32)jiffies;
	return now;
}

/* True once the tick `when` lies in the past. */
static __always_inline bool clock_passed(__u32 when, __u32 now)
{
	return (__s32)(now - when) >= 0;
}

#endif
