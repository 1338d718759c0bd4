/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the BPF programs and the daemon share: the layout of every map, the reasons that are counted, and the constants
 * that both sides must agree on. The only header that both include.
 *
 * IPv4 and IPv6 differ in the length of an address alone. Every structure that is looked into from outside ends with
 * its address, so that the IPv4 layout is a prefix of the IPv6 one: a BPF object fixes the words of its own family,
 * the daemon, which reads both, takes the longer.
 */
#ifndef NAT_H
#define NAT_H

#include <linux/bpf.h>
#include <linux/types.h>

#ifndef NAT_ADDR_WORDS
#define NAT_ADDR_WORDS 4
#endif

/*
 * What the maps mean that a later program may find pinned: count it up with any change to them that their sizes do not
 * tell. A program that has another number starts with empty maps.
 */
#define NAT_LAYOUT 3

/* Time in the data plane is a 32-bit count of 2^24 ns (16.8 ms): it wraps after 2.3 years, compare by difference. */
#define NAT_TICK_SHIFT 24
#define NAT_RATE_SHIFT 6 /* 1.07 s */

#define NAT_EXTERNALS_MAX 16
#define NAT_PORT_BLOCK	  32	     /* entries of port_index that share one array element of 64 bytes */
#define NAT_REGION_SLOTS  32768	     /* slots under one lock: 8 groups of 64 words of 64 bits */
#define NAT_HOLD_SOURCES  64	     /* a power of two */
#define NAT_HOLD_BUDGET	  64	     /* fragments a second, for each direction */
#define NAT_REFUSAL_HOSTS 64	     /* a power of two */
#define NAT_REFUSALS	  16	     /* errors to each of them in 2^NAT_RATE_SHIFT ticks, less than 256 */
#define NAT_STATIC_TICKS  (1U << 30) /* how far ahead the end of a static mapping is put, again and again */
#define NAT_ID_CPUS	  64	     /* a power of two: CPUs beyond share their sequences */
#define NAT_ID_REMOTES	  16	     /* see ip_next_id() */
#define NAT_SWEEP_SLOTS	  16	     /* slots that one run of the sweep looks at, at most */

enum nat_direction { NAT_EGRESS, NAT_INGRESS, NAT_DIRECTIONS };

enum nat_protocol { NAT_TCP, NAT_UDP, NAT_ICMP, NAT_PROTOCOLS };

/* RFC 4787 REQ-3a and REQ-4: ports are handed out within the parity and the side of 1024 of the internal one. */
#define NAT_PORT_KINDS	    4
#define NAT_PORT_KIND(port) (((port)&1) | ((1023 - (__s32)(port)) >> 31 & 2)) /* port in host order; no branch */

struct nat_addr {
	__be32 word[NAT_ADDR_WORDS];
};

/* Key of `endpoints`: an internal endpoint. For ICMP queries the port is the identifier. */
struct endpoint {
	__be16 port;
	__u8 protocol; /* enum nat_protocol */
	__u8 pad;
	struct nat_addr addr;
};

/*
 * A slot of `slots`: one per managed external port, and while it is live the mapping itself.
 *
 * state		who may change it, and how (always under the lock of the slot's region)
 * FREE		mapping_acquire -> LIVE; the slot's bit in the region is set in this state only
 * LIVE		expired for longer than the hold-down, or of an address that is gone: mapping_reclaim -> RECLAIMING
 *		mapping_give_back -> FREE: whoever has just made it, where the endpoint has come by another
 * RECLAIMING	mapping_reclaim alone: removes the endpoint that points here, then -> FREE
 * STATIC	nobody: the daemon sets it before any program runs. Without end, and of whatever address there is
 *
 * An endpoint that points to a slot is inserted only by who has claimed the slot for it. It is deleted by who reclaims the slot;
 * by mapping_publish, which has inserted it, where the slot was reclaimed meanwhile; and by endpoint_mend, where the slot
 * turns out to be another's. Each looks first whether it points there still, and between that and the deletion a new entry
 * to the same slot is as good as impossible: it would cost the endpoint its entry, which the next packet makes anew, on another
 * port if it has not its own.
 *
 * Without the lock the packet path writes `expires` and `confirmed`, and the `generation` of a static mapping, each a single
 * store that may get lost without harm.
 *
 * A static mapping has a slot like any other, so that the short way need not tell it apart: the bit LIVE says that packets
 * are translated. Where anybody may use it, `confirmed` and `sessions` are 1 for good; else they are 0, which sends every
 * packet the long way, and `epoch` is the set of remotes that may (POLICY_REMOTES).
 */
