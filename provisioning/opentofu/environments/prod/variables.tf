# The same in every environment; a test keeps the copies equal.

variable "endpoint" {
  type        = string
  description = "The API of the cluster, as in https://pve1.example.org:8006/."
}

variable "api_token" {
  type        = string
  sensitive   = true
  description = "USER@REALM!NAME=SECRET, best given by the environment: TF_VAR_api_token."
}

variable "vm_ids" {
  type        = object({ first = number, last = number })
  default     = { first = 10000, last = 99999 }
  description = "Ids of VMs are drawn by lot from here: two who count upwards at once draw the same."
}

variable "nodes" {
  type        = list(string)
  default     = ["pve"]
  description = "Nodes over which the machines of each role are spread, in turns."

  validation {
    condition     = length(var.nodes) > 0
    error_message = "nodes is empty: name at least one node of the cluster."
  }
}

variable "subnet" {
  type        = string
  default     = "10.1.0.0/24"
  description = "Network of the lab; the last number of each address is the guide's."

  validation {
    condition     = can(cidrhost(var.subnet, 202)) && !can(cidrhost(var.subnet, 256))
    error_message = "subnet must be a network of 256 addresses, as 10.1.0.0/24: the guide's numbers go from 11 to 202."
  }
}

variable "runners" {
  type        = number
  default     = 3
  description = "Size of the fleet."

  validation {
    condition     = var.runners >= 2 && var.runners <= 100
    error_message = "runners must be 2 to 100: fewer share nothing."
  }
}

variable "runner_size" {
  type    = object({ cpu_cores = number, memory_mb = number })
  default = { cpu_cores = 2, memory_mb = 2048 }
}

variable "storage_size" {
  type    = object({ cpu_cores = number, memory_mb = number })
  default = { cpu_cores = 2, memory_mb = 2048 }
}

variable "balancer_size" {
  type    = object({ cpu_cores = number, memory_mb = number })
  default = { cpu_cores = 1, memory_mb = 1024 }
}

variable "prefix" {
  type        = string
  default     = "tofu-"
  description = "Before the name of each machine; two labs on one cluster need two."
}

variable "platform" {
  type        = any
  description = "Where VMs come from and what they are attached to: see modules/basic-vm."
}

variable "run" {
  type    = string
  default = "by-hand"
}

variable "expires" {
  type    = string
  default = null
}
