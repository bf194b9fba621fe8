Feature: The lab is simple to work with
  A pipeline knows one address, and a machine that is lost is made anew, not nursed.

  @check:B7
  Rule: CI/CD points to one IP:port

    @short
    Scenario: What a pipeline is given names no runner
      When everything is read that the lab publishes for pipelines
      Then neither the address nor the name of any runner occurs in it
      And the one address is enough to reach every runner

  @check:B9
  Rule: Stateless runners (cattle, not pets)

    @short @disruptive:runner @needs:rebuild
    Scenario: A runner made from nothing works at once
      Given a state that was written before
      When a runner is destroyed and made anew from nothing
      Then it plans no changes to that state
      And a pipeline that knows only what the lab published before reaches it
