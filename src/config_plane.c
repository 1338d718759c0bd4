// SPDX-License-Identifier: GPL-2.0-or-later
/* See config_plane.h. */
#include "config_plane.h"

#include <stdlib.h>
#include <string.h>

void config_plane(const struct interface_config *config, struct datapath_config *dp)
{
	datapath_config_init(dp);
	dp->ifname = config->name;
	dp->prefer_tcx = config->prefer_tcx;
	dp->fib_source = config->bpf_fib_lookup_external;
	dp->log_level = (int)config->bpf_log_level;
	memcpy(dp->ports, config->ports, sizeof(dp->ports));
	memcpy(dp->timeout_ms, config->timeout_ms, sizeof(dp->timeout_ms));
	memcpy(dp->host_limit, config->host_limit, sizeof(dp->host_limit));
	dp->host_rate = config->host_rate;
	dp->max_sessions = config->max_sessions;
	dp->max_fragments = config->max_fragments;
	dp->max_remotes = config->max_remotes;
	dp->max_hosts = config->max_hosts;
	dp->inbound_mark = config->inbound_mark;
	if (config->designated.name[0])
		dp->designated_mark = config->designated.mark;
	dp->mss_clamp = (uint16_t)config->mss_clamp;
	dp->filtering = (enum nat_filtering)config->filtering;
	dp->pooling = (enum nat_pooling)config->pooling;
	dp->refresh_inbound = config->refresh_inbound;
	dp->forwards = config->forwards;
	dp->forwards_count = config->forwards_count;
}

struct external_config *config_plane_externals(const struct interface_config *config, const struct external_plan *plan)
{
	struct external_config *externals = calloc(plan->count, sizeof(*externals));
	unsigned int i;

	for (i = 0; i < plan->count && externals; i++) {
		const struct external_rule *rule = plan->rules[i];

		memcpy(externals[i].ports, rule ? rule->ports : config->ports, sizeof(externals[i].ports));
		if (!rule)
			continue;
		memcpy(externals[i].first, rule->first, sizeof(rule->first));
		memcpy(externals[i].last, rule->last, sizeof(rule->last));
	}
	return externals;
}
