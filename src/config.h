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
#include "forward.h"
#include "log.h"
#include "port_set.h"

enum config_family { CONFIG_IPV4, CONFIG_IPV6, CONFIG_FAMILIES };

/* AF_INET or AF_INET6. */
int config_address_family(enum config_family family);

struct internal_network {
	int family; /* AF_INET or AF_INET6 */
	struct ip_prefix prefix;
};

/* What counts as an external address: one of [[interfaces.externals]]. */
enum external_form {
	EXTERNAL_ADDRESS, /* first */
	EXTERNAL_NETWORK, /* the network first/length is external, and first the address in it that is used */
	EXTERNAL_MATCH,	  /* whichever address of the interface is from first to last */
};

struct external_rule {
	enum external_form form;
	int family; /* AF_INET or AF_INET6 */
	__be32 first[4], last[4];
	unsigned int length;
	bool is_internal; /* translated after all */
	bool no_snat;	  /* external, but no internal host gets it */
	bool no_hairpin;
	struct port_set ports[NAT_PROTOCOLS];
	struct port_set icmp_all, icmp_in; /* read and checked; nothing from outside makes a mapping */
};

/* Hairpin routing of one family for one external interface. Off without internal interfaces. */
struct hairpin_config {
	char (*internal_ifs)[IFNAMSIZ];
	size_t internal_ifs_count;
	uint8_t ip_protocols[NAT_PROTOCOLS]; /* IPPROTO_*; the first unused one is 0 */
	uint32_t rule_pref;
	uint32_t table_id;
};

/*
 * The server behind an internal interface that carries the external address itself, and gets what nobody else claims. IPv4
 * alone. Rules have rule_pref and the five numbers behind it, routes are in table_id and the table behind it.
 */
struct designated_config {
	char name[IFNAMSIZ]; /* the interface; empty: there is none */
	uint32_t mark;	     /* of what goes to it, on its way through the router */
	uint32_t rule_pref;
	uint32_t table_id;
};

struct interface_config {
	char name[IFNAMSIZ]; /* empty: find it by its index once, at start-up */
	int ifindex;	     /* 0: by name */
	bool nat44, nat66;
	bool prefer_tcx;
	uint32_t bpf_log_level;
	struct port_set ports[NAT_PROTOCOLS]; /* external ports, identifiers for NAT_ICMP */
	struct port_set icmp_all, icmp_in;    /* as in struct external_rule; empty unless a file has them */
	struct internal_network *internals;   /* translate only these; none: every source */
	size_t internals_count;
	struct internal_network *exempt_destinations; /* left alone */
	size_t exempt_destinations_count;
	struct external_rule *externals; /* in their order of priority */
	size_t externals_count;
	bool default_externals;	  /* behind them, any fit address of the interface */
	struct forward *forwards; /* static mappings, of either family */
	size_t forwards_count;
	bool bpf_fib_lookup_external;	   /* the route chooses among several */
	uint32_t binding_max_records;	   /* without effect, but that ct_max_records is twice as many */
	uint64_t timeout_ms[NAT_TIMEOUTS]; /* by enum nat_timeout; from here on as in struct datapath_config */
	uint32_t max_sessions, max_fragments, max_remotes, max_hosts;
	uint32_t host_limit[NAT_PROTOCOLS];
	uint32_t host_rate;
	uint32_t inbound_mark;
	uint32_t mss_clamp;
	uint32_t filtering; /* enum nat_filtering */
	uint32_t pooling;   /* enum nat_pooling */
	bool refresh_inbound;
	bool persist; /* mappings and programs outlive the daemon, pinned */
	bool take_over_masquerade;
	struct hairpin_config hairpin[CONFIG_FAMILIES];
	struct designated_config designated;
};

/* Who may ask the running daemon, and where. Taken at the start alone. */
struct control_config {
	char group[32];		 /* of the socket: a name or a number; "": as the daemon's */
	uint32_t mode;		 /* of the socket */
	char metrics_listen[64]; /* an address and a port; "": no listener */
};

