# Step 5 of the guide, twice: the endpoints are addresses that move between the two.

locals {
  balancers = ["balancer01", "balancer02"]
}

module "balancer" {
  for_each = toset(local.balancers)

  source = "../../modules/basic-vm"

  vm_name      = "${var.prefix}${each.key}"
  proxmox_node = var.nodes[index(local.balancers, each.key) % length(var.nodes)]
  cpu_cores    = var.balancer_size.cpu_cores
  memory_mb    = var.balancer_size.memory_mb
  ip_address   = "${cidrhost(var.subnet, index(local.balancers, each.key) + 21)}/${split("/", var.subnet)[1]}"

  platform = var.platform
  tags     = ["balancer"]
  run      = var.run
  expires  = var.expires
}
