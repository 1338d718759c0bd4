// SPDX-License-Identifier: GPL-2.0-or-later
/* See plane.h. */
#include "plane.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <sys/mman.h>

const struct port_range plane_default_ports[NAT_PROTOCOLS] = {
	[NAT_TCP] = { 20000, 29999 },
	[NAT_UDP] = { 20000, 29999 },
	[NAT_ICMP] = { 0, 65535 },
};

const char *plane_external(int family)
{
	return family == AF_INET6 ? "2001:db8:203::2" : "203.0.113.2";
}

/* The slots in memory: what a mapping is, and when it ends, is read and set there. */
static int slots_open(struct plane *plane)
{
	struct bpf_map_info info = { 0 };
	__u32 size = sizeof(info);
	int fd = datapath_map_fd(plane->dp, "slots");

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size))
		return -ENOENT;
	plane->slot_count = info.max_entries;
	plane->slot_size = (info.value_size + 7) & ~7u;
	plane->slots_size = plane->slot_count * plane->slot_size;
	plane->slots = mmap(NULL, plane->slots_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (plane->slots != MAP_FAILED)
		return 0;
	plane->slots = NULL;
	return -errno;
}

int plane_open(struct plane *plane, int family, const struct port_range ports[NAT_PROTOCOLS])
{
	struct port_range ranges[NAT_PROTOCOLS];
	struct frame_endpoint external = frame_endpoint_of(family, plane_external(family), 0);
	struct datapath_config config;
	int err;

	*plane = (struct plane){ .family = family };
	datapath_config_init(&config);
	config.family = family;
	config.ifname = "lo";
	config.ifindex = 1;
	for (int protocol = 0; protocol < NAT_PROTOCOLS; protocol++) {
		ranges[protocol] = ports[protocol];
		config.ports[protocol] = (struct port_set){ &ranges[protocol], ports[protocol].last != 0 };
	}
	err = datapath_open(&plane->dp, &config);
	err = err ?: slots_open(plane);
	err = err ?: datapath_set_external(plane->dp, external.addr);
	if (err)
		plane_close(plane);
	return err;
}

void plane_close(struct plane *plane)
{
	if (plane->slots)
		munmap(plane->slots, plane->slots_size);
	datapath_close(plane->dp);
	*plane = (struct plane){ 0 };
}

struct mapping *plane_slot(const struct plane *plane, uint32_t slot)
{
	return (struct mapping *)(plane->slots + slot * plane->slot_size);
}

uint32_t plane_first_slot(const struct plane *plane, enum nat_protocol protocol)
{
	uint32_t slot = 0;

	while (slot < plane->slot_count && plane_slot(plane, slot)->protocol != protocol)
		slot++;
	return slot;
}

struct verdict program_run(int fd, const struct frame *frame, struct frame *result)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame->bytes, .data_size_in = frame->size,
		    .data_out = result ? result->bytes : NULL, .data_size_out = result ? sizeof(result->bytes) : 0,
		    .repeat = 1);
	int err = bpf_prog_test_run_opts(fd, &opts);

	if (err)
		return (struct verdict){ .action = err };
	if (result)
		result->size = opts.data_size_out;
	return (struct verdict){ .action = (int)opts.retval, .run_ns = opts.duration };
}
