#!/bin/sh
# Makes a plain Debian root file system fit for the machines of a lab. Called by mmdebstrap with the root as its argument.
set -eu
root=$1

# Nobody shall log in or resolve through what this host leaves behind; a machine gets its own identity from its role.
rm -f "$root"/etc/ssh/ssh_host_*_key "$root"/etc/ssh/ssh_host_*_key.pub
rm -f "$root/etc/hostname"
: > "$root/etc/machine-id"
: > "$root/etc/resolv.conf"
mkdir -p "$root/etc/tofu"

# The pipeline's account: keys only.
chroot "$root" useradd --create-home --shell /bin/bash --password '*' pipeline

# What a lab machine waits for in vain, or what would change it while it is being tested. Without these a lab boots in seconds.
SYSTEMD_OFFLINE=1 chroot "$root" systemctl --quiet mask \
    systemd-networkd.service systemd-networkd.socket systemd-networkd-wait-online.service systemd-resolved.service \
    nftables.service apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service \
    fstrim.timer systemd-timesyncd.service getty.target console-getty.service systemd-logind.service \
    systemd-firstboot.service ldconfig.service

# Roles switch on what they need.
SYSTEMD_OFFLINE=1 chroot "$root" systemctl --quiet disable haproxy.service keepalived.service
SYSTEMD_OFFLINE=1 chroot "$root" systemctl --quiet enable ssh.service

# What only installing needs.
rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/* "$root"/var/cache/debconf/*-old \
    "$root"/usr/share/doc/* "$root"/usr/share/man/* "$root"/usr/share/locale/* "$root"/var/log/*.log "$root"/var/log/apt/*
