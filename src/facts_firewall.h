/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machine's firewall as far as the doctor asks: nftables by its netlink, iptables-legacy by its socket options. */
#ifndef FACTS_FIREWALL_H
#define FACTS_FIREWALL_H

#include "doctor.h"

/* Fills facts->firewall and facts->legacy; a kernel without either leaves them empty. */
void facts_read_firewall(struct facts *facts, int ifindex);

#endif