enum mapping_state { MAPPING_FREE, MAPPING_LIVE, MAPPING_RECLAIMING, MAPPING_STATIC = MAPPING_LIVE | 4 };

struct mapping {
	__u32 expires;	      /* tick; a live mapping past it is not used any more, unless its own host revives it */
	__u32 generation;     /* of its external when it was made: an older one means that the address has changed */
	__be16 internal_port; /* valid unless FREE */
	__be16 external_port; /* constant */
	__u16 sessions;	      /* TCP: sessions established now, RFC 7857 section 2 */
	__u16 epoch;	      /* counts the owners of the slot, so that a session of an earlier one is told apart */
	__u8 state;	      /* enum mapping_state; beside the next, for one load of both */
	__u8 confirmed;	      /* a packet came back: the longer UDP timeout holds */
	__u8 external;	      /* constant: index of its external address */
	__u8 protocol;	      /* constant: enum nat_protocol */
	struct nat_addr internal_addr;
};

/*
 * An element of `regions`: which slots of a class are FREE, in three levels, so that one is found in three steps however
 * few there are. Exact, since the state of a slot and its bit change under the same lock.
 */
struct region {
	struct bpf_spin_lock lock;
	__u32 top;	  /* bit n: summary[n] is not zero */
	__u64 summary[8]; /* bit n of word m: free[64 * m + n] is not zero */
	__u64 free[8 * 64];
};

/* The slots of one external, protocol and kind of port: consecutive slots, with a region of their own. */
struct port_class {
	__u32 first_slot;
	__u32 count;
	__u32 region;
	__u32 pad;
};

/* An external address with its pool of ports. Addresses are left-aligned, as long as IPv6 in both families. */
struct external {
	__be32 addr[4];	   /* what packets are looked up by; all zero: none at present */
	__u32 generation;  /* bumped when the address changes: every mapping of the old one is dead at once */
	__u32 first_block; /* of its ports, in `port_index` */
	__u32 first_slot[NAT_PROTOCOLS + 1]; /* a power of two: a mask bounds the index */
	/*
	 * What is written into packets, by whether the generation of their mapping is odd: so that one store, of the
	 * generation, changes the address, and a packet on its way has that of its mapping to the end.
	 */
	__be32 source[2][4];
	__u32 slot_count[NAT_PROTOCOLS + 1]; /* 0: the protocol is switched off */
	__u32 pad[2];
	struct port_class classes[NAT_PROTOCOLS + 1][NAT_PORT_KINDS];
} __attribute__((aligned(64))); /* a packet needs the first line of the cache */

enum nat_timeout {
	NAT_TIMEOUT_UDP,	   /* before a packet came back */
	NAT_TIMEOUT_UDP_CONFIRMED, /* RFC 4787 REQ-5 */
	NAT_TIMEOUT_TCP_TRANSITORY,
	NAT_TIMEOUT_TCP_ESTABLISHED, /* RFC 5382 REQ-5 */
	NAT_TIMEOUT_ICMP,	     /* RFC 5508 REQ-2 */
	NAT_TIMEOUT_FRAGMENT,
	NAT_TIMEOUT_HOLD, /* RFC 6888 REQ-8: how long a freed port is kept from other hosts */
	NAT_TIMEOUTS
};

/* The IPv4 identifications that one CPU has given, by a hash of the remote, RFC 6864; a line of the cache each. */
struct id_sequence {
	__u32 given[NAT_ID_REMOTES];
};

