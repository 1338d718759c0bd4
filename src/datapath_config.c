// SPDX-License-Identifier: GPL-2.0-or-later
/* The data plane's defaults, apart from what needs libbpf: the configuration starts from them. */
#include "datapath.h"

#include <sys/socket.h>

void datapath_config_init(struct datapath_config *config)
{
	*config = (struct datapath_config){
		.family = AF_INET,
		.has_l2 = true,
		.prefer_tcx = true,
		.externals_count = 1,
		.fib_source = true,
		.max_sessions = 16384,
		.max_fragments = 2048,
		.max_remotes = 65536,
		.max_hosts = 4096,
	};
	config->timeout_ms[NAT_TIMEOUT_UDP] = 2 * 60 * 1000;
	config->timeout_ms[NAT_TIMEOUT_UDP_CONFIRMED] = 5 * 60 * 1000;
	config->timeout_ms[NAT_TIMEOUT_TCP_TRANSITORY] = 4 * 60 * 1000;
	config->timeout_ms[NAT_TIMEOUT_TCP_ESTABLISHED] = 124 * 60 * 1000;
	config->timeout_ms[NAT_TIMEOUT_ICMP] = 60 * 1000;
	config->timeout_ms[NAT_TIMEOUT_FRAGMENT] = 2 * 1000;
	config->timeout_ms[NAT_TIMEOUT_HOLD] = 120 * 1000;
}
