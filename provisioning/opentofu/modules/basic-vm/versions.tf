terraform {
  required_version = ">= 1.10.2"

  required_providers {
    proxmox = {
      source  = "bpg/proxmox"
      version = "0.111.1" # exactly: before 1.0 its minor versions break
    }
  }
}
