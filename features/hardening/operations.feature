Feature: The lab is fit to run for long
  What works on the first day must still work after a reboot, an update and a year of applies.

  @check:H41
  Rule: The versions of OpenTofu and MinIO fit each other and the promises

    @short
    Scenario: No version with a known fault in locking is in use
      When the versions of OpenTofu on all runners and of MinIO on all storage machines are read
      Then every runner has the same OpenTofu, with sound locking
      And every storage machine runs a MinIO that keeps the lock when it cannot read

  @check:H42
  Rule: Every service is enabled and comes back after a reboot of its machine

    @short
    Scenario: Every service starts at boot
      When the services of every machine are looked at
      Then each of them is running and starts at boot

    @thorough @disruptive:runner @disruptive:balancer @disruptive:storage @needs:reboot
    Scenario: Every machine comes back after a reboot, one after the other
      Given a state that was written before
      When every machine is rebooted, one after the other
      Then after each reboot everything served again within 120 seconds
      And the state can still be read, unchanged

    @thorough @disruptive:runner @disruptive:balancer @disruptive:storage @disruptive:quorum @needs:reboot
    Scenario: The whole lab comes back after a reboot of all machines
      Given a state that was written before
      When all machines are rebooted at once
      Then everything serves again within 120 seconds
      And the state can still be read, unchanged

  @check:H45
  Rule: No lifecycle rule expires versions of state objects

    @short
    Scenario: Old versions of a state are kept
      When the lifecycle rules of the bucket are read
      Then none of them removes versions of a state

  @check:H46
  Rule: No stale lock lies about

    @short
    Scenario: Every lock has a holder that works
      When all locks in the bucket are looked at
      Then each belongs to an apply that is under way
