// SPDX-License-Identifier: GPL-2.0-only
/* NAT66: the IPv6 programs. */
#define NAT_ADDR_WORDS 4

#include "nat.h"
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <linux/in.h>
#include <stdbool.h>
#include <stddef.h>

#include "maps.bpf.h"
#include "packet.bpf.h"
#include "checksum.bpf.h"
#include "ipv6.bpf.h"

#include "programs.bpf.h"
