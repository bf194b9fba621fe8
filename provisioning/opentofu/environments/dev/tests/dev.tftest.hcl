mock_provider "proxmox" {}

variables {
  endpoint  = "https://pve.example.org:8006/"
  api_token = "suite@pve!lab=00000000-0000-0000-0000-000000000000"
  platform = {
    template_id = 9000
    datastore   = "local-lvm"
    ssh_keys    = ["ssh-ed25519 AAAA lab"]
  }
}

run "machines_and_addresses_are_the_guide_s" {
  command = plan

  assert {
    condition = { for name, vm in output.machines : name => vm.ip_address } == {
      storage01 = "10.1.0.101", balancer01 = "10.1.0.102"
      runner01  = "10.1.0.103", runner02 = "10.1.0.104", runner03 = "10.1.0.105"
    }
    error_message = jsonencode({ for name, vm in output.machines : name => vm.ip_address })
  }
}

run "one_node_is_enough" {
  command = plan

  variables {
    nodes = ["pve"]
  }

  assert {
    condition     = alltrue([for vm in values(output.machines) : vm.node == "pve"])
    error_message = "a machine is elsewhere"
  }
}

run "no_node_at_all_is_refused" {
  command         = plan
  expect_failures = [var.nodes]

  variables {
    nodes = []
  }
}