/* The object's .bss: what the daemon may change while packets flow. Every field is changed by a single store. */
struct nat_config {
	__u64 clock;			 /* the programs' own: see clock_ticks() */
	__u32 refresh;			 /* ticks that `expires` must move by before it is written again */
	__u32 timeout[NAT_TIMEOUTS + 1]; /* ticks; a power of two: a mask bounds the index */
	__u32 steady[NAT_PROTOCOLS];	 /* ticks: a confirmed mapping that has as many left is not written again */
	__u32 steady_unconfirmed;	 /* the same of one of UDP that nobody has answered */
	__u32 slots;			 /* in all */
	struct external external[NAT_EXTERNALS_MAX];
	/* by direction: how many fragments the daemon takes until it fills this up again, which it does once a second */
	__s32 hold_budget[NAT_DIRECTIONS];
	__u32 holding[NAT_DIRECTIONS]; /* it has some, and wants to know of every first fragment */
	__u32 hold_sources[NAT_DIRECTIONS][NAT_HOLD_SOURCES]; /* of the budget, what each has had, by a hash */
	__u32 designated_ifindex; /* the interface of the designated server; 0: it is not there now */
	__u32 swept; /* slots that the sweep has looked at, round and round; not in the line that all read */
	__u32 refusals[NAT_REFUSAL_HOSTS]; /* errors sent, by a hash of the host: period << 8 | how many */
	struct id_sequence ids[NAT_ID_CPUS] __attribute__((aligned(64)));
};

/*
 * What is known before loading and then constant, in the object's .rodata: what the kernel offers and the configuration
 * needs. The verifier drops the branches not taken.
 */
struct nat_constants {
	__u32 l2_length;       /* 14 with an Ethernet header, 0 without */
	__u32 short_way;       /* enum short_way: what bpf/fast.bpf.h is to know of all this */
	__u32 externals;       /* how many of nat_config.external are in use */
	__u32 policy_needs;    /* enum policy_need */
	__u32 id_step;	       /* how many CPUs share the identifications, or more: a power of two */
	__u32 turn_mark;       /* of what egress turns round to ingress: random, so that nobody else sets it */
	__u32 designated_mark; /* of what ingress sends to the designated server; 0: there is none */
	__u32 inbound_mark;    /* bits that go into the mark of a packet translated inwards */
	__u32 host_limit[NAT_PROTOCOLS]; /* mappings that one internal host may have at a time; 0: no limit */
	__u32 host_rate;	/* mappings that it may make in a period of 2^NAT_RATE_SHIFT ticks; 0: no limit */
	__u16 mss_clamp;	/* the largest MSS that a SYN may announce; 0: whatever it says */
	__u8 filtering;		/* enum nat_filtering */
	__u8 has_coarse_clock;	/* bpf_ktime_get_coarse_ns(), kernel 5.11 */
	__u8 log_level;		/* 0 to 5 */
	__u8 refresh_inbound;	/* RFC 4787 REQ-6a: a packet from outside keeps a mapping, too */
	__u8 fib_source;	/* the route's preferred source chooses among several externals (kernel 6.7) */
	__u8 pooling;		/* enum nat_pooling */
	__u8 hosts_are_limited; /* by any of the limits above */
	__u8 pad;
};

/* The short way for most packets is allowed, which the configuration may forbid; and what it depends on. */
enum short_way {
	SHORT_WAY = 1,
	SHORT_ETHERNET = 2,
	SHORT_SINGLE = 4, /* one external */
	SHORT_REFRESH_INBOUND = 8,
	SHORT_INBOUND_MARK = 16,
	SHORT_DESIGNATED = 32, /* there is a designated server */
};

/* Which of several external addresses an internal host gets. It keeps it (RFC 4787 REQ-2), unless routes prefer several. */
enum nat_pooling { POOLING_FIRST, POOLING_PAIRED };

/* RFC 4787 REQ-8: whom a mapping lets in. */
enum nat_filtering { FILTERING_ENDPOINT_INDEPENDENT, FILTERING_ADDRESS, FILTERING_ADDRESS_AND_PORT };

/* Element of `port_index`: external port -> slot, as an offset from external.first_slot plus one; 0 is not ours.
 * The number of an entry is (external * NAT_PROTOCOLS + protocol) << 16 | port. */
#define NAT_PORT_BLOCKS (65536 / NAT_PORT_BLOCK) /* of one protocol */

struct port_block {
	__u16 offset[NAT_PORT_BLOCK];
};

/* TCP sessions, key and value. Soft state: losing one makes a mapping live longer, never shorter. */
struct session_key {
	__u32 slot;
	__be16 remote_port;
	__u16 pad;
	struct nat_addr remote_addr;
};

