// SPDX-License-Identifier: GPL-2.0-or-later
/* See facts.h. The kernel's word on the programs is had in a network namespace of a child's own. */
#include "facts.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "datapath.h"
#include "facts_firewall.h"
#include "facts_read.h"
#include "instance.h"
#include "listeners.h"
#include "log.h"

enum { LOOPBACK_IFINDEX = 1 };

static void capabilities_read(struct facts *facts)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { { 0, 0, 0 } };

	if (syscall(SYS_capget, &header, data))
		return;
	facts->can_network = data[CAP_TO_INDEX(CAP_NET_ADMIN)].effective & CAP_TO_MASK(CAP_NET_ADMIN);
	facts->can_bpf = data[CAP_TO_INDEX(CAP_SYS_ADMIN)].effective & CAP_TO_MASK(CAP_SYS_ADMIN) ||
			 data[CAP_TO_INDEX(CAP_BPF)].effective & CAP_TO_MASK(CAP_BPF);
}

static int trial_family(const struct interface_config *config, int family)
{
	struct datapath *datapath = NULL;
	struct datapath_config dp;
	int err;

	datapath_config_init(&dp);
	dp.family = family;
	dp.ifindex = LOOPBACK_IFINDEX;
	dp.ifname = config->name;
	dp.has_l2 = true;
	dp.prefer_tcx = config->prefer_tcx;
	memcpy(dp.ports, config->ports, sizeof(dp.ports));
	err = datapath_open(&datapath, &dp);
	if (err)
		return err;
	err = datapath_attach(datapath);
	datapath_close(datapath);
	return err;
}

/* The child: loads and attaches where nobody is disturbed. What goes wrong is said on the pipe. */
static void __attribute__((noreturn)) trial_run(const struct interface_config *config, int pipe_fd)
{
	int err = 0;

	dup2(pipe_fd, STDERR_FILENO);
	log_open(); /* it may have opened the standard error of before once more */
	if (unshare(CLONE_NEWNET)) {
		dprintf(STDERR_FILENO, "einat: no network namespace to try it in: %s", strerror(errno));
		_exit(0);
	}
	if (config->nat44)
		err = trial_family(config, AF_INET);
	if (config->nat66 && !err)
		trial_family(config, AF_INET6);
	log_close();
	_exit(0);
}

static void kernel_try(struct facts *facts)
{
	static const char prefix[] = "einat: ";
	size_t used = 0, skip;
	ssize_t n;
	int fds[2];
	pid_t child;

	if (pipe(fds))
		return;
	child = fork();
	if (!child)
		trial_run(facts->config, fds[1]);
	close(fds[1]);
	while (used < sizeof(facts->kernel_says) - 1 &&
	       (n = read(fds[0], facts->kernel_says + used, sizeof(facts->kernel_says) - 1 - used)) > 0)
		used += (size_t)n;
	close(fds[0]);
	if (child > 0)
		waitpid(child, NULL, 0);
	facts->kernel_says[strcspn(facts->kernel_says, "\n")] = '\0';
	skip = !strncmp(facts->kernel_says, prefix, sizeof(prefix) - 1) ? sizeof(prefix) - 1 : 0;
	memmove(facts->kernel_says, facts->kernel_says + skip, sizeof(facts->kernel_says) - skip);
}

/* /proc/sys/net/FAMILY/PATH as a number, -1 if it cannot be read. */
static int __attribute__((format(printf, 1, 2))) sysctl_read(const char *format, ...)
{
	char path[160] = "/proc/sys/net/";
	FILE *file;
	int value = -1;
	va_list args;

	va_start(args, format);
	vsnprintf(path + strlen(path), sizeof(path) - strlen(path), format, args);
	va_end(args);
	file = fopen(path, "re");
	if (!file)
		return -1;
	if (fscanf(file, "%d", &value) != 1)
		value = -1;
	fclose(file);
	return value;
}

