terraform {
  required_version = ">= 1.10.2"

  required_providers {
    proxmox = {
      source  = "bpg/proxmox"
      version = "0.111.1"
    }
  }
}

# TLS is verified, always: a CA that this host does not know is given by the environment (SSL_CERT_FILE).
provider "proxmox" {
  endpoint           = var.endpoint
  api_token          = var.api_token
  random_vm_ids      = true
  random_vm_id_start = var.vm_ids.first
  random_vm_id_end   = var.vm_ids.last
}