enum session_flag {
	SESSION_SYN_OUT = 1,
	SESSION_SYN_IN = 2,
	SESSION_FIN_OUT = 4,
	SESSION_FIN_IN = 8,
	SESSION_COUNTED = 16, /* is one of mapping.sessions */
	SESSION_RESET = 32,   /* a RST was seen, and no data since (RFC 7857 section 2.2) */
};

struct session {
	__u16 epoch; /* of the mapping that it belongs to */
	__u8 flags;  /* enum session_flag */
	__u8 pad;
};

/*
 * Remotes that an internal endpoint has sent to, only while filtering is stricter than endpoint-independent; key and
 * value. The port is 0 where the address alone counts. Losing an entry keeps a remote out until it is sent to again.
 */
struct remote_key {
	__u32 slot;
	__be16 port;
	__u16 pad;
	struct nat_addr addr;
};

struct remote {
	__u32 expires; /* tick */
	__u16 epoch;   /* of the mapping that it belongs to */
	__u16 pad;
};

/*
 * How many mappings an internal host has, only while there is a limit (RFC 6888 REQ-4). A port counts until another host
 * may have it. The entry of a host without mappings is `dead`, and removed by who made it so.
 */
struct host {
	struct bpf_spin_lock lock;
	__u32 dead;
	__u32 mappings[NAT_PROTOCOLS + 1]; /* a power of two: a mask bounds the index */
	__u32 period;			   /* the last in which it made one, and how many it has made in it */
	__u32 made;
};

/* What a first fragment tells its followers, which carry no ports. Not looked into from outside. */
struct fragment_key {
	struct nat_addr local_addr; /* egress: internal, ingress: external */
	struct nat_addr remote_addr;
	__be32 id;
	__u8 protocol;	/* of the IP header */
	__u8 direction; /* enum nat_direction */
	__u16 pad;
};

struct fragment {
	__u32 expires; /* tick */
	__u32 slot;    /* NAT_SLOT_NONE: the first fragment passed untouched */
	__be16 id;     /* IPv4: the identification that the first one left with */
	__u16 pad;
};

#define NAT_SLOT_NONE 0xffffffffU

/*
 * Record of `held_egress` and `held_ingress`, RFC 4787 REQ-14: a fragment that came before its first goes to the daemon,
 * whole, and comes back once the first is known. Bounded by the ring, by config.hold_budget, which the daemon fills up, and
 * by its own store: each is a direction's own, so that a flood from outside takes nothing from the inside. Of one
 * direction's budget the sources of one hash get half at most. That a first has come is told without a budget: where the ring
 * is full, the daemon finds it by itself, once a second.
 */
#define NAT_HELD_FRAME_MAX 1984 /* a record is 2 KB with its heads; larger fragments are dropped */
#define NAT_HELD_KEY_MAX   40	/* struct fragment_key of IPv6 */

enum held_type { HELD_FRAGMENT, HELD_FIRST_KNOWN };

struct held_head {
	__u32 type;   /* enum held_type */
	__u32 length; /* of the frame that follows; 0 with HELD_FIRST_KNOWN */
	__u32 direction;
	__u8 key[NAT_HELD_KEY_MAX]; /* struct fragment_key of the family, then zeros */
	__u8 pad[4];
};

struct held_fragment {
	struct held_head head;
	__u8 frame[NAT_HELD_FRAME_MAX];
};

/* Policy, an LPM trie: who is internal, which destinations are left alone, who may use a static mapping. */
enum policy_kind { POLICY_SOURCE, POLICY_DESTINATION, POLICY_REMOTES /* plus the number of a set, from 1 */ };
enum policy_action { POLICY_TRANSLATE = 1, POLICY_EXEMPT = 2 };

struct policy_key {
	__u32 prefixlen; /* 32 for the kind, then those of the address */
	__be32 kind;	 /* enum policy_kind */
	struct nat_addr addr;
};

/* Which of the look-ups in the trie a configuration needs (rodata: the verifier drops the others). */
enum policy_need { POLICY_NEED_SOURCE = 1, POLICY_NEED_DESTINATION = 2 };

/*
 * Every way out of a program, and what it makes of the packet. X(name, verdict, text): the texts are what users see.
 *  PASS  on to the next filter and the stack, untouched
 *  DONE  translated, and on
 *  TURN  translated, and turned round to the interface's ingress: hairpinning
 *  DROP
 */
