/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What stops or harms the NAT on this machine, why, and the command that mends it. Pure: facts.c looks at the machine, this
 * judges and prints. docs/doctor.md lists the findings.
 */
#ifndef DOCTOR_H
#define DOCTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "config.h"
#include "external.h"
#include "nft_rules.h"

enum { FACTS_PORTS = 8, FACTS_RULES = 8, FACTS_NAMES = 16, DOCTOR_TEXT = 320 };

/* Of one IP family. Numbers are those of sysctl, -1: not there. */
struct family_facts {
	bool is_wanted;
	int forwarding;		      /* of the machine */
	int wan_forwarding;	      /* of the interface */
	int rp_filter;		      /* IPv4: the stricter of all and the interface */
	int accept_ra, temporary;     /* IPv6 */
	int disabled;		      /* IPv6 */
	bool has_default;	      /* a default route out of the interface, in any table */
	bool has_static_default;      /* one that no router advertisement made */
	char other_default[IFNAMSIZ]; /* an interface that has one, too */
	unsigned int left_rules;      /* policy rules of ours */
};

/* What iptables-legacy, which nftables does not show, has in POSTROUTING of its nat table. */
struct legacy_rule {
	unsigned int number; /* as iptables counts, from 1 */
	bool is_narrow;
};

/* An internal interface that the configuration names, and that is not there. */
struct missing_name {
	char name[IFNAMSIZ];
	bool is_designated; /* the designated server's; else hairpin routing's */
};

struct facts {
	const struct interface_config *config;
	struct missing_name missing[FACTS_NAMES];
	unsigned int missing_count;
	bool can_network, can_bpf; /* capabilities */
	char kernel_says[256];	   /* why the programs cannot be loaded and attached; empty: they can */
	bool is_present, is_up;
	bool is_ethernet;
	unsigned short link_type; /* ARPHRD_* */
	unsigned int mtu;
	long holder;			     /* process id of the einat at work on it; 0: none */
	struct interface_address *addresses; /* to be freed with free() */
	size_t addresses_count;
	struct family_facts family[CONFIG_FAMILIES];
	struct nft_ruleset firewall; /* to be freed with nft_ruleset_free() */
	struct legacy_rule legacy[FACTS_RULES];
	unsigned int legacy_count;
	uint16_t listeners[NAT_PROTOCOLS][FACTS_PORTS]; /* managed ports on which the router listens; 0: no more */
	unsigned int listeners_count[NAT_PROTOCOLS];
	struct port_range local_ports; /* net.ipv4.ip_local_port_range; 0-0: not known */
	char reserved_ports[256];      /* net.ipv4.ip_local_reserved_ports */
};

enum severity {
	SEVERITY_NOTE,	  /* worth knowing */
	SEVERITY_WARNING, /* it works, but not for all or not well */
	SEVERITY_ERROR,	  /* it cannot work */
	SEVERITIES
};

/* A word in CAPITALS in `mend` is for the reader to fill in. Empty: there is nothing to be done on this machine. */
struct finding {
	enum severity severity;
	size_t order; /* in which they were found */
	const char *id;
	char what[DOCTOR_TEXT], why[DOCTOR_TEXT], mend[DOCTOR_TEXT];
};

struct findings {
	struct finding *list;
	size_t count;
	bool is_short; /* out of memory: some are missing */
};

void doctor_examine(const struct facts *facts, struct findings *findings);
void findings_free(struct findings *findings);

/* 0: nothing but notes, 3: a warning, 1: an error. */
int findings_status(const struct findings *findings);

/* For people, in 80 columns but for names and commands that are longer. */
void findings_print(FILE *file, const char *ifname, const struct findings *findings);

/* One JSON object, without an end of line. */
void findings_print_json(FILE *file, const char *ifname, const struct findings *findings);

#endif