static void sysctls_read(struct facts *facts)
{
	struct family_facts *ipv4 = &facts->family[CONFIG_IPV4], *ipv6 = &facts->family[CONFIG_IPV6];
	const char *name = facts->config->name;
	int all = sysctl_read("ipv4/conf/all/rp_filter");
	unsigned int first, last;
	FILE *file;

	ipv4->forwarding = sysctl_read("ipv4/ip_forward");
	ipv4->wan_forwarding = sysctl_read("ipv4/conf/%s/forwarding", name);
	ipv4->rp_filter = sysctl_read("ipv4/conf/%s/rp_filter", name);
	if (ipv4->rp_filter < all)
		ipv4->rp_filter = all;
	ipv6->forwarding = sysctl_read("ipv6/conf/all/forwarding");
	ipv6->wan_forwarding = sysctl_read("ipv6/conf/%s/forwarding", name);
	ipv6->accept_ra = sysctl_read("ipv6/conf/%s/accept_ra", name);
	ipv6->disabled = sysctl_read("ipv6/conf/%s/disable_ipv6", name);
	file = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");
	if (file && fscanf(file, "%u %u", &first, &last) == 2 && first <= last && last <= UINT16_MAX)
		facts->local_ports = (struct port_range){ (uint16_t)first, (uint16_t)last };
	if (file)
		fclose(file);
	file = fopen("/proc/sys/net/ipv4/ip_local_reserved_ports", "re");
	if (file && !fgets(facts->reserved_ports, sizeof(facts->reserved_ports), file))
		facts->reserved_ports[0] = '\0';
	if (file)
		fclose(file);
	facts->reserved_ports[strcspn(facts->reserved_ports, "\n")] = '\0';
}

static void routes_read(struct netlink *nl, struct family_facts *facts, int family, int ifindex)
{
	struct default_search search = { facts, ifindex, 0 };
	struct nlmsghdr *request;
	struct fib_rule_hdr *rule;
	struct rtmsg *route;
	char buffer[256];

	request = mnl_nlmsg_put_header(buffer);
	request->nlmsg_type = RTM_GETROUTE;
	request->nlmsg_flags = NLM_F_DUMP;
	route = mnl_nlmsg_put_extra_header(request, sizeof(*route));
	route->rtm_family = (unsigned char)family;
	netlink_request(nl, request, default_route_read, &search);
	if (search.other)
		if_indextoname((unsigned int)search.other, facts->other_default);
	request = mnl_nlmsg_put_header(buffer);
	request->nlmsg_type = RTM_GETRULE;
	request->nlmsg_flags = NLM_F_DUMP;
	rule = mnl_nlmsg_put_extra_header(request, sizeof(*rule));
	rule->family = (unsigned char)family;
	netlink_request(nl, request, left_rule_read, facts);
}

static void listener_seen(struct facts *facts, enum nat_protocol protocol, uint16_t port)
{
	unsigned int i, *count = &facts->listeners_count[protocol];

	if (!port_set_contains(&facts->config->ports[protocol], port))
		return;
	for (i = 0; i < *count && i < FACTS_PORTS; i++)
		if (facts->listeners[protocol][i] == port) /* on several addresses */
			return;
	if (*count < FACTS_PORTS)
		facts->listeners[protocol][*count] = port;
	(*count)++;
}

/* Managed ports. */
static void tcp_listener_seen(const struct listener *listener, void *facts)
{
	listener_seen(facts, NAT_TCP, listener->port);
}

static void udp_listener_seen(const struct listener *listener, void *facts)
{
	listener_seen(facts, NAT_UDP, listener->port);
}

static unsigned int mtu_read(const char *name)
{
	struct ifreq request = { .ifr_mtu = 0 };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err;

	if (fd < 0)
		return 0;
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	err = ioctl(fd, SIOCGIFMTU, &request);
	close(fd);
	return err ? 0 : (unsigned int)request.ifr_mtu;
}

static int interface_read(struct facts *facts, struct netlink *nl, int *ifindex)
{
	static const int families[CONFIG_FAMILIES] = { AF_INET, AF_INET6 };
	struct interface_addresses list = { NULL, 0 };
	struct interface_address *grown;
	struct link link;
	int err, family;

	err = netlink_get_link(nl, facts->config->name, facts->config->ifindex, &link);
	if (err)
		return err == -ENODEV ? 0 : err;
	*ifindex = link.ifindex;
	facts->is_present = true;
	facts->is_up = link.flags & IFF_UP;
	facts->link_type = link.type;
	facts->is_ethernet = external_link_layer(link.type) == LINK_ETHERNET;
	facts->mtu = mtu_read(facts->config->name);
	for (family = 0; family < CONFIG_FAMILIES; family++) {
		list = (struct interface_addresses){ NULL, 0 };
		if (!facts->family[family].is_wanted ||
		    netlink_get_addresses(nl, families[family], link.ifindex, &list))
			continue;
		grown = realloc(facts->addresses, (facts->addresses_count + list.count + 1) * sizeof(*grown));
		if (grown) {
			facts->addresses = grown;
			memcpy(grown + facts->addresses_count, list.addresses, list.count * sizeof(*grown));
			facts->addresses_count += list.count;
		}
		free(list.addresses);
	}
	return 0;
}

