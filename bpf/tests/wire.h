/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Frames through attached programs, with only so many bytes of each in one piece, which a test run cannot do (before
 * 6.19): a packet socket sends them out of the namespace's lo, whose hooks have the shipped programs, and behind those a
 * program of the test's own that takes the frame away.
 */
#ifndef WIRE_H
#define WIRE_H

#include "datapath.h"
#include "packet.h"

struct wire;

/* Attaches the programs to lo. What cannot be done ends the test by a message. */
struct wire *wire_open(struct datapath *dp);

/* Takes them off again. NULL is fine. */
void wire_close(struct wire *wire);

/* How long the frames are that are sent: a kernel makes pieces of none that fits a page, so zeros are put behind them. */
size_t wire_size(const struct wire *wire);

/* The next frames have only so many bytes in one piece. Sees to it that the hooks get such frames, both of them. */
void wire_set_linear(struct wire *wire, size_t bytes);

/*
 * Sends the frame, and gives what comes out of the program of that direction, which has let it go on: else -ENOBUFS
 * (outwards) or, after ten seconds, -ETIMEDOUT.
 */
int wire_send(struct wire *wire, enum nat_direction direction, const struct frame *frame, struct frame *result);

#endif