#define NAT_REASONS(X)                                                          \
	X(NOT_IP, PASS, "not this IP family")                                   \
	X(OTHER_PROTOCOL, PASS, "protocol is not TCP, UDP or ICMP")             \
	X(OTHER_VLAN, PASS, "belongs to a VLAN of this interface")              \
	X(NOT_EXTERNAL, PASS, "not to an external address")                     \
	X(EXEMPT, PASS, "exempt by configuration")                              \
	X(UNMANAGED, PASS, "external port is not managed")                      \
	X(PROTOCOL_OFF, PASS, "no managed ports for this protocol")             \
	X(ROUTER, PASS, "the router's own")                                     \
	X(ROUTER_SOCKET, PASS, "the router has a socket on this port")          \
	X(ROUTER_ECHO, PASS, "echo request for the router")                     \
	X(OTHER_ICMP, PASS, "ICMP that is neither query nor error")             \
	X(FRAGMENT_PASSED, PASS, "follows a first fragment that passed")        \
	X(DESIGNATED, PASS, "to the designated server")                         \
	X(REFUSAL, PASS, "ICMP error to who sent what is refused")              \
	X(OUT, DONE, "translated outwards")                                     \
	X(OUT_NEW, DONE, "translated outwards, mapping made")                   \
	X(OUT_ERROR, DONE, "ICMP error translated outwards")                    \
	X(OUT_FRAGMENT, DONE, "fragment translated outwards")                   \
	X(IN, DONE, "translated inwards")                                       \
	X(IN_ERROR, DONE, "ICMP error translated inwards")                      \
	X(IN_FRAGMENT, DONE, "fragment translated inwards")                     \
	X(HAIRPIN, TURN, "hairpinned")                                          \
	X(FRAGMENT_RETURNED, TURN, "fragment held, on its way back in")         \
	X(HAIRPIN_PASSED, TURN, "turned round untranslated")                    \
	X(TO_DESIGNATED, TURN, "from inside to the designated server")          \
	X(MALFORMED, DROP, "malformed or truncated")                            \
	X(NO_ADDRESS, DROP, "no external address at present")                   \
	X(SPOOFED, DROP, "from outside with our own address as its source")     \
	X(NO_MAPPING, DROP, "no mapping for this external port")                \
	X(FILTERED, DROP, "filtered: the mapping has not sent to this remote")  \
	X(NOT_PERMITTED, DROP, "the static mapping is for other remotes")       \
	X(NO_PORT, DROP, "no free external port")                               \
	X(HOST_LIMIT, DROP, "the internal host has as many mappings as it may") \
	X(HOST_RATE, DROP, "the internal host makes mappings too fast")         \
	X(TABLE_FULL, DROP, "endpoint table refused an entry")                  \
	X(BUSY, DROP, "lost a race for the mapping")                            \
	X(TCP_NO_MAPPING, DROP, "TCP from inside without a mapping, not a SYN") \
	X(ICMP_NO_MAPPING, DROP, "ICMP without a mapping")                      \
	X(ICMP_CHECKSUM, DROP, "ICMP error with a wrong checksum")              \
	X(FRAGMENT_HELD, DROP, "fragment before its first, held by the daemon") \
	X(FRAGMENT_UNKNOWN, DROP, "fragment before its first, not held")        \
	X(REWRITE_FAILED, DROP, "the packet could not be written")

enum nat_reason {
#define X(name, verdict, text) WHY_##name,
	NAT_REASONS(X)
#undef X
		NAT_REASON_COUNT
};

/* Element of the per-CPU `counters`, by reason, egress first: key = direction * NAT_REASON_COUNT + reason. */
struct counter {
	__u64 packets;
	__u64 bytes;
};

/* Record of `events`. Level: 1 error, 2 warning, 3 mappings made and ended, 4 drops, 5 every packet. */
enum nat_event_type { EVENT_PACKET, EVENT_MAPPING_NEW, EVENT_MAPPING_END };

struct nat_event {
	__u8 level;
	__u8 type;	/* enum nat_event_type */
	__u8 direction; /* enum nat_direction */
	__u8 reason;	/* enum nat_reason */
	__u8 protocol;	/* enum nat_protocol */
	__u8 pad[3];
	__be16 internal_port;
	__be16 external_port;
	__be16 remote_port;
	__u16 pad2;
	__be32 internal_addr[4];
	__be32 remote_addr[4];
};

#endif
