/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the configuration says of an interface, as the data plane wants to hear it. Pure. */
#ifndef CONFIG_PLANE_H
#define CONFIG_PLANE_H

#include "config.h"
#include "datapath.h"
#include "external_plan.h"

/* All but the family, the link, and which addresses and networks there are. What dp points to stays with the configuration. */
void config_plane(const struct interface_config *config, struct datapath_config *dp);

/* The externals of a plan with the ports of each, to be freed; the sets of ports stay with the configuration. NULL: no memory. */
struct external_config *config_plane_externals(const struct interface_config *config, const struct external_plan *plan);

#endif
