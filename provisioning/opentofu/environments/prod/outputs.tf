output "machines" {
  description = "Every machine by its name in the lab."
  value       = { for name, vm in merge(module.storage, module.balancer, module.runner) : name => vm }
}

output "spread" {
  description = "By role: the most machines of it on one node, and how many it can lose."
  value       = local.spread
}
