output "vm_id" {
  value       = proxmox_virtual_environment_vm.this.vm_id
  description = "Id of the VM in the cluster."
}

output "name" {
  value = proxmox_virtual_environment_vm.this.name
}

output "node" {
  value       = proxmox_virtual_environment_vm.this.node_name
  description = "Node on which the VM was made."
}

output "ip_address" {
  value       = split("/", var.ip_address)[0]
  description = "Address without the prefix length."
}

output "mac_address" {
  value       = local.mac_address
  description = "Of its network card."
}

output "cpu_cores" {
  value = var.cpu_cores
}

output "memory_mb" {
  value = var.memory_mb
}

output "tags" {
  value = local.tags
}
