Feature: Nobody notices that a runner died
  Who connects to the fleet while one of its machines dies gets another machine, and does not even see an error.

  @check:B8
  Rule: Automatic failover (transparent to users)

    @disruptive:runner @needs:cut-power
    Scenario: The plug of a runner is pulled
      Given a client that opens a new connection to the fleet every 200 milliseconds
      When the plug of the runner that answered last is pulled
      Then it is out of rotation within 35 seconds
      And every connection opened from then on is answered by another runner
      And it is told how many connections were under way

    @short @disruptive:runner @needs:control
    Scenario: The SSH service of a runner stops
      Given a client that opens a new connection to the fleet every 200 milliseconds
      When the SSH service of the runner that answered last is stopped
      Then it is out of rotation within 20 seconds
      And every connection opened from then on is answered by another runner
      And it is told how many connections were under way

    @check:H22
    @disruptive:runner @needs:control
    Scenario: The SSH service of a runner freezes
      Given a client that opens a new connection to the fleet every 200 milliseconds
      When the SSH service of the runner that answered last freezes
      Then it is out of rotation within 20 seconds
      And connections opened before that end within 10 seconds
      And every connection opened after it left the rotation is answered by another runner

  @check:H22
  Rule: A runner with a frozen sshd is taken out of rotation

    @short @disruptive:runner @needs:control
    Scenario: A service that shakes hands but says nothing is noticed
      Given a runner that answered a connection to the fleet
      When its SSH service freezes
      Then it is out of rotation within 20 seconds
      And new connections are answered by the other runners
      And once it is repaired, it is used again within 15 seconds of answering directly

  @check:H23
  Rule: A session to a runner that died is ended, not left hanging

    @short @disruptive:runner @needs:cut-power
    Scenario: Whoever worked on the dead machine is told
      Given sessions to the fleet, two for each runner
      When the plug of a runner with sessions is pulled
      Then its sessions are ended within 30 seconds
      And the sessions to all other runners live on
