Feature: The fleet gets over the loss of a runner
  Machines die. The others take over by themselves, and a machine that returns is used again.

  @check:V7
  Rule: HAProxy automatically fails over when a runner goes down

    @disruptive:runner @needs:cut-power
    Scenario: The plug of a runner is pulled
      Given a runner that answered a connection to the fleet
      When its plug is pulled
      Then it is out of rotation within 35 seconds
      And new connections are answered by the other runners
      And once it is repaired, it is used again within 15 seconds of answering directly

    @disruptive:runner @needs:shut-down
    Scenario: A runner is shut down politely
      Given a runner that answered a connection to the fleet
      When it is shut down
      Then it is out of rotation within 35 seconds
      And new connections are answered by the other runners
      And once it is repaired, it is used again within 15 seconds of answering directly

    @short @disruptive:runner @needs:control
    Scenario: The SSH service of a runner stops
      Given a runner that answered a connection to the fleet
      When its SSH service is stopped
      Then it is out of rotation within 20 seconds
      And new connections are answered by the other runners
      And once it is repaired, it is used again within 15 seconds of answering directly

  @check:T2
  Rule: Test 2: Runner Failover

    @short @disruptive:runner @needs:shut-down
    Scenario: As the guide tries it
      Given a runner that answered a connection to the fleet
      When it is told to shut down now
      Then the next connections to the fleet are answered by another runner
      And the statistics page shows it as down within 35 seconds
