Feature: The runners are alike
  A pipeline does not choose its runner, so it must not matter which one it gets.

  @check:S4
  Rule: Three identical runners have OpenTofu and git

    @short
    Scenario: Every runner has what the guide gives it
      When every runner is looked at from inside
      Then there are at least 3 runners
      And each has 2 cores and 2048 MB of memory
      And all have the same version of OpenTofu
      And all have the same version of git
