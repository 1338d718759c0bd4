/* SPDX-License-Identifier: GPL-2.0-only */
/* Policy: whose packets are translated. */
#ifndef POLICY_BPF_H
#define POLICY_BPF_H

static __always_inline __u32 policy_lookup(__u32 kind, const struct nat_addr *addr, __u32 otherwise)
{
	struct policy_key key = { .prefixlen = 32 + 32 * NAT_ADDR_WORDS, .kind = bpf_htonl(kind), .addr = *addr };
	__u32 *action = bpf_map_lookup_elem(&policy, &key);

	return action ? *action : otherwise;
}

/* Looked up once, when a mapping is made: where only some sources are internal, every other one passes. */
static __always_inline bool policy_exempts_source(const struct nat_addr *addr)
{
	__u32 otherwise = constants.policy_needs & POLICY_NEED_SOURCE ? POLICY_EXEMPT : POLICY_TRANSLATE;

	return policy_lookup(POLICY_SOURCE, addr, otherwise) == POLICY_EXEMPT;
}

/* Looked up per packet, since a mapping serves every destination; only where the configuration names any. */
static __always_inline bool policy_exempts_destination(const struct nat_addr *addr)
{
	if (!(constants.policy_needs & POLICY_NEED_DESTINATION))
		return false;
	return policy_lookup(POLICY_DESTINATION, addr, POLICY_TRANSLATE) == POLICY_EXEMPT;
}

#endif
