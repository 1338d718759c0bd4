/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A whole configuration, however it was written: the command line fills it, and so can a file. Pure data, checked as far as
 * that goes without asking the machine.
 */
#ifndef CONFIG_H
#define CONFIG_H

#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "datapath.h"
#include "port_set.h"

enum config_family { CONFIG_IPV4, CONFIG_IPV6, CONFIG_FAMILIES };

struct internal_network {
	int family; /* AF_INET or AF_INET6 */
	struct ip_prefix prefix;
};

/* Hairpin routing of one family for one external interface. Off without internal interfaces. */
struct hairpin_config {
	char (*internal_ifs)[IFNAMSIZ];
	size_t internal_ifs_count;
	uint8_t ip_protocols[NAT_PROTOCOLS]; /* IPPROTO_*; the first unused one is 0 */
	uint32_t rule_pref;
	uint32_t table_id;
};

struct interface_config {
	char name[IFNAMSIZ]; /* empty: find it by its index once, at start-up */
	int ifindex;	     /* 0: by name */
	bool nat44, nat66;
	bool prefer_tcx;
	int bpf_log_level;
	struct port_set ports[NAT_PROTOCOLS]; /* external ports, identifiers for NAT_ICMP */
	struct internal_network *internals;   /* translate only these; none: every source */
	size_t internals_count;
	struct hairpin_config hairpin[CONFIG_FAMILIES];
};

struct config {
	uint32_t local_rule_pref[CONFIG_FAMILIES]; /* where the local table's rule goes while hairpinning is on */
	struct interface_config *interfaces;
	size_t interfaces_count;
	bool bpf_loader_given; /* an option of old, without effect: said once */
};

/* Defaults, and no interface. */
void config_init(struct config *config);

/* Appends an interface with every default but the ports; the pointer holds until the next one. NULL: out of memory. */
struct interface_config *config_add_interface(struct config *config);

/* The port sets that nobody has written: 20000-29999, and identifiers 1000-65535. Returns 0 or -ENOMEM. */
int interface_config_default_ports(struct interface_config *interface);

/* A name that a network interface can have: 1 to 15 bytes, no slash, no space. */
bool interface_name_is_valid(const char *name);

/* Appends. -EINVAL: *why says what is wrong with text, "192.168.1.0/24". Bits behind the prefix are cleared. */
int interface_config_add_internal(struct interface_config *interface, const char *text, const char **why);

/* Appends. -EINVAL with *why for a bad name, a name given twice, and the external interface itself. */
int hairpin_config_add_interface(struct hairpin_config *hairpin, const char *name, const char **why);

bool hairpin_config_has_interface(const struct hairpin_config *hairpin, const char *name);

/*
 * What can only be said of the whole: conflicts between settings. Returns 0 or -EINVAL, then text holds
 * "--hairpin-if: wan is the external interface" or the like.
 */
int config_check(const struct config *config, char *text, size_t size);

/* Is there something that works, but hardly as it was meant? Then text says so. */
bool interface_config_warn(const struct interface_config *interface, enum config_family family,
			   uint32_t local_rule_pref, char *text, size_t size);

/* For the line that is printed at start-up: "ports 20000-29999, hairpin lo lan". */
void interface_config_describe(const struct interface_config *interface, char *text, size_t size);

void config_free(struct config *config);

#endif
