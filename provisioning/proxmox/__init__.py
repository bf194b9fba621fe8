"""The driver `proxmox`: machines are VMs of a Proxmox VE cluster, made by OpenTofu and broken through the cluster's API."""
