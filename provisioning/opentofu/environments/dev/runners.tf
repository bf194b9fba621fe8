# Step 4 of the guide: identical runners, 10.1.0.103 and upwards.

locals {
  runners = [for number in range(1, var.runners + 1) : format("runner%02d", number)]
}

module "runner" {
  for_each = toset(local.runners)

  source = "../../modules/basic-vm"

  vm_name      = "${var.prefix}${each.key}"
  proxmox_node = var.nodes[index(local.runners, each.key) % length(var.nodes)]
  cpu_cores    = var.runner_size.cpu_cores
  memory_mb    = var.runner_size.memory_mb
  ip_address   = "${cidrhost(var.subnet, index(local.runners, each.key) + 103)}/${split("/", var.subnet)[1]}"

  platform = var.platform
  tags     = ["runner"]
  run      = var.run
  expires  = var.expires
}
