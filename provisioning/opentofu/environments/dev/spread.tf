# One storage machine and one balancer: where they are is told, but no node can be lost without harm.

locals {
  roles = {
    storage  = { machines = module.storage, can_lose = 0 }
    balancer = { machines = module.balancer, can_lose = 0 }
    runner   = { machines = module.runner, can_lose = length(local.runners) - 1 }
  }
  spread = {
    for role, its in local.roles : role => {
      most_on_one_node = max([for node in var.nodes : length([for vm in its.machines : vm if vm.node == node])]...)
      can_lose         = its.can_lose
    }
  }
}
