# The guide: distributed across multiple Proxmox nodes. A node that is lost may take no more machines of a role than the role can lose.

locals {
  roles = {
    storage  = { machines = module.storage, can_lose = length(local.storage) > 3 ? floor((length(local.storage) - 1) / 2) : 0 }
    balancer = { machines = module.balancer, can_lose = length(local.balancers) - 1 }
    runner   = { machines = module.runner, can_lose = length(local.runners) - 1 }
  }
  spread = {
    for role, its in local.roles : role => {
      most_on_one_node = max([for node in var.nodes : length([for vm in its.machines : vm if vm.node == node])]...)
      can_lose         = its.can_lose
    }
  }
}

check "no_node_is_a_single_point_of_failure" {
  assert {
    condition     = alltrue([for role, its in local.spread : its.most_on_one_node <= its.can_lose])
    error_message = "A node that is lost takes too much with it: ${join("; ", [for role, its in local.spread : "${its.most_on_one_node} machines of role ${role} are on one node, which can lose ${its.can_lose}" if its.most_on_one_node > its.can_lose])}. Name more nodes."
  }
}