/* What is said, and to whom. */
struct log_config {
	bool to_syslog;		   /* else to standard error */
	uint32_t level;		   /* enum log_level */
	char socket[104];	   /* syslog's */
	bool assignments;	   /* which internal endpoint had which external one, and when */
	uint32_t assignments_rate; /* lines a second at most */
};

struct config {
	struct control_config control;
	struct log_config log;
	uint32_t local_rule_pref[CONFIG_FAMILIES]; /* where the local table's rule goes while hairpinning is on */
	struct interface_config *interfaces;
	size_t interfaces_count;
	bool bpf_loader_given; /* an option of old, without effect: said once */
	char **notes;	       /* lines about what has no effect: said once */
	size_t notes_count;
};

/* What log levels are called, by enum log_level. */
extern const char *const config_log_levels[LOG_INFO + 1];

/* What filtering and pooling are called, by enum nat_filtering and enum nat_pooling. */
extern const char *const config_filterings[FILTERING_ADDRESS_AND_PORT + 1], *const config_poolings[POOLING_PAIRED + 1];

/* Defaults, and no interface. */
void config_init(struct config *config);

/* Appends to the notes. Returns 0 or -ENOMEM. */
int config_add_note(struct config *config, const char *note);

/* Appends an interface with every default but the ports; the pointer holds until the next one. NULL: out of memory. */
struct interface_config *config_add_interface(struct config *config);

/* The port sets that nobody has written: 20000-29999, and identifiers 1000-65535. Returns 0 or -ENOMEM. */
int interface_config_default_ports(struct interface_config *interface);

/* Is this family translated on the interface? */
bool interface_config_translates(const struct interface_config *interface, enum config_family family);

/* Has it a designated server in this family? */
bool interface_config_designates(const struct interface_config *interface, enum config_family family);

/* A name that a network interface can have: 1 to 15 bytes, no slash, no space. */
bool interface_name_is_valid(const char *name);

/* Appends. -EINVAL: *why says what is wrong with text, "192.168.1.0/24". Bits behind the prefix are cleared. */
int interface_config_add_internal(struct interface_config *interface, const char *text, const char **why);

/* Appends a destination that is left alone, as above. */
int interface_config_add_exempt(struct interface_config *interface, const char *text, const char **why);

/* Appends one with all fields zero. NULL: out of memory. */
struct external_rule *interface_config_add_external(struct interface_config *interface);

/* Appends one with all fields zero. NULL: out of memory, or FORWARDS_MAX are there. */
struct forward *interface_config_add_forward(struct interface_config *interface);

/* Which earlier one does the last one contradict? NULL: none; else `what` is as forward_conflicts() has it. */
const struct forward *interface_config_forward_conflict(const struct interface_config *interface, char *what,
							size_t size);

/* An address, "192.0.2.7". Returns 0 or -EINVAL. */
int address_parse(const char *text, int *family, __be32 addr[4]);

/* An address and a port, "192.0.2.7:80" or "[2001:db8::7]:80"; the port in host order. Returns 0 or -EINVAL. */
int address_port_parse(const char *text, int *family, __be32 addr[4], uint16_t *port);

/* A network, "192.168.1.7/24": the bits behind the prefix stay as they are. -EINVAL: *why says what is wrong. */
int network_parse(const char *text, int *family, struct ip_prefix *prefix, const char **why);

/* Clears the bits behind the prefix. */
void ip_prefix_mask(struct ip_prefix *prefix);

/* How many of the internal networks are of this family. */
size_t interface_config_internals(const struct interface_config *interface, enum config_family family);

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

/*
 * The same of an interface, by its number, and those before it: routes are looked up by table, so that two interfaces with
 * one table hairpin what the rules of either bring.
 */
bool config_warn_table(const struct config *config, size_t number, enum config_family family, char *text, size_t size);

/* Calls say() with each of these, "wan: " and what it is, of the whole configuration. */
void config_warnings(const struct config *config, void (*say)(const char *line));

/* For the line that is printed at start-up: "ports 20000-29999, hairpin lo lan". */
void interface_config_describe(const struct interface_config *interface, enum config_family family, char *text,
			       size_t size);

void config_free(struct config *config);

#endif
