Feature: The balancer is set up as the guide does it
  One machine in front of the fleet decides who gets the next connection. Its configuration must be
  sound, it must survive a reboot, and an operator must be able to see what it thinks.

  @check:S5
  Rule: HAProxy is enabled, checks every runner and shows its statistics

    @short
    Scenario: Every balancer is set up soundly
      When every balancer is looked at
      Then each accepts its own configuration
      And HAProxy is running on each and starts at boot
      And each checks the health of every runner
      And each shows its statistics page on port 8404