static void name_look(struct facts *facts, struct netlink *nl, const char *name, bool is_designated)
{
	struct missing_name *missing = &facts->missing[facts->missing_count];
	struct link link;
	unsigned int i;

	for (i = 0; i < facts->missing_count; i++)
		if (!strcmp(facts->missing[i].name, name) && facts->missing[i].is_designated == is_designated)
			return; /* in both families */
	if (facts->missing_count == FACTS_NAMES || netlink_get_link(nl, name, 0, &link) != -ENODEV)
		return;
	snprintf(missing->name, sizeof(missing->name), "%s", name);
	missing->is_designated = is_designated;
	facts->missing_count++;
}

static void names_look(struct facts *facts, struct netlink *nl)
{
	const struct interface_config *config = facts->config;
	enum config_family family;
	size_t i;

	if (interface_config_designates(config, CONFIG_IPV4))
		name_look(facts, nl, config->designated.name, true);
	for (family = 0; family < CONFIG_FAMILIES; family++)
		for (i = 0;
		     interface_config_translates(config, family) && i < config->hairpin[family].internal_ifs_count; i++)
			name_look(facts, nl, config->hairpin[family].internal_ifs[i], false);
}

int facts_read(struct facts *facts, const struct interface_config *config, struct netlink *nl)
{
	char claim[32];
	int err, ifindex = -1;

	memset(facts, 0, sizeof(*facts));
	facts->config = config;
	facts->mtu = UINT32_MAX;
	facts->family[CONFIG_IPV4].is_wanted = config->nat44;
	facts->family[CONFIG_IPV6].is_wanted = config->nat66;
	capabilities_read(facts);
	if (facts->can_network && facts->can_bpf)
		kernel_try(facts);
	snprintf(claim, sizeof(claim), "interface %s", config->name);
	facts->holder = instance_holder(claim);
	err = interface_read(facts, nl, &ifindex);
	if (err)
		return err;
	names_look(facts, nl);
	sysctls_read(facts);
	routes_read(nl, &facts->family[CONFIG_IPV4], AF_INET, ifindex);
	routes_read(nl, &facts->family[CONFIG_IPV6], AF_INET6, ifindex);
	facts_read_firewall(facts, ifindex);
	listeners_read(NAT_TCP, tcp_listener_seen, facts);
	listeners_read(NAT_UDP, udp_listener_seen, facts);
	return 0;
}

void facts_free(struct facts *facts)
{
	free(facts->addresses);
	facts->addresses = NULL;
	nft_ruleset_free(&facts->firewall);
}

static int interface_doctor(struct interface_config *config, struct netlink *nl, bool json)
{
	struct findings findings = { NULL, 0, false };
	struct facts facts;
	struct link link;
	int status = 1;

	/* One that was given by its index is known by its name from here on. */
	if (!config->name[0] && !netlink_get_link(nl, "", config->ifindex, &link))
		memcpy(config->name, link.name, sizeof(config->name));
	if (!config->name[0])
		snprintf(config->name, sizeof(config->name), "%d", config->ifindex);
	if (!facts_read(&facts, config, nl)) {
		doctor_examine(&facts, &findings);
		if (json)
			findings_print_json(stdout, config->name, &findings);
		else
			findings_print(stdout, config->name, &findings);
		status = findings_status(&findings);
	}
	findings_free(&findings);
	facts_free(&facts);
	return status;
}

int facts_doctor(struct config *config, bool json)
{
	struct netlink *nl = NULL;
	int status = 0, of;
	size_t i;

	if (netlink_open(&nl))
		return 1;
	if (json)
		fputc('[', stdout);
	for (i = 0; i < config->interfaces_count; i++) {
		if (i)
			fputs(json ? ",\n" : "\n", stdout);
		fflush(stdout);
		of = interface_doctor(&config->interfaces[i], nl, json);
		status = status == 1 || of == 1 ? 1 : status + of ? 3 : 0;
	}
	if (json)
		fputs("]\n", stdout);
	netlink_close(nl);
	return status;
}
