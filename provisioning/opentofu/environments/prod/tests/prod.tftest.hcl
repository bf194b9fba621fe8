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

  variables {
    nodes = ["pve1", "pve2", "pve3", "pve4"]
  }

  assert {
    condition = { for name, vm in output.machines : name => vm.ip_address } == {
      storage01  = "10.1.0.11", storage02 = "10.1.0.12", storage03 = "10.1.0.13", storage04 = "10.1.0.14"
      balancer01 = "10.1.0.21", balancer02 = "10.1.0.22"
      runner01   = "10.1.0.103", runner02 = "10.1.0.104", runner03 = "10.1.0.105"
    }
    error_message = jsonencode({ for name, vm in output.machines : name => vm.ip_address })
  }
  assert {
    condition     = alltrue([for name in ["runner01", "runner02", "runner03"] : output.machines[name].cpu_cores == 2 && output.machines[name].memory_mb == 2048])
    error_message = "runners are not of the guide's size"
  }
  assert {
    condition     = module.runner["runner01"].name == "tofu-runner01"
    error_message = "names of VMs begin with the prefix"
  }
}

run "four_nodes_bear_the_loss_of_any_one" {
  command = plan

  variables {
    nodes = ["pve1", "pve2", "pve3", "pve4"]
  }

  assert {
    condition     = output.spread == { storage = { most_on_one_node = 1, can_lose = 1 }, balancer = { most_on_one_node = 1, can_lose = 1 }, runner = { most_on_one_node = 1, can_lose = 2 } }
    error_message = jsonencode(output.spread)
  }
}

run "one_node_is_named_as_what_it_is" {
  command         = plan
  expect_failures = [check.no_node_is_a_single_point_of_failure]

  variables {
    nodes = ["pve"]
  }
}

run "three_nodes_would_lose_two_storage_machines_at_once" {
  command         = plan
  expect_failures = [check.no_node_is_a_single_point_of_failure]

  variables {
    nodes = ["pve1", "pve2", "pve3"]
  }
}

run "a_fleet_of_a_hundred_fits" {
  command = plan

  variables {
    nodes   = ["pve1", "pve2", "pve3", "pve4"]
    runners = 100
  }

  assert {
    condition     = output.machines["runner100"].ip_address == "10.1.0.202"
    error_message = "the last runner has another address"
  }
}

run "a_fleet_of_one_is_refused" {
  command         = plan
  expect_failures = [var.runners]

  variables {
    nodes   = ["pve1", "pve2", "pve3", "pve4"]
    runners = 1
  }
}

run "another_network_keeps_the_last_numbers" {
  command = plan

  variables {
    nodes  = ["pve1", "pve2", "pve3", "pve4"]
    subnet = "192.168.50.0/24"
  }

  assert {
    condition     = output.machines["storage01"].ip_address == "192.168.50.11"
    error_message = "the address is not in the subnet"
  }
}

run "a_network_that_is_too_small_is_refused" {
  command         = plan
  expect_failures = [var.subnet]

  variables {
    nodes  = ["pve1", "pve2", "pve3", "pve4"]
    subnet = "192.168.50.0/25"
  }
}
