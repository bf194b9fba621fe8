mock_provider "proxmox" {}

variables {
  vm_name      = "tofu-runner01"
  proxmox_node = "pve"
  cpu_cores    = 2
  memory_mb    = 2048
  ip_address   = "10.1.0.103/24"
  run          = "run-1"
  expires      = "2026-11-25T18:00:00Z"
  tags         = ["Runner"]
  platform = {
    template_id = 9000
    datastore   = "local-lvm"
    gateway     = "10.1.0.1"
    ssh_keys    = ["ssh-ed25519 AAAA lab"]
  }
}

run "a_vm_is_as_it_was_asked_for" {
  command = plan

  assert {
    condition     = proxmox_virtual_environment_vm.this.name == "tofu-runner01" && proxmox_virtual_environment_vm.this.node_name == "pve"
    error_message = "name or node differ"
  }
  assert {
    condition     = proxmox_virtual_environment_vm.this.cpu[0].cores == 2 && proxmox_virtual_environment_vm.this.memory[0].dedicated == 2048
    error_message = "cores or memory differ"
  }
  assert {
    condition     = proxmox_virtual_environment_vm.this.initialization[0].ip_config[0].ipv4[0].address == "10.1.0.103/24"
    error_message = "the address differs"
  }
  assert {
    condition     = output.ip_address == "10.1.0.103"
    error_message = "the output must be the address alone"
  }
  assert {
    condition     = proxmox_virtual_environment_vm.this.network_device[0].mac_address == "02:69:9E:51:E4:79"
    error_message = "the hardware address differs: ${proxmox_virtual_environment_vm.this.network_device[0].mac_address}"
  }
}

run "a_vm_says_whose_it_is_and_until_when" {
  command = plan

  assert {
    condition     = tolist(proxmox_virtual_environment_vm.this.tags) == tolist(["expires-20261125t180000z", "run-run-1", "runner", "tofu-ha-acceptance"])
    error_message = "tags: ${join(" ", proxmox_virtual_environment_vm.this.tags)}"
  }
  assert {
    condition     = proxmox_virtual_environment_vm.this.description == "Made by tofu-ha-acceptance for run-1; may be removed from 2026-11-25T18:00:00Z on."
    error_message = "description: ${proxmox_virtual_environment_vm.this.description}"
  }
}

run "who_takes_its_place_has_its_hardware_address" {
  command = plan

  variables {
    proxmox_node = "pve2"
    run          = "run-2"
    expires      = null
  }

  assert {
    condition     = output.mac_address == "02:69:9E:51:E4:79"
    error_message = "its neighbours would look for another one"
  }
}

run "another_machine_has_another_hardware_address" {
  command = plan

  variables {
    ip_address = "10.1.0.104/24"
  }

  assert {
    condition     = output.mac_address != "02:69:9E:51:E4:79"
    error_message = "two machines would have one"
  }
  assert {
    condition     = can(regex("^02(:[0-9A-F]{2}){5}$", output.mac_address))
    error_message = "it could be a manufacturer's"
  }
}

run "another_lab_has_another_hardware_address" {
  command = plan

  variables {
    vm_name = "theirs-runner01"
  }

  assert {
    condition     = output.mac_address != "02:69:9E:51:E4:79"
    error_message = "two labs would have one"
  }
}

run "a_vm_by_hand_never_expires" {
  command = plan

  variables {
    run     = "by-hand"
    expires = null
  }

  assert {
    condition     = length([for tag in proxmox_virtual_environment_vm.this.tags : tag if startswith(tag, "expires-")]) == 0
    error_message = "it expires"
  }
}

run "nothing_waits_for_a_guest_that_never_answers" {
  command = plan

  assert {
    condition     = !proxmox_virtual_environment_vm.this.agent[0].enabled && proxmox_virtual_environment_vm.this.stop_on_destroy
    error_message = "agent must be off unless asked for, and a VM is stopped before it is destroyed"
  }
  assert {
    condition     = !proxmox_virtual_environment_vm.this.initialization[0].upgrade
    error_message = "cloud-init would upgrade all packages"
  }
}

run "a_disk_is_left_alone_unless_its_size_is_given" {
  command = plan

  assert {
    condition     = length(proxmox_virtual_environment_vm.this.disk) == 0
    error_message = "the template's disk is touched"
  }
}

run "an_address_without_prefix_is_refused" {
  command         = plan
  expect_failures = [var.ip_address]

  variables {
    ip_address = "10.1.0.103"
  }
}

run "a_name_that_is_no_host_name_is_refused" {
  command         = plan
  expect_failures = [var.vm_name]

  variables {
    vm_name = "tofu_runner"
  }
}

run "too_little_memory_is_refused" {
  command         = plan
  expect_failures = [var.memory_mb]

  variables {
    memory_mb = 256
  }
}

run "half_a_core_is_refused" {
  command         = plan
  expect_failures = [var.cpu_cores]

  variables {
    cpu_cores = 0.5
  }
}

run "a_vm_that_nobody_could_enter_is_refused" {
  command         = plan
  expect_failures = [var.platform]

  variables {
    platform = {
      template_id = 9000
      datastore   = "local-lvm"
      ssh_keys    = []
    }
  }
}

run "an_expiry_that_is_no_moment_is_refused" {
  command         = plan
  expect_failures = [var.expires]

  variables {
    expires = "tomorrow"
  }
}
