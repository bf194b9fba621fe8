# The guide's five: what makes one machine another than its neighbours.

variable "vm_name" {
  type        = string
  description = "Name of the VM in Proxmox VE, and host name at its first boot."

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", var.vm_name))
    error_message = "vm_name must be a host name: lower-case letters, digits and hyphens, 63 characters at most."
  }
}

variable "proxmox_node" {
  type        = string
  description = "Node of the cluster on which the VM runs."
}

variable "cpu_cores" {
  type    = number
  default = 2

  validation {
    condition     = var.cpu_cores >= 1 && floor(var.cpu_cores) == var.cpu_cores
    error_message = "cpu_cores must be a whole number of at least 1."
  }
}

variable "memory_mb" {
  type    = number
  default = 2048

  validation {
    condition     = var.memory_mb >= 512
    error_message = "memory_mb must be at least 512: Debian does not boot reliably with less."
  }
}

variable "ip_address" {
  type        = string
  description = "Address with the length of its network's prefix, as in 10.1.0.103/24."

  validation {
    condition     = can(cidrhost(var.ip_address, 0)) && length(split("/", var.ip_address)) == 2
    error_message = "ip_address must be an address with its prefix length, as in 10.1.0.103/24."
  }
}

# What a real cluster needs beside that: the same for all machines of a lab.

variable "platform" {
  description = "Where VMs come from and what they are attached to."
  type = object({
    template_id    = number               # VM id of a template with cloud-init
    template_node  = optional(string)     # node of the template, where it is not the VM's own
    full_clone     = optional(bool, true) # false: a linked clone, faster, bound to its template
    datastore      = string               # holds disk and cloud-init drive
    disk_gb        = optional(number)     # null: as in the template
    bridge         = optional(string, "vmbr0")
    vlan           = optional(number)
    gateway        = optional(string)
    nameservers    = optional(list(string), [])
    user           = optional(string, "debian")
    ssh_keys       = list(string)
    pool           = optional(string)
    cpu_type       = optional(string, "x86-64-v2-AES")
    agent          = optional(bool, false) # whether the template has the QEMU guest agent
    timeout_second = optional(number, 900) # for a clone, and for a start
  })

  validation {
    condition     = length(var.platform.ssh_keys) > 0
    error_message = "platform.ssh_keys is empty: nobody could log in to the VM."
  }
}

# Whose VM it is, and until when. They stand here and not in a later call of the API, so that no apply takes them for drift.

variable "run" {
  type        = string
  default     = "by-hand"
  description = "Name of the run or lab that the VM belongs to."

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", var.run))
    error_message = "run must consist of lower-case letters, digits and hyphens: it becomes a tag."
  }
}

variable "expires" {
  type        = string
  default     = null
  description = "Moment from which on `sweep` may remove the VM (RFC 3339, UTC); null: never."

  validation {
    condition     = var.expires == null || can(regex("^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ$", var.expires))
    error_message = "expires must be a moment in UTC, as in 2026-11-25T18:00:00Z."
  }
}

variable "tags" {
  type        = list(string)
  default     = []
  description = "Further tags."
}

variable "description" {
  type        = string
  default     = ""
  description = "Words for people, before what the module says itself."
}
