/* SPDX-License-Identifier: GPL-2.0-only */
/* Limits per internal host (RFC 6888 REQ-4). Without a limit the verifier removes all of it. */
#ifndef HOST_BPF_H
#define HOST_BPF_H

static __always_inline bool host_is_limited(void)
{
	return constants.hosts_are_limited;
}

static __always_inline __u32 host_limit(__u32 protocol)
{
	switch (protocol) {
	case NAT_TCP:
		return constants.host_limit[NAT_TCP] ?: ~0U;
	case NAT_UDP:
		return constants.host_limit[NAT_UDP] ?: ~0U;
	}
	return constants.host_limit[NAT_ICMP] ?: ~0U;
}

static __always_inline struct host *host_get_or_create(const struct nat_addr *addr)
{
	struct host *host = bpf_map_lookup_elem(&hosts, addr);
	struct host none = {};

	if (host)
		return host;
	bpf_map_update_elem(&hosts, addr, &none, BPF_NOEXIST);
	return bpf_map_lookup_elem(&hosts, addr);
}

/* With the host's lock held: does it make mappings faster than it may (RFC 6888 REQ-4c)? */
static __always_inline bool host_is_hasty(struct host *host, __u32 now)
{
	if (!constants.host_rate)
		return false;
	if (host->period != now >> NAT_RATE_SHIFT) {
		host->period = now >> NAT_RATE_SHIFT;
		host->made = 0;
	}
	return host->made++ >= constants.host_rate;
}

/* Counts a mapping that is about to be made. WHY_NONE, or why it may not be. */
static __always_inline enum nat_reason host_take(const struct nat_addr *addr, __u32 protocol, __u32 now)
{
	enum nat_reason why = WHY_NONE;
	__u32 limit, index;
	struct host *host;

	if (!host_is_limited())
		return WHY_NONE;
	limit = host_limit(protocol);
	index = index_bounded(protocol, NAT_PROTOCOLS);
	host = host_get_or_create(addr);
	if (!host)
		return WHY_HOST_LIMIT;
	bpf_spin_lock(&host->lock);
	if (host->dead)
		why = WHY_BUSY;
	else if (host->mappings[index] >= limit)
		why = WHY_HOST_LIMIT;
	else if (host_is_hasty(host, now))
		why = WHY_HOST_RATE;
	else
		host->mappings[index]++;
	bpf_spin_unlock(&host->lock);
	return why;
}

/* Takes back what host_take() counted. */
static __always_inline void host_give_back(const struct nat_addr *addr, __u32 protocol)
{
	struct host *host;
	__u32 index;
	bool dead;

	if (!host_is_limited())
		return;
	index = index_bounded(protocol, NAT_PROTOCOLS);
	host = bpf_map_lookup_elem(&hosts, addr);
	if (!host)
		return;
	bpf_spin_lock(&host->lock);
	if (host->mappings[index])
		host->mappings[index]--;
	dead = !host->dead && !(host->mappings[NAT_TCP] | host->mappings[NAT_UDP] | host->mappings[NAT_ICMP]);
	if (dead)
		host->dead = 1;
	bpf_spin_unlock(&host->lock);
	if (dead)
		bpf_map_delete_elem(&hosts, addr);
}

#endif
