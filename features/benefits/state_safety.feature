Feature: The state is safe
  It lies in one place, every version of it is kept, and only one hand at a time may change it.

  @check:B4
  Rule: Centralized in MinIO (no local files)

    @short
    Scenario: Nothing that holds state stays on a runner
      When every runner has done a job that succeeds and one that fails
      Then no file that holds state is left on any runner
      And what a job keeps about its backend holds no resources and no secret

  @check:B5
  Rule: Versioned (can rollback corrupted state)

    @short
    Scenario: A destroyed state is brought back as it was
      Given a state that was written before
      When its content is destroyed in the state store
      Then no runner works with what is left of it
      And once the version before is restored under a lock, every runner plans no changes
      And all versions are still there, the destroyed one included

  @check:B6
  Rule: Locked (prevents concurrent modification)

    Scenario Outline: Many processes on all runners start at the same moment, <rounds> times
      Given 4 processes on each runner, ready to apply to the same state
      When all of them start at the same moment, <rounds> times
      Then each time exactly one of them wins
      And all others are told who won
      And the history of the state has neither a gap nor a fork

      @short
      Examples: a first impression
        | rounds |
        | 1      |

      Examples: what a gate needs
        | rounds |
        | 4      |

      @thorough
      Examples: what a release needs
        | rounds |
        | 15     |
