# SPDX-License-Identifier: GPL-2.0-or-later
# All that is known of aarch64: plain `NAME := value` lines, which make and sh both read.

# the compiler, and what Debian calls it and its kernel headers on a machine of another kind
TRIPLE := aarch64-linux-gnu
TOOLCHAIN_PACKAGES := gcc-aarch64-linux-gnu linux-libc-dev-arm64-cross
MUSL_ARCH := aarch64
ARCH_CFLAGS :=
ARCH_LDFLAGS :=

# the machine it is tested on
DEBIAN_ARCH := arm64
DEBIAN_SUITE := bookworm
KERNEL_PACKAGE := linux-image-cloud-arm64
QEMU := qemu-system-aarch64
QEMU_PACKAGE := qemu-system-arm
QEMU_MACHINE := virt
QEMU_CPU := cortex-a57
QEMU_USER := qemu-aarch64-static
CONSOLE := ttyAMA0
BOOT_WORDS :=
# does its kernel compile BPF programs unless told otherwise?
JIT := yes
# qemu-tests/kernels finds them. Those of make test, with all scenarios: clsact here, TCX on x86_64's newest
KERNELS_TEST := 6.1
# make test-kernels: with all scenarios, and with the router alone
KERNELS := 6.1 newest 6.1-generic
KERNELS_ALONE := 5.10 6.12
