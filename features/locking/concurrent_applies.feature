Feature: A second apply is refused while the first one runs
  Two people, or two pipelines, start an apply on the same state.
  Only one may change it; the other must learn who is working.

  @check:V4
  Rule: State locking prevents concurrent applies

    @smoke
    Scenario: The second runner is told who holds the lock
      Given a runner is in the middle of applying a change
      When another runner applies the same configuration
      Then it is refused because the first one holds the lock
      And the first one completes its change
      And the state has grown by exactly one serial
      And nobody holds the lock any more

    Scenario: A plan that would lock is refused as well
      Given a runner is in the middle of applying a change
      When another runner plans the same configuration
      Then it is refused because the first one holds the lock
      And the first one completes its change

    Scenario: Every other runner is refused
      Given a runner is in the middle of applying a change
      When every other runner applies the same configuration at once
      Then each of them is refused because the first one holds the lock
      And the first one completes its change
      And the state has grown by exactly one serial

  @check:T1
  Rule: Test 1: State Locking

    @short
    Scenario: From two sessions on two runners
      Given a session on one runner where an apply is under way
      When the same apply is started in a session on another runner
      Then it is refused because the first one holds the lock
      And the first one completes its change
      And the state has grown by exactly one serial
      And nobody holds the lock any more
