# SPDX-License-Identifier: GPL-2.0-or-later
# All that is known of x86_64: plain `NAME := value` lines, which make and sh both read.

# the compiler, and what Debian calls it and its kernel headers on a machine of another kind
TRIPLE := x86_64-linux-gnu
TOOLCHAIN_PACKAGES := gcc-x86-64-linux-gnu linux-libc-dev-amd64-cross
MUSL_ARCH := x86_64
ARCH_CFLAGS :=
ARCH_LDFLAGS :=

# the machine it is tested on
DEBIAN_ARCH := amd64
DEBIAN_SUITE := bookworm
KERNEL_PACKAGE := linux-image-cloud-amd64
QEMU := qemu-system-x86_64
QEMU_PACKAGE := qemu-system-x86
QEMU_MACHINE := q35
# -cx16: with cmpxchg16b emulated, 6.12 panics in 12-42 % of boots on QEMU 7.2
QEMU_CPU := max,-cx16
QEMU_USER := qemu-x86_64-static
CONSOLE := ttyS0
# the kernel tries whether its timer ticks, and panics where it does not in time: a busy host may keep QEMU from it
BOOT_WORDS := no_timer_check
# does its kernel compile BPF programs unless told otherwise?
JIT := yes
# qemu-tests/kernels finds them. Those of make test: with all scenarios, -alone with the router alone. All on 5.10 are
# make test ARCH=x86_64 KERNEL=5.10.
KERNELS_TEST := newest 5.10-alone 6.1-generic
# make test-kernels: with all scenarios, and with the router alone
KERNELS := 6.1 newest 6.1-generic
KERNELS_ALONE := 5.10 6.12 6.1+nojit
