# One VM: a clone of a template with cloud-init. Made for machines that come and go.

locals {
  # The same for whoever takes a machine's place, made of what stays: its neighbours go on sending to the one that they know, for up to
  # a minute (ARP), and nothing at a first boot announces another one. 02: no manufacturer's.
  mac_address = upper(join(":", concat(["02"], regexall("..", substr(sha256("${var.vm_name} ${var.ip_address}"), 0, 10)))))

  owner = "tofu-ha-acceptance"
  until = var.expires == null ? [] : ["expires-${formatdate("YYYYMMDD't'hhmmss'z'", var.expires)}"]
  tags  = sort(distinct(concat([local.owner, "run-${var.run}"], local.until, [for tag in var.tags : lower(tag)])))
  note  = "Made by ${local.owner} for ${var.run}${var.expires == null ? "" : "; may be removed from ${var.expires} on"}."
}

resource "proxmox_virtual_environment_vm" "this" {
  name        = var.vm_name
  node_name   = var.proxmox_node
  pool_id     = var.platform.pool
  tags        = local.tags
  description = trimspace("${var.description}\n\n${local.note}")

  started         = true
  on_boot         = false # a node that restarts does not bring forgotten machines back
  stop_on_destroy = true  # else a VM without guest agent is waited for until the timeout

  timeout_clone       = var.platform.timeout_second
  timeout_start_vm    = var.platform.timeout_second
  timeout_shutdown_vm = 120
  timeout_stop_vm     = 120

  clone {
    vm_id        = var.platform.template_id
    node_name    = var.platform.template_node
    full         = var.platform.full_clone
    datastore_id = var.platform.full_clone ? var.platform.datastore : null
    retries      = 3
  }

  # Said in any case: a clone inherits the template's answer, and a guest that never answers is waited for.
  agent {
    enabled = var.platform.agent
    timeout = "2m"
  }

  cpu {
    cores = var.cpu_cores
    type  = var.platform.cpu_type
  }

  memory {
    dedicated = var.memory_mb
  }

  network_device {
    bridge      = var.platform.bridge
    vlan_id     = var.platform.vlan
    model       = "virtio"
    mac_address = local.mac_address
  }

  # Only where it differs: giving one attribute of a disk resets all others to what the provider thinks best.
  dynamic "disk" {
    for_each = var.platform.disk_gb == null ? [] : [var.platform.disk_gb]
    content {
      datastore_id = var.platform.datastore
      interface    = "scsi0"
      size         = disk.value
    }
  }

  initialization {
    datastore_id = var.platform.datastore
    upgrade      = false # no upgrade of all packages at the first boot: minutes, and another system each time

    ip_config {
      ipv4 {
        address = var.ip_address
        gateway = var.platform.gateway
      }
    }

    dynamic "dns" {
      for_each = length(var.platform.nameservers) == 0 ? [] : [var.platform.nameservers]
      content {
        servers = dns.value
      }
    }

    user_account {
      username = var.platform.user
      keys     = var.platform.ssh_keys
    }
  }

  operating_system {
    type = "l26"
  }

  # Debian's cloud images boot with their console on a serial port.
  serial_device {}
}
