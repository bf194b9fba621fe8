Feature: Only healthy runners get connections
  Who connects to the fleet should never notice that one of its machines is not well.

  @check:V6
  Rule: HAProxy routes connections to healthy runners only

    @short
    Scenario: Every healthy runner is used, and each is who it says it is
      When a client connects to the fleet 4 times for each runner
      Then every connection is answered
      And every runner answered at least once
      And each proved with its host key who it is
      And the balancers counted the same connections

    @disruptive:runner @needs:control
    Scenario: A runner without SSH service gets no connection
      Given a runner whose SSH service is stopped
      And the balancers have taken it out of rotation
      When a client connects to the fleet 4 times for each runner
      Then every connection is answered
      And no connection went to that runner
