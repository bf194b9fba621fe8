# Step 1 of the guide, option B: four machines that keep every object together.

locals {
  storage = ["storage01", "storage02", "storage03", "storage04"]
}

module "storage" {
  for_each = toset(local.storage)

  source = "../../modules/basic-vm"

  vm_name      = "${var.prefix}${each.key}"
  proxmox_node = var.nodes[index(local.storage, each.key) % length(var.nodes)]
  cpu_cores    = var.storage_size.cpu_cores
  memory_mb    = var.storage_size.memory_mb
  ip_address   = "${cidrhost(var.subnet, index(local.storage, each.key) + 11)}/${split("/", var.subnet)[1]}"

  platform = var.platform
  tags     = ["storage"]
  run      = var.run
  expires  = var.expires
}
