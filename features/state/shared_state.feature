Feature: All runners work on the same state
  Whichever runner does a job, it sees what the others did before, and can go on from there.

  @check:V5
  Rule: All 3 runners can access and modify shared state

    @short
    Scenario: Each runner's change is seen by all others
      Given a state that all runners share
      When every runner in turn changes it
      Then after each change every other runner plans no changes
      And each change has raised the serial by exactly one

    @short
    Scenario: All runners have the same backend settings
      When the backend settings that each runner works with are compared
      Then every runner keeps its state in the bucket of the states
      And every runner reaches it at the same endpoint
      And every runner locks its state
      And no runner works in a workspace of its own

  @check:T3
  Rule: Test 3: State Persistence

    @short
    Scenario: The next job on another runner has nothing to do
      Given a pipeline job has applied a change through the endpoint
      When jobs with the same configuration are planned through the endpoint until another runner answers
      Then that runner plans no changes
